import * as z from "zod";
import { big, type Decimal, text, ZERO } from "#units/decimal";
import { Instant, millis } from "#units/time";
import type { totalOf } from "../positions/fill.ts";
import { adoptionOf } from "../positions/reconcile.ts";
import type { VenueOrder } from "../venue.ts";
import { AT_VENUE, isLate, type OrderEvent, type OrderStatus, transition } from "./order.ts";
import { GRACE_MS, type Look, type Patience, resolve } from "./resolve.ts";
import type { Move, OrderChange, StoredOrder } from "./stored-order.ts";

/** The answer of one look-up by client order id; a failed query is no answer, and never an empty one. */
export interface LookedUp {
  readonly order: StoredOrder;
  readonly outcome: Look["outcome"];
  readonly found: VenueOrder | null;
  /** The venue's clock when it was asked. */
  readonly now: Instant;
}

/** What the books say of one order when it is settled, fills booked before. */
export interface OrderBooks {
  readonly order: StoredOrder;
  /** Of all its booked fills; null without any. */
  readonly filled: ReturnType<typeof totalOf> | null;
  /** Whether any of them was new. */
  readonly isFresh: boolean;
  /** The looks that it has had, oldest first; read only for an order whose submission may be lost. */
  readonly looks: readonly Look[];
}

/** One step of an order's life that is to be made. */
export interface Step extends Pick<Move, "change" | "detail"> {
  readonly event: OrderEvent;
}

export interface Settlement {
  /** To be made in this order; one that fails, since someone else moved the order, ends them. */
  readonly steps: readonly Step[];
  /** Whether a fill came on a dead order, or beyond its size. */
  readonly impossible: boolean;
}

const LookDetail = z.object({ looked_at: Instant, outcome: z.enum(["found", "missing", "failed"]) });

/** Returns the look that the detail of a `looked_up` event keeps. @throws ZodError when it keeps none. */
export function lookOf(detail: unknown): Look {
  const { looked_at: at, outcome } = LookDetail.parse(detail);
  return { at, outcome };
}

/** Statuses whose looks count: an order that nobody acknowledged and that the unknown rule is for. */
export const LOOKED_FOR: readonly OrderStatus[] = ["submitting", "unknown"];

/** OKX keeps unfilled canceled orders for two hours; an open order that it does not know after that is gone. */
const FORGOTTEN_MS = 2 * 3_600_000;

/** An order as far as the steps so far have brought it. */
type Current = Pick<StoredOrder, "status" | "filledSize" | "venueOrderId">;

const after = (current: Current, { event, change }: Step): Current => ({
  status: transition(current.status, event),
  filledSize: change?.filledSize ?? current.filledSize,
  venueOrderId: change?.exchangeOrderId ?? current.venueOrderId,
});

/**
 * Returns the steps that move an order to what its booked fills and the venue's word say, and whether a fill was impossible.
 * `answer` is null for an order that was not looked up. One that the venue did not show goes through the unknown rule. A
 * fill of an order that was never sent moves nothing: no status would be true.
 */
export function settleOrder(books: OrderBooks, answer: LookedUp | null, patience: Patience): Settlement {
  const { order, filled, isFresh } = books;
  const isMovable = AT_VENUE.includes(order.status);
  const excess = filled !== null && big(filled.size).gt(order.size) && order.status !== "filled";
  const dead = isFresh && !isMovable && order.status !== "filled";
  const adopted = isMovable || isLate(order.status) ? adoption(books, answer?.found ?? null) : [];
  const current = adopted.reduce(after, order);
  const unseen = answer !== null && answer.found === null ? absence(books, current, answer, patience) : [];
  return { steps: [...adopted, ...unseen], impossible: excess || dead };
}

/** Returns the steps that one order's booked fills and the venue's word make, until nothing more moves. */
function adoption({ order, filled }: OrderBooks, found: VenueOrder | null): Step[] {
  const booked: Decimal = filled?.size ?? ZERO;
  const most = big(booked).gt(order.size) ? order.size : booked;
  const steps: Step[] = [];
  let current: Current = order;
  for (;;) {
    const facts = { status: current.status, size: order.size, bookedBefore: current.filledSize };
    const event = adoptionOf(facts, most, found);
    if (event === null) return steps;
    const isFill = event === "filled" || event === "partly_filled";
    const change: OrderChange = {
      ...(isFill && filled ? { filledSize: most, avgFillPrice: filled.price, fees: filled.fees.usd } : {}),
      ...(found && current.venueOrderId === null ? { exchangeOrderId: found.venueOrderId } : {}),
    };
    const unvalued = Object.keys(filled?.fees.unvalued ?? {}).length > 0;
    const detail = {
      ...(isFill && filled && unvalued ? { fee_unvalued: { ...filled.fees.unvalued } } : {}),
      ...(isFill && isLate(current.status) ? { alarm: "late fill" } : {}),
      ...(event === "filled" && big(most).lt(order.size) ? { placed: text(most), asked: order.size } : {}),
    };
    const step: Step = { event, change, detail };
    steps.push(step);
    current = after(current, step);
  }
}

/** Returns the steps of an order that the venue did not show, by the unknown rule. */
function absence({ order, looks }: OrderBooks, from: Current, { outcome, now }: LookedUp, patience: Patience): Step[] {
  const { expiresAt } = order;
  const passed = (ms: number) => expiresAt !== null && millis(now) > millis(expiresAt) + ms;
  if (from.status === "open" && outcome === "missing" && passed(FORGOTTEN_MS)) return [{ event: "expired" }];
  // Its submitter may still be at work until the deadline has passed.
  if (from.status === "submitting" && expiresAt !== null && !passed(GRACE_MS)) return [];
  if (!LOOKED_FOR.includes(from.status)) return [];
  const steps: Step[] = from.status === "submitting" ? [{ event: "lost" }] : [];
  const known = { expiresAt, now, hasFill: big(from.filledSize).gt(0) };
  let seen = looks;
  if (resolve({ ...known, looks }, patience) === "look") {
    steps.push({ event: "looked_up", detail: { outcome, looked_at: now } });
    seen = [...looks, { at: now, outcome }];
  }
  const verdict = resolve({ ...known, looks: seen }, patience);
  if (verdict === "expire") steps.push({ event: "expired" });
  if (verdict === "quarantine") steps.push({ event: "quarantined" });
  return steps;
}
