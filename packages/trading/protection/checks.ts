import { type Instant, instant, millis } from "#units/time";
import type { TradingMode } from "../mode.ts";
import { type Policy, SWEEP_SECONDS } from "../plans/policy.ts";

/** A look at the stop of an instrument, `afterSeconds` after the work of `at`. */
export interface Check {
  readonly mode: TradingMode;
  readonly instrument: string;
  readonly at: Instant;
  readonly afterSeconds: number;
  /** How many looks in a row before it had something to close at market; absent = none. */
  readonly repeats?: number | undefined;
}

/**
 * When the stop of an order is looked at again. The first finds what a job left that was killed after its POST, with time for a
 * second try before what is held has had no stop for ten seconds; the second what the first could not do.
 */
const AFTER_SECONDS = [2, 10] as const;

/** Returns the looks that an order is sent with: they are sent before it, so that no end of that job loses them. */
export const checksOf = ({ mode, instrument, at }: Omit<Check, "afterSeconds">): Check[] =>
  AFTER_SECONDS.map((afterSeconds) => ({ mode, instrument, at, afterSeconds }));

/**
 * Returns the look that follows one, of `at`, which had something to close at market: what the price limit or the book left of it
 * has no stop. None once the next minute's reconciliation has come, which begins a row of its own.
 */
export function checksAfter(
  { mode, instrument, at, repeats = 0 }: Omit<Check, "afterSeconds">,
  { closeRepeatSeconds: afterSeconds }: Pick<Policy, "closeRepeatSeconds">,
): Check[] {
  const isOver = repeats >= Math.ceil(SWEEP_SECONDS / afterSeconds);
  return isOver ? [] : [{ mode, instrument, at, afterSeconds, repeats: repeats + 1 }];
}

/** Returns the time of a look. */
export const timeOf = ({ at, afterSeconds }: Check): Instant => instant(millis(at) + afterSeconds * 1000);
