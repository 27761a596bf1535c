import { type Big, text } from "#units/decimal";
import { idAt, type PaperOrder, type PaperState } from "./account.ts";
import { attachedOf } from "./attached.ts";
import type { Listing } from "./book.ts";
import {
  checkListed,
  checkMargin,
  checkMarketSize,
  checkPriceLimit,
  enter,
  type Floor,
  fresh,
  heldOf,
  least,
} from "./matching.ts";
import { PaperRefusal, type PaperRequest, positive, required } from "./reply.ts";

/** OKX forgets a canceled order without a fill after two hours, others after seven days. */
const UNFILLED_KEPT_MS = 2 * 3_600_000;
const CLOSED_KEPT_MS = 7 * 86_400_000;

export const isPending = (order: PaperOrder): boolean => order.state === "live" || order.state === "partially_filled";

/** The types of order that have a price of their own. */
const PRICED: readonly string[] = ["limit", "post_only", "ioc", "fok"];

/** How a swap may be margined. */
export const TRADE_MODES = /^(isolated|cross)$/;

// The words of a placement, each with the form that OKX takes.
const WORDS: readonly (readonly [name: string, form: RegExp, fallback?: string])[] = [
  ["side", /^(buy|sell)$/],
  ["ordType", /^(market|limit|post_only|ioc|fok|optimal_limit_ioc)$/],
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

/** OKX's amendSource of a reduce-only order that the position made smaller. */
const CLIPPED = "3";

/** Returns `size`. @throws PaperRefusal 51020 below the least size, 51121 off the lot. */
export function checkLot(size: Big, listing: Listing): Big {
  if (size.lt(listing.min)) throw new PaperRefusal("51020", "The order is below the minimum order amount.");
  if (!size.mod(listing.lot).eq(0))
    throw new PaperRefusal("51121", "Order quantity must be a multiple of the lot size.");
  return size;
}

/** What a request closes: what it names, or all that is held, however little. */
type Reach = "size" | "whole";

/** Returns the contracts to trade: as asked, or what is left to reduce. @throws PaperRefusal 51000, 51020, 51121, 51169. */
function sizeOf(state: PaperState, body: PaperRequest["body"], listing: Listing, reach: Reach): Big {
  const asked = positive(body, "sz");
  const size = reach === "whole" ? asked : checkLot(asked, listing);
  if (String(body.reduceOnly) !== "true") return size;
  const closable = heldOf(state, listing.id).times(body.side === "sell" ? 1 : -1);
  if (closable.lte(0))
    throw new PaperRefusal("51169", "Order failed: you have no position in this direction to reduce.");
  return least(size, closable);
}

/** Returns the order that a placement asks for, checked as OKX checks it. @throws PaperRefusal with OKX's code. */
function orderOf({ state, book }: Floor, { body, now }: PaperRequest, reach: Reach): PaperOrder {
  const listing = book.listings.get(required(body, "instId"));
  if (!listing) throw new PaperRefusal("51001", "Instrument ID does not exist");
  checkWords(state, body);
  const [ordType, tdMode, clOrdId] = [String(body.ordType), String(body.tdMode), String(body.clOrdId ?? "")];
  const side = body.side === "buy" ? "buy" : "sell";
  const size = sizeOf(state, body, listing, reach);
  const px = PRICED.includes(ordType) ? positive(body, "px") : null;
  if (px && !px.mod(listing.tick).eq(0)) throw new PaperRefusal("51000", "Parameter px error");
  const nth = state.orders.filter((order) => order.clOrdId === clOrdId).length;
  return {
    ordId: idAt(now, "order", listing.id, clOrdId, String(nth)),
    ...{ clOrdId, instId: listing.id, side, ordType, tdMode, sz: text(size), px: px ? text(px) : "" },
    reduceOnly: String(body.reduceOnly) === "true",
    ...{ algoId: "", algoClOrdId: "", source: "", attached: [], ...fresh(now) },
    amendSource: size.lt(String(body.sz)) ? CLIPPED : "",
  };
}

/**
 * Places an order: a market, IOC or FOK order fills at once or is canceled, a limit order may rest, a post-only one does or is
 * canceled.
 * @throws PaperRefusal with OKX's code: 50037 past its deadline, 51016, 51020, 51121, 51169, 51202, 51022, 51008, 51006
 * without a price or outside the price limit, 51100 and 51046 to 51053 for what is attached.
 */
export function place(floor: Floor, request: PaperRequest, reach: Reach = "size"): PaperOrder {
  const { book } = floor;
  const { now } = request;
  if (request.expiresMs !== null && now > request.expiresMs) throw new PaperRefusal("50037", "The order has expired.");
  const order = orderOf(floor, request, reach);
  const listing = book.listings.get(order.instId) as Listing;
  checkListed(floor, order.instId);
  const touch = book.touch(order.instId, now);
  if (!touch)
    throw new PaperRefusal("51006", "Order price is not within the price limit: the instrument has no price now.");
  checkMarketSize(order, listing);
  checkPriceLimit(order, touch, listing);
  checkMargin(floor, order, listing, touch, now);
  order.attached = attachedOf(floor, request.body, order, listing, touch);
  enter(floor, order, touch, now);
  return order;
}

/** Returns the newest order of an id; null when there is none, or when OKX would have forgotten it. */
export function found({ state }: Floor, fields: Readonly<Record<string, unknown>>, now: number): PaperOrder | null {
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
