import { big, text } from "#units/decimal";
import type { PaperOrder } from "./account.ts";
import type { Listing } from "./book.ts";
import { checkListed, checkMargin, checkPriceLimit, type Floor, take } from "./matching.ts";
import { checkLot, found, isPending } from "./orders.ts";
import { PaperRefusal, type PaperRequest, positive } from "./reply.ts";

/** OKX's amendSource of what its owner changed. */
const BY_OWNER = "1";

/**
 * Changes size or price of a pending order, which may then take at once. A size that is filled already ends it.
 * @throws PaperRefusal 51503 when it is filled, canceled or unknown, 51500 when nothing is asked, 51000, 51020, 51121 and 51006
 * as a placement, 51008 and 51004 when the margin does not do for what is left of it.
 */
export function amend(floor: Floor, { body, now }: PaperRequest): PaperOrder {
  const order = found(floor, body, now);
  if (order === null || !isPending(order))
    throw new PaperRefusal("51503", "Modification failed as the order has been filled, canceled or does not exist.");
  if (!body.newSz && !body.newPx) throw new PaperRefusal("51500", "Either newSz or newPx is required");
  const listing = floor.book.listings.get(order.instId) as Listing;
  const size = body.newSz ? checkLot(positive(body, "newSz"), listing) : big(order.sz);
  if (size.lt(order.accFillSz)) throw new PaperRefusal("51000", "Parameter newSz error: more is filled");
  const px = body.newPx ? positive(body, "newPx") : big(order.px === "" ? 0 : order.px);
  if (!px.mod(listing.tick).eq(0)) throw new PaperRefusal("51000", "Parameter newPx error");
  checkListed(floor, order.instId);
  const touch = floor.book.touch(order.instId, now);
  if (!touch) throw new PaperRefusal("51006", "The instrument has no price now.");
  const asked = { sz: text(size), px: text(px) };
  checkPriceLimit({ ...order, ...asked }, touch, listing);
  const left = size.minus(order.accFillSz);
  checkMargin(floor, { ...order, sz: text(left) }, listing, touch, now);
  Object.assign(order, { ...asked, amendSource: BY_OWNER, uTime: now });
  if (left.eq(0)) order.state = "filled";
  else take(floor, order, touch, now);
  return order;
}
