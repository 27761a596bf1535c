/** Milliseconds of one job: each invocation's, in order. */
export interface Measures {
  /** Returns the recorder of a job. */
  of(job: string): (milliseconds: number) => void;
  /** Returns, per job in alphabetical order: invocations, total, and the 50th and 99th percentile in milliseconds. */
  summary(): readonly JobTimes[];
}

export interface JobTimes {
  readonly job: string;
  readonly runs: number;
  readonly totalMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Returns an empty set of measures. */
export function measures(): Measures {
  const times = new Map<string, number[]>();
  return {
    of: (job) => {
      const list = times.get(job) ?? [];
      times.set(job, list);
      return (milliseconds) => list.push(milliseconds);
    },
    summary: () =>
      [...times]
        .filter(([, list]) => list.length > 0)
        .map(([job, list]) => {
          const sorted = list.toSorted((a, b) => a - b);
          const at = (share: number): number =>
            sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
          return {
            job,
            runs: list.length,
            totalMs: list.reduce((sum, ms) => sum + ms, 0),
            p50Ms: at(0.5),
            p99Ms: at(0.99),
          };
        })
        .toSorted((a, b) => a.job.localeCompare(b.job)),
  };
}
