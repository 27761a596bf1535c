import type { Decimal } from "#units/decimal";
import { HORIZON_SECONDS, type Horizon, type Instant, instant, millis } from "#units/time";

/**
 * Closes of one instrument, by the time the bar closed in milliseconds since the epoch. A close is known from then on,
 * never before. A bar that is missing is a gap.
 */
export type Closes = ReadonlyMap<number, Decimal>;

/** When a bet is entered and left: both are closing times of bars. */
export interface Window {
  readonly enteredAt: Instant;
  readonly exitedAt: Instant;
}

export interface ForwardReturn extends Window {
  readonly entryPrice: Decimal;
  readonly exitPrice: Decimal;
  /** exit / entry − 1, as a fraction. */
  readonly value: number;
}

const firstCloseFrom = (ms: number, barSeconds: number): number => {
  const width = barSeconds * 1000;
  return Math.ceil(ms / width) * width;
};

/**
 * Returns when a bet on something observed at `observedAt` is entered and left: the first bar close at or after
 * observation plus `delaySeconds`, and the first bar close at or after entry plus the horizon. Bars are aligned to the
 * epoch, so both times are known before any price is.
 */
export function windowOf(observedAt: Instant, horizon: Horizon, barSeconds: number, delaySeconds = 0): Window {
  const entry = firstCloseFrom(millis(observedAt) + delaySeconds * 1000, barSeconds);
  const exit = firstCloseFrom(entry + HORIZON_SECONDS[horizon] * 1000, barSeconds);
  return { enteredAt: instant(entry), exitedAt: instant(exit) };
}

/**
 * Returns the return over `window`, or null when the bar that closes at either end is missing: a gap is never bridged
 * with a neighbour's price.
 */
export function forwardReturn(closes: Closes, window: Window): ForwardReturn | null {
  const entryPrice = closes.get(millis(window.enteredAt));
  const exitPrice = closes.get(millis(window.exitedAt));
  if (entryPrice === undefined || exitPrice === undefined) return null;
  return { ...window, entryPrice, exitPrice, value: Number(exitPrice) / Number(entryPrice) - 1 };
}
