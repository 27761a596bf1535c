import type { VirtualClock } from "#host/clock";
import { dueAfter } from "#local/due";
import type { ScheduleName } from "#topology/schedules";
import { SCHEDULES, schedule } from "#topology/topology";
import { HORIZON_SECONDS, type Instant, instant } from "#units/time";
import { workMeter } from "./work-meter.ts";

/** What a replay drives: this laptop, or a deployed stack. */
export interface ReplayTarget {
  runSchedule(name: ScheduleName, at: Instant): Promise<void>;
  drain(): Promise<void>;
}

/** Where a replay stands. */
export interface ReplayProgress {
  readonly phase: "blocks" | "settling";
  readonly at: Instant;
  readonly blocks: number;
  readonly totalBlocks: number;
  /** Share of the work that is done, by what its parts have cost in real time, 0 to 1. Never falls. */
  readonly share: number;
}

// A poll of the head every four seconds finds a block two seconds after it was mined, on average.
const ARRIVAL_MS = 2000;
const MINUTE = 60_000;
// The longest horizon, and after it the entry's delay, a bar of any size and a settling run.
const SETTLE_MS = HORIZON_SECONDS["24h"] * 1000 + 30 * MINUTE;

/**
 * Returns when a replay ends that saw its last block mined at `lastBlock` (both in milliseconds since the epoch).
 * `settleMs`: how long the clock goes on after it; a drill cuts it short.
 */
export const replayEnd = (lastBlock: number, settleMs: number = SETTLE_MS): number =>
  Math.ceil((lastBlock + ARRIVAL_MS + settleMs) / MINUTE) * MINUTE;

export interface ReplayOptions {
  /** Ends the replay between two instants. */
  readonly signal?: AbortSignal | undefined;
  /** How long the clock goes on after the last block, in milliseconds; until the longest outcome has settled unless said. */
  readonly settleMs?: number | undefined;
}

/**
 * Replays a period as a discrete-event run: the next block or due schedule, drained queues, and on. All that follows
 * from one instant is done at that instant, schedules in the topology's order. After the last block the clock goes on
 * until its longest outcome has settled, and a last report is built. Returns the virtual end of the run.
 * `blockTimes`: when the blocks were mined, ascending, in milliseconds since the epoch.
 * @throws what a handler threw, or the signal's reason; a message that fails is delivered again and ends as a dead letter.
 */
export async function replay(
  blockTimes: readonly number[],
  target: ReplayTarget,
  clock: VirtualClock,
  report: (progress: ReplayProgress) => void,
  { signal, settleMs }: ReplayOptions = {},
): Promise<Instant> {
  const start = clock.now();
  const end = replayEnd(blockTimes.at(-1) ?? start, settleMs);
  const agenda = openAgenda(blockTimes, start);
  const run = async (name: ScheduleName): Promise<void> => {
    await target.runSchedule(name, instant(clock.now()));
    await target.drain();
  };
  // Partitions and prices for the period before anything is ingested.
  for (const name of ["maintain-storage", "sync-prices"] as const) await run(name);
  const meter = workMeter(() => performance.now());
  let arrived = 0;
  while (clock.now() < end) {
    signal?.throwIfAborted();
    clock.set(Math.min(agenda.next(), end));
    const { due, blocks } = agenda.take(clock.now());
    for (const name of due) await run(name);
    const left = { blocks: blockTimes.length - blocks, minutes: Math.ceil((end - clock.now()) / MINUTE) };
    const share = meter.booked(blocks > arrived ? "block" : "minute", left);
    arrived = blocks;
    report({
      phase: blocks < blockTimes.length ? "blocks" : "settling",
      at: instant(clock.now()),
      blocks,
      totalBlocks: blockTimes.length,
      share,
    });
  }
  await run("build-report");
  return instant(end);
}

/** What is still to come of a replay: blocks and due schedules. */
function openAgenda(blockTimes: readonly number[], start: number) {
  const entries = SCHEDULES.map((name) => {
    const after = dueAfter(schedule(name).every);
    return { name, after, next: after(start), polls: schedule(name).pollSeconds !== undefined };
  });
  let blocks = 0;
  const arrival = (): number => (blockTimes[blocks] ?? Number.POSITIVE_INFINITY) + ARRIVAL_MS;
  return {
    next: (): number => Math.min(arrival(), ...entries.map((entry) => entry.next)),
    /** Takes what is due at `now`: schedules in order, and the number of blocks mined until then. */
    take: (now: number) => {
      const arrived = arrival() <= now;
      while (arrival() <= now) blocks += 1;
      const due = entries.filter((entry) => {
        const isDue = entry.next <= now;
        if (isDue) entry.next = entry.after(now);
        // A job that polls inside its run is called when a block arrives, and by its schedule once there are no more.
        return entry.polls ? arrived || (isDue && blocks === blockTimes.length) : isDue;
      });
      return { due: due.map((entry) => entry.name), blocks };
    },
  };
}
