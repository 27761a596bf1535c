import { big } from "#units/decimal";
import type { Quote } from "./venue.ts";

/**
 * Returns whether the best bid stands at the best ask or above it. A book that matches shows no such thing: one of the two is old,
 * so nothing is opened by it. A side without a price is another fault, and crosses nothing.
 */
export const isCrossed = ({ bid, ask }: Pick<Quote, "bid" | "ask">): boolean =>
  big(bid).gt(0) && big(ask).gt(0) && big(bid).gte(ask);
