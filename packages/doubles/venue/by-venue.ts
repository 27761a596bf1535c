import { type Big, big, text } from "#units/decimal";
import { applyFill, idAt, type PaperOrder } from "./account.ts";
import { ceilTick, floorTick, type Listing, type Touch } from "./book.ts";
import type { Cause } from "./ledger.ts";
import { type Floor, fresh, heldOf, least } from "./matching.ts";
import { isPending } from "./orders.ts";

/** OKX's category of an order, and whether the venue placed it. */
const CATEGORY: Readonly<Record<Cause, string>> = {
  trade: "normal",
  partial_liquidation: "partial_liquidation",
  liquidation: "full_liquidation",
  adl: "adl",
};

const LIQUIDATION_RISK = "3";
const isForced = (cause: Cause): boolean => cause === "liquidation" || cause === "partial_liquidation";

/** An order that nobody sent through the API with an id of its own. */
export interface UnaskedTrade {
  readonly instId: string;
  readonly side: "buy" | "sell";
  readonly size: Big;
  /** "trade" is a person at the venue's own page; any other is the venue, which only reduces. */
  readonly cause: Cause;
}

/** An order that is filled at once and whole, at the best price, worsened by the impact where it is forced. */
export interface Unsent {
  readonly instId: string;
  readonly side: "buy" | "sell";
  readonly size: Big;
  readonly cause: Cause;
  readonly tdMode: string;
}

/** Fills an order that nobody sent through the API. */
export function fillUnsent({ state, book, matching }: Floor, unsent: Unsent, touch: Touch, now: number): PaperOrder {
  const { instId, side, size, cause, tdMode } = unsent;
  const { tick } = book.listings.get(instId) as Listing;
  const order: PaperOrder = {
    ordId: idAt(now, cause, instId, side, String(state.orders.length)),
    ...{ clOrdId: "", instId, side, tdMode, ordType: "market", px: "", sz: text(size) },
    ...{ reduceOnly: cause !== "trade", algoId: "", algoClOrdId: "", source: "", attached: [], ...fresh(now) },
    category: CATEGORY[cause],
  };
  state.orders.push(order);
  const best = side === "buy" ? touch.ask : touch.bid;
  const drift = isForced(cause) ? best.times(matching.impactBps).div(10_000) : big(0);
  const price = side === "buy" ? ceilTick(best.plus(drift), tick) : floorTick(best.minus(drift), tick);
  const taken = { order, size, price, execType: "T", feeRate: matching.fees.taker, cause, now } as const;
  applyFill(state, book.listings.get(instId) as Listing, taken);
  return order;
}

/** Cancels what rests and is in the way of a liquidation. */
export function clearOrders({ state }: Floor, isInTheWay: (order: PaperOrder) => boolean, now: number): void {
  for (const order of state.orders)
    if (isPending(order) && isInTheWay(order))
      Object.assign(order, { state: "canceled", cancelSource: LIQUIDATION_RISK, uTime: now });
}

/**
 * Fills an order that the desk did not send, at once and whole: a person's own, a liquidation, an ADL. A liquidation first
 * cancels what rests, and may end below the maintenance margin with a partial close. What the venue makes reduces alone, has a
 * negative tradeId and no maker or taker.
 * @throws RangeError without a price, or when there is nothing to reduce. Source: OKX v5, "Order details", category.
 */
export function tradeUnasked(floor: Floor, { instId, side, size, cause }: UnaskedTrade, now: number): PaperOrder {
  const touch = floor.book.touch(instId, now);
  const closable = heldOf(floor.state, instId).times(side === "sell" ? 1 : -1);
  const isOurs = cause === "trade";
  if (!touch || (!isOurs && closable.lte(0))) throw new RangeError(`${instId}: no price now, or nothing to ${side}`);
  if (isForced(cause)) clearOrders(floor, (order) => order.instId === instId, now);
  const unsent = { instId, side, size: isOurs ? size : least(size, closable), cause, tdMode: "cross" };
  return fillUnsent(floor, unsent, touch, now);
}
