import { type FeePrice, needsPrice, pricedAt, type UnvaluedFee } from "#trading/positions/fee";
import type { Exchange, VenueFill } from "#trading/venue";
import type { Decimal } from "#units/decimal";

type Ask = Exchange["indexPrice"];

/**
 * Returns how a run asks for index prices: each currency and minute once, whatever number of fees it is for. A question that
 * failed is asked again by the next fee of it.
 */
export function askedOnce(ask: Ask): Ask {
  const known = new Map<string, Decimal | null>();
  return async (asset, at) => {
    const key = `${asset} ${at}`;
    const price = known.get(key);
    if (price !== undefined) return price;
    const found = await ask(asset, at);
    known.set(key, found);
    return found;
  };
}

/**
 * Returns the prices of the fees among new fills, and among booked ones that have none yet, that are paid in another currency
 * than USDT: the index at the beginning of the minute of the fill. One that the venue does not price is absent.
 */
export async function feePrices(
  ask: Ask,
  fills: readonly VenueFill[],
  unvalued: readonly UnvaluedFee[],
): Promise<FeePrice[]> {
  const prices = new Map<string, Decimal>();
  for (const { tradeId, feeAsset, filledAt, fee } of [...fills, ...unvalued]) {
    if (prices.has(tradeId) || !needsPrice({ fee, feeAsset })) continue;
    const price = await ask(feeAsset, pricedAt(filledAt));
    if (price !== null) prices.set(tradeId, price);
  }
  return [...prices].map(([tradeId, price]) => ({ tradeId, price }));
}
