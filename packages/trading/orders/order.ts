import * as z from "zod";

/** Every status of an order, in the order of a quiet life. The seed's `pending` is `proposed`. */
export const OrderStatus = z.enum([
  "proposed",
  "denied",
  "approved",
  "submitting",
  "unknown",
  "open",
  "partially_filled",
  "filled",
  "canceled",
  "rejected",
  "expired",
  "quarantined",
]);
export type OrderStatus = z.infer<typeof OrderStatus>;

/** What can happen to an order. `voided` = a newer control epoch or state forbids it at claim; `lost` = no usable reply. */
export const ORDER_EVENTS = [
  "denied",
  "approved",
  "voided",
  "claimed",
  "accepted",
  "rejected",
  "expired",
  "lost",
  "looked_up",
  "partly_filled",
  "filled",
  "canceled",
  "quarantined",
] as const;
export type OrderEvent = (typeof ORDER_EVENTS)[number];

type Row = Readonly<Record<OrderEvent, OrderStatus | null>>;

const NOTHING: Row = {
  denied: null,
  approved: null,
  voided: null,
  claimed: null,
  accepted: null,
  rejected: null,
  expired: null,
  lost: null,
  looked_up: null,
  partly_filled: null,
  filled: null,
  canceled: null,
  quarantined: null,
};

/** Where a dead order goes when the venue proves that it lived: the fill is booked, and it is an alarm. */
const LATE = { filled: "filled" } as const;

/**
 * The whole life cycle: for each status and each event the next status, null where the move is a bug.
 * The rows that look odd are real races, and each says which.
 */
export const TRANSITIONS: Readonly<Record<OrderStatus, Row>> = {
  proposed: { ...NOTHING, denied: "denied", approved: "approved", voided: "canceled" },
  denied: NOTHING,
  approved: { ...NOTHING, claimed: "submitting", voided: "canceled" },
  // The reconciler may see the order or its fills before the reply is written, or after the reply was lost. Voided: the
  // kill switch moved between claim and POST, and the claim's owner knows that it sent nothing.
  submitting: {
    ...NOTHING,
    voided: "canceled",
    accepted: "open",
    rejected: "rejected",
    expired: "expired",
    lost: "unknown",
    partly_filled: "partially_filled",
    filled: "filled",
    canceled: "canceled",
  },
  unknown: {
    ...NOTHING,
    looked_up: "unknown",
    accepted: "open",
    expired: "expired",
    partly_filled: "partially_filled",
    filled: "filled",
    canceled: "canceled",
    quarantined: "quarantined",
  },
  open: { ...NOTHING, partly_filled: "partially_filled", filled: "filled", canceled: "canceled", expired: "expired" },
  partially_filled: { ...NOTHING, partly_filled: "partially_filled", filled: "filled", canceled: "canceled" },
  filled: NOTHING,
  // A fill races the cancel at the venue.
  canceled: { ...NOTHING, ...LATE, partly_filled: "canceled" },
  // The venue said no, or three look-ups found nothing, and yet it filled: keep the verdict, book the fill, alarm.
  rejected: { ...NOTHING, ...LATE, partly_filled: "rejected" },
  expired: { ...NOTHING, ...LATE, partly_filled: "expired" },
  // A person decides; what the venue proves meanwhile is taken.
  quarantined: {
    ...NOTHING,
    accepted: "open",
    expired: "expired",
    partly_filled: "partially_filled",
    filled: "filled",
    canceled: "canceled",
  },
};

/** A move that the life cycle does not have: a bug or a duplicate, never a guess. */
export class InvalidTransition extends Error {
  override name = "InvalidTransition";
  readonly from: OrderStatus;
  readonly event: OrderEvent;
  constructor(from: OrderStatus, event: OrderEvent) {
    super(`an order that is ${from} cannot be ${event}`);
    this.from = from;
    this.event = event;
  }
}

/** Returns the status after `event`. @throws InvalidTransition where the life cycle has no such move. */
export function transition(from: OrderStatus, event: OrderEvent): OrderStatus {
  const to = TRANSITIONS[from][event];
  if (to === null) throw new InvalidTransition(from, event);
  return to;
}

/** Statuses in which the venue may hold the order: its fills and its cancel are still to come. */
export const AT_VENUE: readonly OrderStatus[] = ["submitting", "unknown", "open", "partially_filled", "quarantined"];

/** Statuses in which nobody knows whether the venue has the order. */
export const IN_DOUBT: readonly OrderStatus[] = ["unknown", "quarantined"];

/** Statuses that block a new plan of the same instrument: at the venue, or on the way there. */
export const IN_FLIGHT: readonly OrderStatus[] = ["proposed", "approved", ...AT_VENUE];

/** How an order ends that was approved. One that was denied never began. */
export const CLOSED_AFTER_APPROVAL = ["filled", "canceled", "rejected", "expired"] as const;

/** Returns whether nothing more is expected of an order; a late fill may still come, and is an alarm. */
export const isClosed = (status: OrderStatus): boolean => !IN_FLIGHT.includes(status);

/** Returns whether a fill on an order of this status is late: booked, and an alarm. */
export const isLate = (status: OrderStatus): boolean => ["canceled", "rejected", "expired"].includes(status);
