import { big, type Decimal, text } from "#units/decimal";
import { type Instant, millis } from "#units/time";
import type { PriceLimit, Quote } from "../venue.ts";
import { isOfPosition, type StoredOrder } from "./stored-order.ts";

/** What is looked at once more before an approved order is claimed. */
export interface ClaimLook {
  /** The venue's clock. */
  readonly now: Instant;
  /** Asked for an order that opens or adds; null for one that only reduces. */
  readonly quote: Pick<Quote, "bid" | "ask" | "mark" | "at"> | null;
  /** Asked beside the quote; null = the venue has none. */
  readonly priceLimit: PriceLimit | null;
  /** The mark that it was decided by; null = it is not known. */
  readonly decidedMark: Decimal | null;
  /** Signed contracts that the venue holds of the instrument; null = not asked, since the order opens or adds. */
  readonly held: Decimal | null;
}

/** An order that nobody claimed by then is not sent any more: a later plan decides afresh. */
export const DECISION_TTL_MS = 120_000;
const QUOTE_AGE_MS = 10_000;
/** The venue's two clocks may differ by so much. */
const QUOTE_AHEAD_MS = 2_000;

type Order = Pick<StoredOrder, "type" | "side" | "size" | "price" | "reduceOnly" | "stopLoss" | "decidedAt">;

/** Returns whether an approved order has waited too long to be sent. What was set before is decided by its price, not by when. */
export const isTooOld = ({ type, decidedAt }: Pick<Order, "type" | "decidedAt">, now: Instant): boolean =>
  !isOfPosition({ type }) && millis(now) - millis(decidedAt) > DECISION_TTL_MS;

/** Returns why an approved order must not be sent any more as things are; null when it may. The first reason counts. */
export function objectionOf(order: Order, look: ClaimLook): string | null {
  const age = Math.round((millis(look.now) - millis(order.decidedAt)) / 1000);
  if (isTooOld(order, look.now)) return `stale: decided ${age} s ago`;
  if (order.reduceOnly)
    return look.held !== null && sizeNow(order, look.held) === null ? "nothing is held to reduce" : null;
  return look.quote === null
    ? null
    : (quoteFault(look.quote, look.now) ??
        moveFault(order, look.quote.mark, look.decidedMark) ??
        limitFault(order, look.priceLimit));
}

/** Returns why the venue would refuse the order's price; null when it would not, or the order names none. */
function limitFault({ side, price }: Order, limit: PriceLimit | null): string | null {
  if (price === null || limit === null) return null;
  const isOutside = side === "buy" ? big(price).gt(limit.buy) : big(price).lt(limit.sell);
  return isOutside ? `its price ${price} is outside the venue's limit, ${limit.sell} to ${limit.buy}` : null;
}

function quoteFault({ bid, ask, mark, at }: NonNullable<ClaimLook["quote"]>, now: Instant): string | null {
  const age = millis(now) - millis(at);
  if (age > QUOTE_AGE_MS) return `the quote is ${Math.round(age / 1000)} s old`;
  if (age < -QUOTE_AHEAD_MS) return `the quote is ${Math.round(-age / 1000)} s in the future`;
  if (big(bid).gte(ask)) return `the quote is crossed: ${bid} bid, ${ask} asked`;
  return big(mark).lte(0) ? `the mark is ${mark}` : null;
}

/** Returns why the market has gone too far from the decision; null when it has not. */
function moveFault({ side, stopLoss }: Order, mark: Decimal, decided: Decimal | null): string | null {
  if (stopLoss === null) return null;
  const isBeyond = side === "buy" ? big(mark).lte(stopLoss) : big(mark).gte(stopLoss);
  if (isBeyond) return `the mark ${mark} is beyond the stop ${stopLoss}`;
  if (decided === null) return null;
  const [moved, distance] = [big(mark).minus(decided).abs(), big(decided).minus(stopLoss).abs()];
  return moved.gt(distance.div(2)) ? `the mark moved from ${decided} to ${mark}, over half the way to the stop` : null;
}

/**
 * Returns the contracts that a reduce-only order is sent with, given what the venue holds: a stop all of it, any other what
 * was decided and no more than there is. Null = there is nothing to reduce in its direction.
 */
export function sizeNow({ type, side, size }: Pick<Order, "type" | "side" | "size">, held: Decimal): Decimal | null {
  const closable = side === "sell" ? big(held) : big(held).neg();
  if (closable.lte(0)) return null;
  return type === "stop" || closable.lt(size) ? text(closable) : size;
}

/** An approved order that nobody claimed for so long has lost its message: it is sent once more. */
const UNSENT_MS = 30_000;
/** Runs are a minute apart: within this after it the next one is not to send it again. */
const RUN_MS = 60_000;

/** Returns what to do about an order that is approved and was not claimed by `at`. A stop or take-profit is sent by who watches it. */
export function sweepOf(
  { type, decidedAt }: Pick<Order, "type" | "decidedAt">,
  at: Instant,
): "wait" | "resend" | "void" {
  if (isTooOld({ type, decidedAt }, at)) return "void";
  const age = millis(at) - millis(decidedAt);
  return !isOfPosition({ type }) && age >= UNSENT_MS && age < UNSENT_MS + RUN_MS ? "resend" : "wait";
}
