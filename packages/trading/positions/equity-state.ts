import type { Decimal } from "#units/decimal";
import { type Instant, millis } from "#units/time";
import { inUnits, type UnitEquity } from "../ledger/ledger.ts";

/** Equity before an instant, in USDT. Earlier equity is that of the units held now: what was transferred since is no result. */
export interface EquityState {
  readonly equity: Decimal;
  readonly at: Instant;
  /** At the first snapshot of the UTC day. */
  readonly dayStart: Decimal;
  /** The highest of the last 30 days. */
  readonly peak: Decimal;
}

/** Returns the state by the newest equity, the first of its day and the highest a unit; without one, the newest itself. */
export const equityStateOf = (
  now: UnitEquity,
  day: UnitEquity | undefined,
  peak: UnitEquity | undefined,
): EquityState => ({
  equity: now.equity,
  at: now.at,
  dayStart: inUnits(day ?? now, now.units),
  peak: inUnits(peak ?? now, now.units),
});

/** Returns whether a decision at `at` may go by an equity that was stored at most `seconds` before; else the venue has to be asked. */
export const isRecent = (state: Pick<EquityState, "at">, at: Instant, seconds: number): boolean =>
  millis(at) - millis(state.at) <= seconds * 1000;
