import { type Big, big, type Decimal, text } from "#units/decimal";
import { type Instant, instant, millis } from "#units/time";
import { SETTLED_IN } from "../ledger/ledger.ts";

/** A fee as a fill has it: a cost in its currency, negative = rebate. */
export interface Fee {
  readonly fee: Decimal;
  readonly feeAsset: string;
  /** USDT of one unit of the currency when the fill was made; null = not known, and of USDT there is none. */
  readonly feePrice: Decimal | null;
}

/** The price of the currency of one fill's fee. */
export interface FeePrice {
  readonly tradeId: string;
  /** USDT, above 0. */
  readonly price: Decimal;
}

/** A fee that has no value yet. */
export interface UnvaluedFee extends Pick<Fee, "fee" | "feeAsset"> {
  readonly instrument: string;
  readonly tradeId: string;
  readonly filledAt: Instant;
}

/** Returns whether a fee has a value only by the price of its currency. */
export const needsPrice = ({ fee, feeAsset }: Pick<Fee, "fee" | "feeAsset">): boolean =>
  feeAsset !== SETTLED_IN && !big(fee).eq(0);

/** Returns the price that is kept with a fee, of those that were found by trade id: USDT needs none. */
export const priceOf = (
  { tradeId, fee, feeAsset }: Pick<UnvaluedFee, "fee" | "feeAsset" | "tradeId">,
  prices: ReadonlyMap<string, Decimal>,
): Decimal | null => (needsPrice({ fee, feeAsset }) ? (prices.get(tradeId) ?? null) : null);

/** Returns what a fee is in USDT, exact; null where the price of its currency is not known: never a silent 0. */
export function feeUsd({ feePrice, ...fee }: Fee): Big | null {
  if (!needsPrice(fee)) return big(fee.fee);
  return feePrice === null ? null : big(fee.fee).times(feePrice);
}

/** Returns what fees come to: in USDT those that have a value, and the others by currency. */
export function feesOf(fees: readonly Fee[]): {
  readonly usd: Decimal;
  readonly unvalued: Readonly<Record<string, Decimal>>;
} {
  let usd = big(0);
  const unvalued: Record<string, Decimal> = {};
  for (const fee of fees) {
    const worth = feeUsd(fee);
    if (worth !== null) usd = usd.plus(worth);
    else unvalued[fee.feeAsset] = text(big(unvalued[fee.feeAsset] ?? 0).plus(fee.fee));
  }
  return { usd: text(usd), unvalued };
}

const MINUTE_MS = 60_000;

/** Returns the minute at whose beginning the index of a fee's currency is read: the same whenever it is asked for. */
export const pricedAt = (filledAt: Instant): Instant => instant(Math.floor(millis(filledAt) / MINUTE_MS) * MINUTE_MS);
