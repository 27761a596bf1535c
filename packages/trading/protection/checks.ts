import { type Instant, instant, millis } from "#units/time";
import type { TradingMode } from "../mode.ts";

/** A look at the stop of an instrument, `afterSeconds` after the work of `at`. */
export interface Check {
  readonly mode: TradingMode;
  readonly instrument: string;
  readonly at: Instant;
  readonly afterSeconds: number;
}

/**
 * When the stop of an order is looked at again. The first finds what a job left that was killed after its POST, with time for a
 * second try before what is held has had no stop for ten seconds; the second what the first could not do.
 */
const AFTER_SECONDS = [2, 10] as const;

/** Returns the looks that an order is sent with: they are sent before it, so that no end of that job loses them. */
export const checksOf = ({ mode, instrument, at }: Omit<Check, "afterSeconds">): Check[] =>
  AFTER_SECONDS.map((afterSeconds) => ({ mode, instrument, at, afterSeconds }));

/** Returns the time of a look. */
export const timeOf = ({ at, afterSeconds }: Check): Instant => instant(millis(at) + afterSeconds * 1000);
