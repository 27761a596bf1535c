import type { Decimal } from "#units/decimal";
import { type Instant, millis } from "#units/time";

/** Equity before an instant, in USDT. */
export interface EquityState {
  readonly equity: Decimal;
  readonly at: Instant;
  /** At the first snapshot of the UTC day. */
  readonly dayStart: Decimal;
  /** The highest of the last 30 days. */
  readonly peak: Decimal;
}

/** Equity older than this is no ground for a decision. */
const RECENT_MS = 5 * 60_000;

/** Returns whether a decision at `at` may go by a stored equity; else the venue has to be asked. */
export const isRecent = (state: Pick<EquityState, "at">, at: Instant): boolean =>
  millis(at) - millis(state.at) <= RECENT_MS;
