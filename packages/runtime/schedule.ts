import * as z from "zod";
import type { AtRunTime, Schedule } from "#topology/job";
import { type ScheduleName, type Schedules, schedules } from "#topology/schedules";
import { type Instant, instant, millis } from "#units/time";
import type { Context } from "./context.ts";
import { edge, runPiece } from "./edge.ts";
import { newTrace } from "./trace.ts";

/** One due time of a schedule. */
export interface Tick {
  readonly at: Instant;
}

// EventBridge's scheduled event; `time` has a grain of a second. Source: EventBridge user guide, "Event structure".
const Scheduled = z.object({ id: z.string().min(1).max(100).optional(), time: z.iso.datetime() });

/**
 * Turns one job into the Lambda handler of a schedule. The job's clock is the event's `time`, never the machine's, and
 * the event's id is the correlation id of all that follows from it. EventBridge delivers at least once and runs may
 * overlap, so a job must stand both.
 */
export function schedule<S extends ScheduleName>(
  name: S,
  job: (tick: Tick, context: Context<Schedules[S]>) => Promise<void>,
) {
  const entry: AtRunTime<Schedule> = schedules[name];
  return edge<unknown, void>(entry, async (event, lambda) => {
    const { id, time } = Scheduled.parse(event);
    const at = instant(millis(new Date(time)));
    const piece = { entry, lambda, trace: newTrace(id ?? `${name} ${at}`), what: `${name}: run` };
    await runPiece<Schedules[S], void>(piece, (context) => job({ at }, context));
  });
}
