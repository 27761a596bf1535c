import { assetOf } from "#units/candle";
import type { Decimal } from "#units/decimal";
import { type Instant, millis } from "#units/time";
import { type Prices, withStables } from "./value.ts";

/** An older close is no price: the candles have stopped. */
export const MAX_PRICE_AGE_SECONDS = 7200;

/** The close of one closed bar of an instrument. */
export interface ClosedBar {
  readonly instrument: string;
  readonly openedAt: Instant;
  readonly closedAt: Instant;
  readonly close: Decimal;
}

/**
 * Returns the prices known at `at`, by asset: the closes of bars closed at or before it and not older than two hours,
 * with the stablecoins at one dollar. @throws RangeError for an instrument that is no USDT swap.
 */
export function pricesAt(closes: readonly ClosedBar[], at: Instant): Prices {
  const fresh = closes.filter(({ closedAt }) => {
    const age = millis(at) - millis(closedAt);
    return age >= 0 && age <= MAX_PRICE_AGE_SECONDS * 1000;
  });
  return withStables(
    new Map(
      fresh.map(({ instrument, openedAt, close }) => [
        assetOf(instrument),
        { usd: close, source: instrument, openedAt },
      ]),
    ),
  );
}
