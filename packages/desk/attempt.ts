/** A part of a run that threw. The other parts went on. */
export interface Failure {
  /** What was being done. */
  readonly part: string;
  /** Null = it was not about one instrument. */
  readonly instrument: string | null;
  readonly error: unknown;
}

/** Does one part of a run, and returns what it came to; null when it threw, and then the failure is kept. */
export type Attempt = <T>(part: string, instrument: string | null, work: () => Promise<T>) => Promise<T | null>;

/**
 * Returns how a run does its parts so that the error of one stops no other, and the list that it keeps of those that failed,
 * in their order. Whoever runs it has to tell them: nothing is logged here, and nothing may be left untold.
 */
export function attempts(): { readonly attempt: Attempt; readonly failures: readonly Failure[] } {
  const failures: Failure[] = [];
  const attempt: Attempt = async (part, instrument, work) => {
    try {
      return await work();
    } catch (error) {
      failures.push({ part, instrument, error });
      return null;
    }
  };
  return { attempt, failures };
}

/** Parts of a run failed; what the others did is done. */
export class PartsFailed extends AggregateError {
  override name = "PartsFailed";
  constructor(job: string, failures: readonly Failure[]) {
    const said = failures.map(({ part, instrument, error }) => {
      const reason = error instanceof Error ? error.message : String(error);
      return `${instrument === null ? part : `${part} of ${instrument}`}: ${reason}`;
    });
    super(
      failures.map(({ error }) => error),
      `${job}: ${said.join("; ")}; all else was done`,
      { cause: failures[0]?.error },
    );
  }
}
