import { type Big, big, text } from "#units/decimal";
import { applyFill, idAt, type PaperOrder } from "./account.ts";
import { ceilTick, floorTick, type Listing } from "./book.ts";
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

/** An order that nobody sent through the API with an id of its own. */
export interface UnaskedTrade {
  readonly instId: string;
  readonly side: "buy" | "sell";
  readonly size: Big;
  /** "trade" is a person at the venue's own page; any other is the venue, which only reduces. */
  readonly cause: Cause;
}

/**
 * Fills an order that the desk did not send, at once and whole: a person's own, a liquidation, an ADL. A liquidation first
 * cancels what rests, and may end below the maintenance margin with a partial close. What the venue makes reduces alone, has a
 * negative tradeId and no maker or taker.
 * @throws RangeError without a price, or when there is nothing to reduce. Source: OKX v5, "Order details", category.
 */
export function tradeUnasked({ state, book, matching }: Floor, trade: UnaskedTrade, now: number): PaperOrder {
  const { instId, side, cause } = trade;
  const listing = book.listings.get(instId) as Listing;
  const touch = book.touch(instId, now);
  const closable = heldOf(state, instId).times(side === "sell" ? 1 : -1);
  const isOurs = cause === "trade";
  if (!touch || (!isOurs && closable.lte(0))) throw new RangeError(`${instId}: no price now, or nothing to ${side}`);
  const isForced = cause === "liquidation" || cause === "partial_liquidation";
  for (const order of state.orders)
    if (isForced && isPending(order) && order.instId === instId)
      Object.assign(order, { state: "canceled", cancelSource: LIQUIDATION_RISK, uTime: now });
  const size = isOurs ? trade.size : least(trade.size, closable);
  const order: PaperOrder = {
    ...{
      ordId: idAt(now, cause, instId, side, String(state.orders.length)),
      clOrdId: "",
      instId,
      side,
      tdMode: "cross",
    },
    ...{ ordType: "market", px: "", sz: text(size), reduceOnly: !isOurs, algoId: "", algoClOrdId: "", source: "" },
    ...{ attached: [], ...fresh(now), category: CATEGORY[cause] },
  };
  state.orders.push(order);
  const best = side === "buy" ? touch.ask : touch.bid;
  const drift = isForced ? best.times(matching.impactBps).div(10_000) : big(0);
  const price = side === "buy" ? ceilTick(best.plus(drift), listing.tick) : floorTick(best.minus(drift), listing.tick);
  applyFill(state, listing, { order, size, price, execType: "T", feeRate: matching.fees.taker, cause, now });
  return order;
}
