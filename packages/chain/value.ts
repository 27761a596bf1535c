import { STABLES } from "#units/candle";
import { big, type Decimal, decimalOf, fixed } from "#units/decimal";
import type { Instant } from "#units/time";

/** What one unit of an asset costs in USD, and how that is known. */
export interface Price {
  readonly usd: Decimal;
  /** An instrument's id, or "par" for what is taken as one dollar. */
  readonly source: string;
  /** When the bar of the price opened; null at par. */
  readonly openedAt: Instant | null;
}

/** Prices by asset. An asset that is not in it has no price. */
export type Prices = ReadonlyMap<string, Price>;

/** Returns `prices` with the stablecoins at one dollar. */
export const withStables = (prices: Prices): Prices =>
  new Map([
    ...STABLES.map((asset): [string, Price] => [asset, { usd: decimalOf("1"), source: "par", openedAt: null }]),
    ...prices,
  ]);

/** Returns what `amount` (whole tokens, any sign) of an asset is worth, as a positive USD amount of cents, or null without a price. */
export function notionalUsd(prices: Prices, asset: string | null, amount: Decimal): Decimal | null {
  const price = asset === null ? undefined : prices.get(asset);
  return price ? fixed(big(amount).abs().times(price.usd), 2) : null;
}

/**
 * Returns the share of the wallet's equity that a notional was, in six digits; above 1 when it moved more than the
 * priced tokens that it held before. Null when either is unknown, or the equity is 0.
 */
export function sizeFraction(notional: Decimal | null, equity: Decimal | null): Decimal | null {
  if (notional === null || equity === null || !big(equity).gt(0)) return null;
  const fraction = big(notional).div(equity);
  // A wallet that held next to nothing says nothing by its fraction; the column holds twelve digits before the point.
  return fixed(fraction.gt(999_999) ? 999_999 : fraction, 6);
}
