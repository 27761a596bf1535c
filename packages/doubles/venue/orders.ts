import { type Big, big, parseDecimal, text, ZERO } from "#units/decimal";
import { applyFill, idAt, leverageOf, type PaperOrder, type PaperState, wealth } from "./account.ts";
import { type Book, ceilTick, floorTick, type Listing, type Touch } from "./book.ts";
import { PaperRefusal, type PaperRequest, required } from "./reply.ts";

export interface Fees {
  /** Fractions of notional: 0.0005 is 5 bps. */
  readonly taker: Big;
  readonly maker: Big;
}

export interface MatchingSettings {
  readonly fees: Fees;
  /** Slippage in bps of an order that takes all that is available; less in proportion. */
  readonly impactBps: number;
}

export interface Floor {
  readonly state: PaperState;
  readonly book: Book;
  readonly matching: MatchingSettings;
}

/** OKX forgets a canceled order without a fill after two hours, others after seven days. */
const UNFILLED_KEPT_MS = 2 * 3_600_000;
const CLOSED_KEPT_MS = 7 * 86_400_000;

export const isPending = (order: PaperOrder): boolean => order.state === "live" || order.state === "partially_filled";

const decimalField = (fields: Readonly<Record<string, unknown>>, name: string): Big => {
  const written = required(fields, name);
  if (!/^\d+(\.\d+)?$/.test(written) || big(parseDecimal(written)).lte(0))
    throw new PaperRefusal("51000", `Parameter ${name} error`);
  return big(parseDecimal(written));
};

/** Returns how many contracts can be had before the average price passes the limit. */
function reachable(limit: Big, order: PaperOrder, touch: Touch, impactBps: number): Big {
  const { bid, ask, available } = touch;
  const room = order.side === "buy" ? limit.minus(ask).div(ask) : bid.minus(limit).div(bid);
  if (room.lt(0)) return big(0);
  const roomBps = room.times(10_000);
  return roomBps.gte(impactBps) ? available : available.times(roomBps).div(impactBps);
}

const least = (...amounts: readonly Big[]): Big => amounts.reduce((a, b) => (b.lt(a) ? b : a));

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

const heldOf = (state: PaperState, instId: string): Big =>
  big(state.positions.find((position) => position.instId === instId)?.contracts ?? ZERO);

/** @throws PaperRefusal 51008 when the margin after the order would exceed the cash. Reducing orders need none. */
function checkMargin(
  { state, book, matching }: Floor,
  order: PaperOrder,
  listing: Listing,
  touch: Touch,
  now: number,
): void {
  const held = heldOf(state, order.instId);
  const after = held.plus(order.side === "buy" ? order.sz : big(order.sz).times(-1));
  if (after.abs().lte(held.abs()) && (after.eq(0) || after.gt(0) === held.gt(0))) return;
  const price = order.side === "buy" ? touch.ask : touch.bid;
  const added = after.abs().minus(held.gt(0) === after.gt(0) ? held.abs() : 0);
  const notional = added.times(listing.contractSize).times(price);
  const { equity, unrealized, margin } = wealth(state, book, now);
  const needed = notional.div(leverageOf(state, order.instId)).plus(notional.times(matching.fees.taker));
  if (margin.plus(needed).gt(equity.minus(unrealized))) {
    throw new PaperRefusal("51008", "Order failed. Insufficient USDT margin in account");
  }
}

/** How a swap may be margined. */
export const TRADE_MODES = /^(isolated|cross)$/;

// The words of a placement, each with the form that OKX takes.
const WORDS: readonly (readonly [name: string, form: RegExp, fallback?: string])[] = [
  ["side", /^(buy|sell)$/],
  ["ordType", /^(market|limit|ioc|fok|optimal_limit_ioc)$/],
  ["tdMode", TRADE_MODES],
  ["posSide", /^net$/, "net"],
  ["clOrdId", /^[A-Za-z0-9]{0,32}$/, ""],
];

/** @throws PaperRefusal 51000 naming the first field that is malformed, 51016 for an id that is still pending. */
function checkWords(state: PaperState, body: PaperRequest["body"]): void {
  for (const [name, form, fallback] of WORDS) {
    const value = fallback === undefined ? required(body, name) : String(body[name] ?? fallback);
    if (!form.test(value)) throw new PaperRefusal("51000", `Parameter ${name} error`);
  }
  const { clOrdId } = body;
  if (clOrdId && state.orders.some((order) => order.clOrdId === clOrdId && isPending(order))) {
    throw new PaperRefusal("51016", "Client order ID already exists.");
  }
}

/** Returns the contracts to trade: as asked, or what is left to reduce. @throws PaperRefusal 51000, 51020, 51121, 51169. */
function sizeOf(state: PaperState, body: PaperRequest["body"], listing: Listing): Big {
  const size = decimalField(body, "sz");
  if (size.lt(listing.min)) throw new PaperRefusal("51020", "The order is below the minimum order amount.");
  if (!size.mod(listing.lot).eq(0))
    throw new PaperRefusal("51121", "Order quantity must be a multiple of the lot size.");
  if (String(body.reduceOnly) !== "true") return size;
  const closable = heldOf(state, listing.id).times(body.side === "sell" ? 1 : -1);
  if (closable.lte(0))
    throw new PaperRefusal("51169", "Order failed: you have no position in this direction to reduce.");
  return least(size, closable);
}

