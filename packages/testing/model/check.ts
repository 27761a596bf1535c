import fc from "fast-check";
import type { Bare } from "./laws.ts";
import { type Outcome, runSchedule } from "./run.ts";
import { ACTS, DOORS, FAULTS, type Point, READS, type Schedule, schedules, WRITES } from "./schedule.ts";
import type { Moment } from "./scheduler.ts";
import type { Open } from "./stage.ts";
import { HIDDEN, LATE_BILLS } from "./venue.ts";

/** What is asked of a check. */
export interface Asked {
  readonly seed: number;
  readonly count: number;
  readonly open: Open;
  /** Where processes can die. */
  readonly points: readonly Point[];
  /** Of one schedule alone, as a failure names it. */
  readonly path?: string;
  /** Whether a failure is made as small as it goes. */
  readonly shrink: boolean;
}

/** A schedule that broke a law. */
export interface Failure {
  readonly seed: number;
  readonly path: string;
  /** How many went well before it. */
  readonly after: number;
  readonly violations: readonly string[];
  readonly schedule: Schedule;
  readonly trace: readonly string[];
}

/** What a check came to. */
export interface Tally {
  readonly schedules: number;
  readonly orders: number;
  /** In how many schedules each fault, death and act struck. */
  readonly struck: ReadonlyMap<string, number>;
  readonly bare: readonly Outcome["bare"][number][];
  readonly failure: Failure | null;
}

/** Of a point that every schedule comes to. */
const WEIGHT = 10;
const SURVEY = { seed: 7, numRuns: 100 };
/** So many schedules apart, one is run twice, and must have the same trace. */
const TWICE = 50;

/**
 * Returns the awaits at which a process can die: those that some schedules without a death come to. The rarer one is, the
 * oftener it is drawn.
 */
export async function survey(open: Open): Promise<readonly Point[]> {
  const times = new Map<string, number>();
  for (const schedule of fc.sample(schedules([]), SURVEY))
    for (const point of (await runSchedule(schedule, open)).reached) times.set(point, (times.get(point) ?? 0) + 1);
  return [...times].sort().map(([point, reached]) => {
    const [job = "", moment = "", ...what] = point.split(" ");
    const weight = Math.round((WEIGHT * SURVEY.numRuns) / reached);
    return { job, moment: moment as Moment, what: what.join(" "), weight };
  });
}

/** Runs schedules drawn from a seed, the same ones for the same seed and code, until one breaks a law. */
export async function check({ seed, count, open, points, path, shrink }: Asked): Promise<Tally> {
  const struck = new Map<string, number>();
  const bare: Outcome["bare"][number][] = [];
  const last: { broken: { schedule: Schedule; outcome: Outcome } | null } = { broken: null };
  let [run, orders] = [0, 0];
  const judged = async (schedule: Schedule): Promise<Outcome> => {
    const outcome = await runSchedule(schedule, open);
    if (run % TWICE !== 0 || last.broken !== null) return outcome;
    const again = await runSchedule(schedule, open);
    if (again.hash === outcome.hash) return outcome;
    const at = again.trace.findIndex((line, i) => line !== outcome.trace[i]);
    const said = `${outcome.trace[at]} once, ${again.trace[at]} again`;
    return { ...outcome, violations: [...outcome.violations, `the same schedule has the same trace: ${said}`] };
  };
  const property = fc.asyncProperty(schedules(points), async (schedule) => {
    const outcome = await judged(schedule);
    if (last.broken === null) {
      run += 1;
      orders += outcome.orders;
      for (const name of outcome.struck) struck.set(name, (struck.get(name) ?? 0) + 1);
      for (const { act } of new Map(schedule.steps.map((step) => [step.act, step])).values())
        struck.set(`act: ${act}`, (struck.get(`act: ${act}`) ?? 0) + 1);
      bare.push(...outcome.bare);
    }
    if (outcome.violations.length > 0) last.broken = { schedule, outcome };
    return outcome.violations.length === 0;
  });
  const result = await fc.check(property, {
    ...{ seed, numRuns: count, endOnFailure: !shrink },
    ...(path === undefined ? {} : { path }),
  });
  const { broken } = last;
  if (result.failed && broken === null) throw result.errorInstance; // of the model itself
  const failure = broken && {
    ...{ seed, path: result.counterexamplePath ?? "", after: run - 1 },
    ...{ violations: broken.outcome.violations, schedule: broken.schedule, trace: broken.outcome.trace },
  };
  return { schedules: run, orders, struck, bare, failure };
}

