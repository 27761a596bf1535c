import { type Big, big, type Decimal, text } from "#units/decimal";
import type { OrderId } from "#units/ids";
import type { VenueFill } from "../venue.ts";

/** One execution of ours as booked. `fee` is a cost in `feeAsset`: negative = rebate. */
export interface Fill extends Omit<VenueFill, "venueOrderId" | "clientOrderId"> {
  readonly orderId: OrderId | null;
}

/** Orders fills by time, then by trade id (numbers by value): the one order in which they are accounted. */
function byTime(a: Pick<Fill, "filledAt" | "tradeId">, b: Pick<Fill, "filledAt" | "tradeId">): number {
  if (a.filledAt !== b.filledAt) return a.filledAt < b.filledAt ? -1 : 1;
  if (a.tradeId.length !== b.tradeId.length) return a.tradeId.length - b.tradeId.length;
  return a.tradeId < b.tradeId ? -1 : a.tradeId > b.tradeId ? 1 : 0;
}

/** Returns the fills once each by trade id, in accounting order: a replayed or shuffled list gives the same. */
export function once(fills: readonly Fill[]): Fill[] {
  return [...new Map(fills.map((fill) => [fill.tradeId, fill])).values()].sort(byTime);
}

/** Returns the signed contracts of a fill: a sell is negative. */
export const signed = (fill: Pick<Fill, "side" | "size">): Big =>
  fill.side === "buy" ? big(fill.size) : big(fill.size).neg();

/** Returns the sum of what an order filled: size, size-weighted price (null at 0), and fees. */
export function totalOf(fills: readonly Fill[]): {
  readonly size: Decimal;
  readonly price: Decimal | null;
  readonly fee: Decimal;
} {
  const sum = once(fills).reduce(
    (total, fill) => ({
      size: total.size.plus(fill.size),
      notional: total.notional.plus(big(fill.size).times(fill.price)),
      fee: total.fee.plus(fill.fee),
    }),
    { size: big(0), notional: big(0), fee: big(0) },
  );
  const price = sum.size.gt(0) ? text(sum.notional.div(sum.size).round(18)) : null;
  return { size: text(sum.size), price, fee: text(sum.fee) };
}
