import middy from "@middy/core";
import * as z from "zod";
import { schedule as lookup, type ScheduleName, type Schedules } from "#topology/topology";
import { type Instant, instant, millis } from "#units/time";
import { type Context, contextOf } from "./context.ts";
import { errorFields, log } from "./log.ts";

/** One due time of a schedule. */
export interface Tick {
  readonly at: Instant;
}

// EventBridge's scheduled event; `time` has a grain of a second. Source: EventBridge user guide, "Event structure".
const Scheduled = z.object({ time: z.iso.datetime() });

/**
 * Turns one job into the Lambda handler of a schedule. The job's clock is the event's `time`, never the machine's.
 * EventBridge delivers at least once and runs may overlap, so a job must stand both.
 */
export function schedule<S extends ScheduleName>(
  name: S,
  job: (tick: Tick, context: Context<Schedules[S]>) => Promise<void>,
) {
  return middy<unknown>({ timeoutEarlyInMillis: 0 }).handler(async (event) => {
    try {
      const at = instant(millis(Scheduled.parse(event).time));
      await job({ at }, await contextOf<Schedules[S]>(lookup(name)));
    } catch (error) {
      log({ level: "error", message: `${name}: run failed`, ...errorFields(error) });
      throw error;
    }
  });
}
