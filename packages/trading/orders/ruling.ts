import * as z from "zod";
import { big } from "#units/decimal";
import { type Instant, millis } from "#units/time";
import { IN_DOUBT, isClosed, type OrderEvent } from "./order.ts";
import { GRACE_MS } from "./resolve.ts";
import type { StoredOrder } from "./stored-order.ts";

/** What a person found at the venue when they looked an order in doubt up by its client order id. */
export const Ruling = z.enum(["found", "not-there"]);
export type Ruling = z.infer<typeof Ruling>;

/** What a ruling is to the order. */
export const RULED: Readonly<Record<Ruling, OrderEvent>> = { found: "accepted", "not-there": "expired" };

/**
 * Returns the event that a person's ruling makes of an order at `now`, or why there is nothing to rule. `found` opens it:
 * the reconciler looks it up each minute and takes what the venue shows. `not-there` ends it, and its instrument and the
 * risk that it reserved are free again; a fill that comes all the same is booked, and is an alarm. Until its deadline has
 * passed the order may still arrive, so that nobody can say that it is not there.
 */
export function rulingOf(
  order: Pick<StoredOrder, "status" | "filledSize" | "expiresAt">,
  ruling: Ruling,
  now: Instant,
): { readonly event: OrderEvent } | { readonly refused: string } {
  const { status, filledSize, expiresAt } = order;
  if (status === "proposed" || status === "approved")
    return { refused: `the order is ${status}: it was never sent, so the venue cannot have it` };
  if (isClosed(status)) return { refused: `the order is ${status}: there is nothing to decide` };
  if (!IN_DOUBT.includes(status))
    return { refused: `the order is ${status}: the reconciler looks it up each minute by itself` };
  if (ruling === "found") return { event: RULED.found };
  if (big(filledSize).gt(0)) return { refused: `${filledSize} contracts of it are booked as filled: it was there` };
  if (expiresAt !== null && millis(now) <= millis(expiresAt) + GRACE_MS)
    return { refused: `the venue may take it until ${expiresAt}: look again after that` };
  return { event: RULED["not-there"] };
}