/** Returns the order that a placement asks for, checked as OKX checks it. @throws PaperRefusal with OKX's code. */
function orderOf({ state, book }: Floor, { body, now }: PaperRequest): PaperOrder {
  const listing = book.listings.get(required(body, "instId"));
  if (!listing) throw new PaperRefusal("51001", "Instrument ID does not exist");
  checkWords(state, body);
  const [ordType, tdMode, clOrdId] = [String(body.ordType), String(body.tdMode), String(body.clOrdId ?? "")];
  const side = body.side === "buy" ? "buy" : "sell";
  const size = sizeOf(state, body, listing);
  const px = ordType === "limit" || ordType === "ioc" || ordType === "fok" ? decimalField(body, "px") : null;
  if (px && !px.mod(listing.tick).eq(0)) throw new PaperRefusal("51000", "Parameter px error");
  const nth = state.orders.filter((order) => order.clOrdId === clOrdId).length;
  return {
    ordId: idAt(now, "order", listing.id, clOrdId, String(nth)),
    ...{ clOrdId, instId: listing.id, side, ordType, tdMode, sz: text(size), px: px ? text(px) : "" },
    reduceOnly: String(body.reduceOnly) === "true",
    ...{ state: "live", accFillSz: ZERO, filledValue: ZERO, fee: ZERO, pnl: ZERO, tradeId: "", cTime: now, uTime: now },
  };
}

/**
 * Places an order: a market, IOC or FOK order fills at once or is canceled, a limit order may rest.
 * @throws PaperRefusal with OKX's code: 50037 past its deadline, 51016, 51020, 51121, 51169, 51008, 51006 without a price.
 */
export function place(floor: Floor, request: PaperRequest): PaperOrder {
  const { state, book, matching } = floor;
  const { now } = request;
  if (request.expiresMs !== null && now > request.expiresMs) throw new PaperRefusal("50037", "The order has expired.");
  const order = orderOf(floor, request);
  const listing = book.listings.get(order.instId) as Listing;
  const touch = book.touch(order.instId, now);
  if (!touch)
    throw new PaperRefusal("51006", "Order price is not within the price limit: the instrument has no price now.");
  checkMargin(floor, order, listing, touch, now);
  state.orders.push(order);
  const { size, price } = taken(order, listing, touch, matching.impactBps);
  const whole = order.ordType !== "fok" || size.eq(order.sz);
  if (size.gt(0) && whole)
    applyFill(state, listing, { order, size, price, execType: "T", feeRate: matching.fees.taker, now });
  if (order.ordType !== "limit" && order.state !== "filled") order.state = "canceled";
  return order;
}

/** Fills resting orders that the market has reached, at their limit. Called with the clock of each request. */
export function sweep({ state, book, matching }: Floor, now: number): void {
  for (const order of state.orders) {
    if (!isPending(order)) continue;
    const touch = book.touch(order.instId, now);
    const reached = touch && (order.side === "buy" ? touch.ask.lte(order.px) : touch.bid.gte(order.px));
    if (!reached) continue;
    const left = big(order.sz).minus(order.accFillSz);
    const size = left.lt(touch.available) ? left : touch.available;
    const listing = book.listings.get(order.instId) as Listing;
    applyFill(state, listing, {
      order,
      size,
      price: big(parseDecimal(order.px)),
      execType: "M",
      feeRate: matching.fees.maker,
      now,
    });
  }
}

/** Returns the newest order of an id; null when there is none, or when OKX would have forgotten it. */
function found({ state }: Floor, fields: Readonly<Record<string, unknown>>, now: number): PaperOrder | null {
  const instId = required(fields, "instId");
  const { ordId, clOrdId } = fields;
  if (!ordId && !clOrdId) throw new PaperRefusal("51000", "Either parameter ordId or clOrdId is required");
  const order = state.orders.findLast(
    (o) => o.instId === instId && (ordId ? o.ordId === ordId : o.clOrdId === clOrdId),
  );
  const kept = order && order.accFillSz === "0" ? UNFILLED_KEPT_MS : CLOSED_KEPT_MS;
  return !order || (!isPending(order) && now - order.uTime > kept) ? null : order;
}

/** Returns the newest order of an id. @throws PaperRefusal 51603 when there is none, or when OKX would have forgotten it. */
export function find(floor: Floor, fields: Readonly<Record<string, unknown>>, now: number): PaperOrder {
  const order = found(floor, fields, now);
  if (order === null) throw new PaperRefusal("51603", "Order does not exist");
  return order;
}

/** Cancels a pending order. @throws PaperRefusal 51400 when it is filled, canceled or unknown: OKX does not say which. */
export function cancel(floor: Floor, request: PaperRequest): PaperOrder {
  const order = found(floor, request.body, request.now);
  if (order === null || !isPending(order))
    throw new PaperRefusal("51400", "Cancellation failed as the order has been filled, canceled or does not exist.");
  order.state = "canceled";
  order.uTime = request.now;
  return order;
}
