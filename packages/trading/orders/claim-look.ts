import { big, type Decimal, text } from "#units/decimal";
import { type Instant, millis } from "#units/time";
import { isCrossed } from "../crossed.ts";
import { type Policy, SWEEP_SECONDS } from "../plans/policy.ts";
import { quoteAge } from "../quote-age.ts";
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
  /** The most contracts of one market order; null = no bound is known. */
  readonly most?: Decimal | null;
}

/** The limits of a claim. */
export type ClaimLimits = Pick<Policy, "decisionTtlSeconds" | "maxQuoteAgeSeconds" | "maxQuoteAheadSeconds">;

type Order = Pick<StoredOrder, "type" | "side" | "size" | "price" | "reduceOnly" | "stopLoss" | "decidedAt">;

/** Returns whether an approved order has waited too long. */
const isTooOld = (
  { decidedAt }: Pick<Order, "decidedAt">,
  now: Instant,
  { decisionTtlSeconds: ttl }: Pick<Policy, "decisionTtlSeconds">,
): boolean => millis(now) - millis(decidedAt) > ttl * 1000;

/** Returns why an approved order must not be sent any more as things are; null when it may. The first reason counts. */
export function objectionOf(order: Order, look: ClaimLook, limits: ClaimLimits): string | null {
  const age = Math.round((millis(look.now) - millis(order.decidedAt)) / 1000);
  // What was set before is decided by its price, not by when.
  if (!isOfPosition(order) && isTooOld(order, look.now, limits)) return `stale: decided ${age} s ago`;
  if (order.reduceOnly)
    return look.held !== null && sizeNow(order, look.held) === null ? "nothing is held to reduce" : null;
  return look.quote === null
    ? null
    : (quoteFault(look.quote, look.now, limits) ??
        moveFault(order, look.quote.mark, look.decidedMark) ??
        limitFault(order, look.priceLimit));
}

/** Returns why the venue would refuse the order's price; null when it would not, or the order names none. */
function limitFault({ side, price }: Order, limit: PriceLimit | null): string | null {
  if (price === null || limit === null) return null;
  const isOutside = side === "buy" ? big(price).gt(limit.buy) : big(price).lt(limit.sell);
  return isOutside ? `its price ${price} is outside the venue's limit, ${limit.sell} to ${limit.buy}` : null;
}

function quoteFault(
  { bid, ask, mark, at }: NonNullable<ClaimLook["quote"]>,
  now: Instant,
  { maxQuoteAgeSeconds, maxQuoteAheadSeconds }: ClaimLimits,
): string | null {
  const { old, ahead } = quoteAge({ at }, now);
  if (old > maxQuoteAgeSeconds) return `the quote is ${Math.round(old)} s old`;
  if (ahead > maxQuoteAheadSeconds) return `the quote is ${Math.round(ahead)} s in the future`;
  if (big(bid).lte(0) || big(ask).lte(0)) return `a side of the book has no price: ${bid} bid, ${ask} asked`;
  if (isCrossed({ bid, ask })) return `the quote is crossed: ${bid} bid, ${ask} asked`;
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
 * Returns the contracts that a reduce-only order is sent with, given what the venue holds: a stop all of it, up to the `most` of
 * one market order, any other what was decided and no more than there is. Null = there is nothing to reduce in its direction.
 */
export function sizeNow(
  { type, side, size }: Pick<Order, "type" | "side" | "size">,
  held: Decimal,
  most: Decimal | null = null,
): Decimal | null {
  const closable = side === "sell" ? big(held) : big(held).neg();
  if (closable.lte(0)) return null;
  if (type === "stop") return most !== null && closable.gt(most) ? most : text(closable);
  return closable.lt(size) ? text(closable) : size;
}

/**
 * Returns what to do about an order that is approved and was not claimed by `at`. A stop or take-profit is sent by who
 * watches it, for as long as its price is reached: an old one has nothing left to close, or is written anew.
 */
export function sweepOf(
  { type, decidedAt }: Pick<Order, "type" | "decidedAt">,
  at: Instant,
  limits: Pick<Policy, "unsentSeconds" | "decisionTtlSeconds">,
): "wait" | "resend" | "void" {
  if (isTooOld({ decidedAt }, at, limits)) return "void";
  const unsent = (millis(at) - millis(decidedAt)) / 1000 - limits.unsentSeconds;
  // The next run is not to send it again.
  return !isOfPosition({ type }) && unsent >= 0 && unsent < SWEEP_SECONDS ? "resend" : "wait";
}
