import { big, type Decimal, text, ZERO } from "#units/decimal";
import type { StoredOrder } from "../orders/stored-order.ts";
import type { VenueOrder } from "../venue.ts";

/**
 * Returns the exposure to be covered, in signed contracts: the larger in magnitude of what the venue holds and of what the
 * fills say, booked or only confirmed by their orders. Where the two disagree about the side it is the venue's. It exists
 * from whichever shows it first. `venue` null = its positions could not be asked for.
 */
export function exposureOf(venue: Decimal | null, byFills: Decimal): Decimal {
  if (venue === null) return byFills;
  const [theirs, ours] = [big(venue), big(byFills)];
  if (theirs.eq(0)) return byFills;
  if (ours.eq(0) || theirs.gt(0) !== ours.gt(0)) return venue;
  return theirs.abs().gte(ours.abs()) ? venue : byFills;
}

/** Returns the signed contracts that the venue says an order has filled, and that are not booked yet. */
export function unbooked(order: Pick<StoredOrder, "filledSize">, found: VenueOrder | null): Decimal {
  if (found === null) return ZERO;
  const late = big(found.filledSize).minus(order.filledSize);
  if (late.lte(0)) return ZERO;
  return text(found.side === "buy" ? late : late.neg());
}
