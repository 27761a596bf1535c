import { big, type Decimal, text } from "#units/decimal";
import { type Instant, instant, millis } from "#units/time";
import type { ControlChange } from "../control.ts";
import { AT_VENUE, type OrderEvent, type OrderStatus } from "../orders/order.ts";
import type { StoredOrder } from "../orders/stored-order.ts";
import type { Control } from "../plans/limits.ts";
import { fallOf } from "../plans/limits.ts";
import type { Policy } from "../plans/policy.ts";
import type { VenueFill, VenueOrder } from "../venue.ts";
import { liftCause } from "./comparison.ts";

/** Where our fills and the venue disagree about one instrument. */
export interface Break {
  readonly instrument: string;
  /** Signed contracts by our fills, and by the venue. */
  readonly ours: Decimal;
  readonly venue: Decimal;
}

/**
 * Returns how the sum of our fills differs from the venue's position, by half a lot or more; null when it does not. An
 * unknown lot is 0: any difference counts. What to do about one: reduce only, and call a person; never trade to repair it.
 */
export function differenceOf(instrument: string, ours: Decimal, venue: Decimal, lot: Decimal): Break | null {
  const difference = big(ours).minus(venue).abs();
  const agrees = difference.eq(0) || difference.lt(big(lot).div(2));
  return agrees ? null : { instrument, ours: text(ours), venue: text(venue) };
}

/** Returns the venue's orders that the desk did not place, sorted by venue order id. They are left alone. */
export const externalOrders = (orders: readonly VenueOrder[], ours: ReadonlySet<string>): VenueOrder[] =>
  orders
    .filter((order) => order.clientOrderId === null || !ours.has(order.clientOrderId))
    .toSorted((a, b) => (a.venueOrderId < b.venueOrderId ? -1 : 1));

/** Returns whether `mark` has reached the stop of a position of `contracts` (signed). Without a stop: no. */
export function stopReached(contracts: Decimal, stop: Decimal | null, mark: Decimal): boolean {
  const held = big(contracts);
  if (stop === null || held.eq(0)) return false;
  return held.gt(0) ? big(mark).lte(stop) : big(mark).gte(stop);
}

/** At the venue for all that the desk knows, without the venue's word for it. */
const UNACKNOWLEDGED: readonly OrderStatus[] = ["submitting", "unknown", "quarantined"];

/**
 * Returns the event that moves an order to what its booked fills and the venue's word say; null when nothing moved.
 * Fills lead: an order is filled when its fills add up, and over by the venue's word only once every fill that the venue
 * counts is booked. The venue makes a reduce-only order smaller than it was asked for when less is held: filled, it is
 * over all the same. An order found in any live state is at least accepted.
 */
export function adoptionOf(
  order: { readonly status: OrderStatus; readonly size: Decimal; readonly bookedBefore: Decimal },
  booked: Decimal,
  found: Pick<VenueOrder, "state" | "filledSize"> | null,
): OrderEvent | null {
  if (order.status === "filled") return null;
  if (big(booked).gte(order.size)) return "filled";
  if (big(booked).gt(order.bookedBefore)) return "partly_filled";
  const isOver = found !== null && AT_VENUE.includes(order.status) && big(booked).gte(found.filledSize);
  if (isOver && found.state === "canceled") return "canceled";
  if (isOver && found.state === "filled" && big(booked).gt(0)) return "filled";
  if (found !== null && UNACKNOWLEDGED.includes(order.status)) return "accepted";
  return null;
}

/**
 * Returns whether the venue counts more of an order than our books and `fills` have of it: its fills are then asked for by
 * the order, since one that is shown late may be older than any time to ask from. Source: OKX v5, "Order details",
 * `accFillSz`, which the order shows before the fills do.
 */
export function lacksFills(
  order: Pick<StoredOrder, "filledSize">,
  found: VenueOrder | null,
  fills: readonly VenueFill[],
): found is VenueOrder {
  if (found === null || big(found.filledSize).lte(order.filledSize)) return false;
  const mine = fills.filter((fill) => fill.venueOrderId === found.venueOrderId);
  return mine.reduce((sum, fill) => sum.plus(fill.size), big(0)).lt(found.filledSize);
}

/** Fills are asked for from this long before the newest booked one: the venue may show them late. */
const OVERLAP_MS = 5 * 60_000;
const FIRST_LOOK_BACK_MS = 24 * 3_600_000;

/** Returns from when a run at `at` asks for fills, given when the newest booked one was made; null = there is none. */
export const fillsSince = (last: Instant | null, at: Instant): Instant =>
  instant(last === null ? millis(at) - FIRST_LOOK_BACK_MS : millis(last) - OVERLAP_MS);