/** Returns several tallies as one; the first failure stands. */
export function sum(tallies: readonly Tally[]): Tally {
  const struck = new Map<string, number>();
  for (const tally of tallies)
    for (const [name, times] of tally.struck) struck.set(name, (struck.get(name) ?? 0) + times);
  return {
    schedules: tallies.reduce((all, tally) => all + tally.schedules, 0),
    orders: tallies.reduce((all, tally) => all + tally.orders, 0),
    struck,
    bare: tallies.flatMap((tally) => tally.bare),
    failure: tallies.find((tally) => tally.failure !== null)?.failure ?? null,
  };
}

/**
 * Each fault, act and door strikes in so many of the schedules at least, and each of some hundred awaits is where a process dies in
 * so many; fewer schedules than these say nothing of it.
 */
const [LEAST, LEAST_DEATHS, JUDGED] = [0.01, 0.001, 1000];
/** A point that fewer of the surveyed schedules come to cannot be struck so often, and is drawn as often as the others of them. */
const RARE = 0.05;

/** Returns what could strike: each fault, act, door and point by the name under which a tally counts it. */
function strikesOf(points: readonly Point[]): Set<string> {
  const common = points.filter(({ weight }) => weight <= WEIGHT / RARE);
  return new Set([
    ...ACTS.map((act) => `act: ${act}`),
    ...DOORS.map((door) => `door: ${door}`),
    ...[...FAULTS.read, ...FAULTS.write].map((kind) => `reply: ${kind}`),
    ...[...READS.map((path) => `GET ${path}`), ...WRITES.map((path) => `POST ${path}`)].map((of) => `request: ${of}`),
    ...common.flatMap(({ job, what }) => [`dies: ${job} at ${what}`, `stands still: ${job}`]),
    ...["a gap right after an order", "a hand right before a close", HIDDEN, LATE_BILLS],
  ]);
}

/**
 * Returns what struck too seldom for the check to say much of it: in under 1 % of the schedules, of an await at which a process
 * dies 0.1 %, where chance does not explain it (three standard deviations). Nothing of fewer than 1,000 schedules.
 */
export function seldom(
  { schedules: count, struck }: Pick<Tally, "schedules" | "struck">,
  points: readonly Point[],
): string[] {
  if (count < JUDGED) return [];
  const isSeldom = (name: string): boolean => {
    const times = struck.get(name) ?? 0;
    return times + 3 * Math.sqrt(times + 1) < count * (name.startsWith("dies: ") ? LEAST_DEATHS : LEAST);
  };
  return [...strikesOf(points)].filter(isSeldom).sort();
}

/** Percentiles of the time that exposures of one kind were without a stop, in seconds. */
export interface Percentiles {
  readonly cause: Bare["cause"];
  readonly struck: Outcome["bare"][number]["struck"];
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly worst: number;
}

/** Returns how long exposures were without a stop, by whose they were and by what had struck. */
export function percentiles({ bare }: Pick<Tally, "bare">): Percentiles[] {
  const kinds = Map.groupBy(bare, ({ cause, struck }) => `${cause} ${struck}`);
  return [...kinds.values()]
    .map((list) => {
      const sorted = list.map(({ ms }) => ms / 1000).sort((a, b) => a - b);
      const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
      const { cause, struck } = list[0] as (typeof list)[number];
      return { cause, struck, count: list.length, p50: at(0.5), p99: at(0.99), worst: sorted.at(-1) ?? 0 };
    })
    .toSorted((a, b) => (`${a.cause} ${a.struck}` < `${b.cause} ${b.struck}` ? -1 : 1));
}

/** Returns a failure as a test file: it fails for as long as the law is broken. */
export function testOf({ seed, path, violations, schedule, trace }: Failure): string {
  return [
    `// Seed ${seed}, path ${path}. It broke:`,
    ...violations.map((violation) => `// - ${violation}`),
    'import { expect, test } from "vitest";',
    'import { inMemory } from "#testing/model/memory";',
    'import { runSchedule } from "#testing/model/run";',
    'import type { Schedule } from "#testing/model/schedule";',
    "",
    `const SCHEDULE: Schedule = ${JSON.stringify(schedule, null, 2)};`,
    "",
    `test(${JSON.stringify(violations[0] ?? "")}, async () => {`,
    "  expect((await runSchedule(SCHEDULE, inMemory)).violations).toEqual([]);",
    "}, 30_000);",
    "",
    ...trace.map((line) => `// ${line}`),
    "",
  ].join("\n");
}
