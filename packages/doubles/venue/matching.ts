import { type Big, big, text, ZERO } from "#units/decimal";
import { applyFill, leverageOf, type PaperOrder, type PaperState, wealth } from "./account.ts";
import { type Book, ceilTick, floorTick, type Listing, type Touch } from "./book.ts";
import { SETTLED_IN } from "./ledger.ts";
import { priceLimit } from "./price-limit.ts";
import { PaperRefusal } from "./reply.ts";
import { tierOf } from "./tiers.ts";

export interface Fees {
  /** Fractions of notional: 0.0005 is 5 bps. */
  readonly taker: Big;
  readonly maker: Big;
}

export interface MatchingSettings {
  readonly fees: Fees;
  /** From the trigger of a stop to its order in the book. */
  readonly triggerLatencyMs: number;
  /** From a fill in its order's accFillSz to the same fill in trade/fills. */
  readonly fillLagMs: number;
  /** Slippage in bps of an order that takes all that is available; less in proportion. */
  readonly impactBps: number;
}

export interface Floor {
  readonly state: PaperState;
  readonly book: Book;
  readonly matching: MatchingSettings;
  /** What account/config says otherwise than by itself. */
  readonly pretended: Record<string, string>;
}

/** Returns how many contracts can be had before the average price passes the limit. */
function reachable(limit: Big, order: PaperOrder, touch: Touch, impactBps: number): Big {
  const { bid, ask, available } = touch;
  const room = order.side === "buy" ? limit.minus(ask).div(ask) : bid.minus(limit).div(bid);
  if (room.lt(0)) return big(0);
  const roomBps = room.times(10_000);
  return roomBps.gte(impactBps) ? available : available.times(roomBps).div(impactBps);
}

export const least = (...amounts: readonly Big[]): Big => amounts.reduce((a, b) => (b.lt(a) ? b : a));

/** Returns what the order may take at once, and its average price: worse with size, on the tick, within its limit. */
function taken(order: PaperOrder, listing: Listing, touch: Touch, impactBps: number): { size: Big; price: Big } {
  const buys = order.side === "buy";
  const best = buys ? touch.ask : touch.bid;
  const left = big(order.sz).minus(order.accFillSz);
  const limit = order.px === "" ? null : big(order.px);
  const most = limit ? reachable(limit, order, touch, impactBps) : touch.available;
  const size = floorTick(least(left, most, touch.available), listing.lot);
  const drift = best.times(impactBps).div(10_000).times(size).div(touch.available);
  const price = buys ? ceilTick(best.plus(drift), listing.tick) : floorTick(best.minus(drift), listing.tick);
  const past = limit && (buys ? price.gt(limit) : price.lt(limit));
  return { size, price: past ? limit : price };
}

/** Returns the signed contracts held. */
export const heldOf = (state: PaperState, instId: string): Big =>
  big(state.positions.find((position) => position.instId === instId)?.contracts ?? ZERO);

/**
 * @throws PaperRefusal 51008 when the margin after the order would exceed the cash without what is lost by now, 51004 when its tier does not take the
 * position at this leverage. Reducing orders need none.
 */
export function checkMargin(
  { state, book, matching }: Floor,
  order: PaperOrder,
  listing: Listing,
  touch: Touch,
  now: number,
): void {
  const held = heldOf(state, order.instId);
  const after = held.plus(order.side === "buy" ? order.sz : big(order.sz).times(-1));
  if (after.abs().lte(held.abs()) && (after.eq(0) || after.gt(0) === held.gt(0))) return;
  const { maxSize, maxLeverage } = tierOf(listing.tiers, after);
  if (after.abs().gt(maxSize) || big(leverageOf(state, order.instId)).gt(maxLeverage))
    throw new PaperRefusal("51004", `${text(after.abs())} contracts are too many at this leverage`);
  const price = order.side === "buy" ? touch.ask : touch.bid;
  const added = after.abs().minus(held.gt(0) === after.gt(0) ? held.abs() : 0);
  const notional = added.times(listing.contractSize).times(price);
  const { equity, unrealized, margin } = wealth(state, book, now);
  const needed = notional.div(leverageOf(state, order.instId)).plus(notional.times(matching.fees.taker));
  // What is lost and not realized is no margin, and what is won is none yet.
  if (margin.plus(needed).gt(unrealized.lt(0) ? equity : equity.minus(unrealized))) {
    throw new PaperRefusal("51008", "Order failed. Insufficient USDT margin in account");
  }
}

/** OKX's cancelSource of what an order that does not rest could not take. */
const REST_OF_TAKER = "14";
/** OKX's cancelSource of a post-only order that would have taken. */
const WOULD_TAKE = "31";

/** Enters an order and lets it take what `touch` has. */
export function enter(floor: Floor, order: PaperOrder, touch: Touch, now: number): void {
  floor.state.orders.push(order);
  take(floor, order, touch, now);
}

/** Lets an order take what `touch` has: a limit order may rest, a post-only one rests or is canceled, of any other the rest is canceled. */
export function take({ state, book, matching }: Floor, order: PaperOrder, touch: Touch, now: number): void {
  const listing = book.listings.get(order.instId) as Listing;
  const { size, price } = taken(order, listing, touch, matching.impactBps);
  if (order.ordType === "post_only") {
    if (size.gt(0)) Object.assign(order, { state: "canceled", cancelSource: WOULD_TAKE });
    return;
  }
  const whole = order.ordType !== "fok" || size.eq(order.sz);
  if (size.gt(0) && whole)
    applyFill(state, listing, { order, size, price, execType: "T", feeRate: matching.fees.taker, now });
  if (order.ordType !== "limit" && order.state !== "filled")
    Object.assign(order, { state: "canceled", cancelSource: REST_OF_TAKER });
}

/** @throws PaperRefusal 51202 for a market order above the most of one. */
export function checkMarketSize(order: PaperOrder, { maxMarket }: Listing): void {
  if (order.ordType === "market" && maxMarket !== null && maxMarket.lt(order.sz))
    throw new PaperRefusal("51202", `A market order is of at most ${maxMarket.toFixed()} contracts`);
}

/** @throws PaperRefusal 51022 when the instrument is suspended. */
export function checkListed({ book }: Floor, instId: string): void {
  if (book.rowOf(instId).state === "suspend") throw new PaperRefusal("51022", "Instrument suspended");
}

/** @throws PaperRefusal 51006 when the order's own price is outside the price limit. */
export function checkPriceLimit({ px, side }: PaperOrder, touch: Touch, listing: Listing): void {
  if (px === "") return;
  const { buy, sell } = priceLimit(touch, listing);
  if (side === "buy" ? big(px).gt(buy) : big(px).lt(sell))
    throw new PaperRefusal("51006", `Order price is not within the price limit: ${sell.toFixed()} to ${buy.toFixed()}`);
}

/** What a new order has not had yet. */
export const fresh = (now: number) => ({
  ...{ state: "live" as const, accFillSz: ZERO, filledValue: ZERO, fee: ZERO, pnl: ZERO, tradeId: "" },
  feeCcy: SETTLED_IN,
  ...{ category: "normal", amendSource: "", cancelSource: "" },
  ...{ cTime: now, uTime: now },
});
