import { type Instant, millis } from "#units/time";
import type { Policy } from "../plans/policy.ts";
import type { OrderStatus } from "./order.ts";

/** What one query by client order id said. `failed` = no answer, which is no evidence. */
export interface Look {
  readonly at: Instant;
  readonly outcome: "found" | "missing" | "failed";
}

export interface UnknownOrder {
  /** Stored at the claim: the venue takes nothing after it. Null = the order was never claimed properly. */
  readonly expiresAt: Instant | null;
  readonly now: Instant;
  /** Looks so far, in any order. */
  readonly looks: readonly Look[];
  /** True when any fill of the order is booked. */
  readonly hasFill: boolean;
}

/** How long an order of which the venue says nothing is looked for. */
export type Patience = Pick<Policy, "quarantineSeconds">;

/** Kept apart from the policy: these are properties of the venue, not of the desk. */
export const GRACE_MS = 2_000;
const LOOKS_NEEDED = 3;
/** Looks nearer to each other than this are one. */
export const LOOK_SPACING_MS = 1_000;

/**
 * The unknown rule: what to do next with an order whose submission had no usable reply. `look` = query now; `wait` = not
 * yet. Found (or filled) is adopted. Expired needs three looks that say "missing", spaced, each after the deadline and
 * its grace: before that the request may still be on its way. A look that failed proves nothing; when no
 * answer comes for as long as the policy says a person has to decide.
 */
export function resolve(
  order: UnknownOrder,
  { quarantineSeconds }: Patience,
): "wait" | "look" | "adopt" | "expire" | "quarantine" {
  if (order.hasFill || order.looks.some((look) => look.outcome === "found")) return "adopt";
  if (order.expiresAt === null) return "quarantine";
  const open = millis(order.expiresAt) + GRACE_MS;
  const now = millis(order.now);
  const missing = order.looks
    .filter((look) => look.outcome === "missing" && millis(look.at) > open)
    .map((look) => millis(look.at))
    .sort((a, b) => a - b);
  let counted = 0;
  let last = Number.NEGATIVE_INFINITY;
  for (const at of missing) {
    if (at - last < LOOK_SPACING_MS) continue;
    counted += 1;
    last = at;
  }
  if (counted >= LOOKS_NEEDED) return "expire";
  if (now > open + quarantineSeconds * 1000) return "quarantine";
  return now > open && now - last >= LOOK_SPACING_MS ? "look" : "wait";
}

/** Returns whether an unknown order's absence proves something by `now`, so that it is worth another look. */
export const awaitsLook = (
  { status, expiresAt }: { readonly status: OrderStatus; readonly expiresAt: Instant | null },
  now: Instant,
): boolean => status === "unknown" && expiresAt !== null && millis(now) > millis(expiresAt) + GRACE_MS;