/** An open position's drawdown is measured this often, and whenever it has a new fill. */
const DRAWDOWN_MINUTES = 15;

const isMinute = (at: Instant, every: number): boolean => Math.floor(millis(at) / 60_000) % every === 0;

/** Returns whether a run at `at` measures the drawdown of every open position. */
export const measuresDrawdown = (at: Instant): boolean => isMinute(at, DRAWDOWN_MINUTES);

/** Returns whether a person may have to look an order up: quarantined, or unknown for too long past its deadline. */
export const isStuck = (
  { status, expiresAt }: Pick<StoredOrder, "status" | "expiresAt">,
  at: Instant,
  { stuckSeconds }: Pick<Policy, "stuckSeconds">,
): boolean =>
  status === "quarantined" ||
  (status === "unknown" && (expiresAt === null || millis(at) > millis(expiresAt) + stuckSeconds * 1000));

export interface Health {
  readonly at: Instant;
  readonly equity: Decimal;
  readonly dayStart: Decimal;
  readonly peak: Decimal;
  readonly breaks: readonly Break[];
  /** What was done or is held without the desk, that a person has to look at. */
  readonly alarms: readonly string[];
  /** What others did or have waiting on an instrument of the desk, where the policy halts for it. */
  readonly external: readonly string[];
  /** Instruments of which nobody knows any more how they stand. */
  readonly unseen: readonly string[];
  /** Instruments whose cause has lifted itself within a day: not once more. */
  readonly lifted: readonly string[];
  /** Deadlines of the orders that are unknown. */
  readonly unknownSince: readonly Instant[];
  /** Orders that the venue rejected in the last ten minutes. */
  readonly rejects: number;
  /** Fills on orders that were thought dead, and orders filled beyond their size, seen now. */
  readonly impossibleFills: number;
  /** The venue refused our credentials or configuration. */
  readonly credentialError: boolean;
}

/**
 * Returns the state that the kill switch must at least be in, and why; null when all is well. What lifts itself comes last:
 * it does so only where nothing else is wrong.
 */
export function tripOf(
  health: Health,
  policy: Pick<Policy, "maxDailyLoss" | "maxDrawdown" | "maxUnknownSeconds" | "maxRejects">,
): (Pick<ControlChange, "reason" | "lifts"> & { readonly state: Exclude<Control["state"], "ACTIVE"> }) | null {
  const drawdown = fallOf(health.peak, health.equity);
  if (health.credentialError)
    return { state: "HALTED", reason: "the venue refused the credentials or the configuration" };
  if (big(drawdown).gte(policy.maxDrawdown)) return { state: "HALTED", reason: `drawdown ${drawdown}` };
  const [external] = health.external;
  if (external !== undefined) return { state: "HALTED", reason: `not the desk's: ${external}` };
  if (health.impossibleFills > 0)
    return { state: "REDUCING", reason: `${health.impossibleFills} late or excess fills` };
  const [alarm] = health.alarms;
  if (alarm !== undefined) return { state: "REDUCING", reason: alarm };
  const { maxUnknownSeconds } = policy;
  const old = health.unknownSince.filter((since) => millis(health.at) - millis(since) > maxUnknownSeconds * 1000);
  if (old.length > 0)
    return { state: "REDUCING", reason: `${old.length} orders unknown for over ${maxUnknownSeconds} s` };
  if (health.rejects >= policy.maxRejects)
    return { state: "REDUCING", reason: `${health.rejects} rejects in ten minutes` };
  const loss = fallOf(health.dayStart, health.equity);
  if (big(loss).gte(policy.maxDailyLoss)) return { state: "REDUCING", reason: `daily loss ${loss}` };
  return ofInstruments(health);
}

/** Returns what a break, or an instrument that nobody could compare, makes of the kill switch. */
function ofInstruments({ breaks, unseen, lifted }: Health): ReturnType<typeof tripOf> {
  const [first] = breaks;
  if (first === undefined && unseen.length === 0) return null;
  const broken = breaks.map(({ instrument }) => instrument);
  const lifts = [...broken, ...unseen].some((instrument) => lifted.includes(instrument))
    ? []
    : [...broken.map((id) => liftCause("break", id)), ...unseen.map((id) => liftCause("unseen", id))];
  const reason = first
    ? `${first.instrument}: fills say ${first.ours}, the venue ${first.venue}`
    : `${unseen.join(", ")} could not be compared with the venue`;
  return { state: "REDUCING", reason, lifts };
}
