import * as z from "zod";
import { type FunctionName, functionName } from "#topology/functions";
import { schedules } from "#topology/schedules";
import { QUEUES, queue, SCHEDULES, schedule } from "#topology/topology";

const Job = z.object({ job: z.string(), runs: z.number().int().nonnegative(), totalMs: z.number().nonnegative() });

/** What a replay measured, and on what. */
export const CostMeasures = z.object({
  /** The recording's name and where it ran, as a person says it. */
  recording: z.string(),
  machine: z.string(),
  measuredOn: z.iso.date(),
  blocks: z.number().int().positive(),
  /** Virtual time that the replay covered, in days. */
  days: z.number().positive(),
  jobs: z.array(Job),
  /** Messages received, by queue. */
  messages: z.record(z.string(), z.number().int().nonnegative()),
});
export type CostMeasures = z.infer<typeof CostMeasures>;

/** Blocks of Ethereum mainnet a day: a slot each twelve seconds. */
export const BLOCKS_A_DAY = 7200;

/** One job at mainnet rate, a day. */
export interface JobUsage {
  readonly job: string;
  readonly invocations: number;
  /** Mean of the measured invocations: a replay's nodes and venue stand on the same machine, and answer at once. */
  readonly meanMs: number;
  /** What it waits besides: by the clock, or for real nodes and the real venue. */
  readonly waitMs: number;
  readonly memoryMb: number;
  /** The queue that it consumes; null = a schedule's. */
  readonly queue: string | null;
  readonly ordered: boolean;
  readonly messages: number;
}

/** Of one call, from a function to the other side and back: a public node or a paid one, and OKX. Assumed. */
const NODE_MS = 150;
const VENUE_MS = 120;

/**
 * Calls to nodes and to the venue of one invocation that follow each other; those made at once count as one. Source: the
 * handlers. A block is asked with its receipts, and its balances once; a reconciliation looks up, then asks for four things
 * at once; prices are asked of one instrument after the other.
 */
const CALLS: Readonly<Partial<Record<FunctionName, { readonly node?: number; readonly venue?: number }>>> = {
  "watch-head": { node: 1 },
  "look-at-head": { node: 1 },
  "ingest-block": { node: 3 },
  "sync-prices": { venue: 2 },
  "reconcile-orders": { venue: 2 },
  "plan-order": { venue: 3 },
  "submit-order": { venue: 2 },
  "protect-position": { venue: 3 },
};
function waitOf(job: FunctionName): number {
  const { node = 0, venue = 0 } = CALLS[job] ?? {};
  return node * NODE_MS + venue * VENUE_MS;
}

/** Queues whose messages follow the blocks; the others follow the clock. */
const BY_BLOCK: readonly string[] = ["blocks", "events", "retractions"];

const { every: LOOKED, pollSeconds: LOOK_SECONDS } = schedules["watch-head"];
/** Those that come as messages: all of a minute but the one of the schedule itself. */
const LOOKS_A_DAY = runsPerDay(LOOKED) * (Math.ceil(60 / LOOK_SECONDS) - 1);

/** Queues that an idle desk feeds too: it reads every block, and its biases decay and are planned for. */
const IDLE: readonly string[] = ["blocks", "biases", "plans"];

/** Runs of a schedule a day. Source: EventBridge, "Schedule expressions". */
export function runsPerDay(every: string): number {
  const rate = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(every);
  if (rate) return { minute: 1440, hour: 24, day: 1 }[rate[2] as "minute" | "hour" | "day"] / Number(rate[1]);
  if (/^cron\(\d+ 0\/4 \* \* \? \*\)$/.test(every)) return 6;
  if (/^cron\(\d+ \d+ \* \* \? \*\)$/.test(every)) return 1;
  throw new RangeError(`how often a day is ${every}? Teach it to runsPerDay`);
}

/**
 * Returns every job's day at mainnet rate, in the topology's order. Schedules run as often as the topology says. What
 * follows blocks is scaled by blocks, what follows the clock by the virtual time of the replay. The looks
 * between two runs of watch-head are as many as its schedule says, and each lasts as long as one of its runs. Of an idle desk no wallet acts: blocks are read, and the clock's jobs find nothing.
 */
export function usageOf(measures: CostMeasures, idle = false): JobUsage[] {
  const of = (job: string) => measures.jobs.find((one) => one.job === job) ?? { job, runs: 0, totalMs: 0 };
  const mean = (job: string): number => (of(job).runs === 0 ? 0 : of(job).totalMs / of(job).runs);
  const timesOf = (job: FunctionName) => ({ meanMs: mean(job), waitMs: waitOf(job) });
  const scheduled = SCHEDULES.map((name): JobUsage => {
    const { consumer, every, memoryMb } = schedule(name);
    const job = functionName(consumer);
    return { job, invocations: runsPerDay(every), ...timesOf(job), memoryMb, queue: null, ordered: false, messages: 0 };
  });
  const consumed = QUEUES.map((name): JobUsage => {
    const { consumer, memoryMb, groupBy } = queue(name);
    const job = functionName(consumer);
    const place = { job, memoryMb, queue: name, ordered: groupBy !== undefined };
    if (name === "looks")
      return { ...place, ...timesOf("watch-head"), invocations: LOOKS_A_DAY, messages: LOOKS_A_DAY };
    const scale =
      idle && !IDLE.includes(name) ? 0 : BY_BLOCK.includes(name) ? BLOCKS_A_DAY / measures.blocks : 1 / measures.days;
    const messages = (measures.messages[name] ?? 0) * scale;
    return { ...place, ...timesOf(job), invocations: of(job).runs * scale, messages };
  });
  return [...scheduled, ...consumed];
}
