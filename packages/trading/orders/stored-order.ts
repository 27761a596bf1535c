import type { Decimal } from "#units/decimal";
import { idOf, type OrderId } from "#units/ids";
import type { Horizon, Instant } from "#units/time";
import { hashOf, type Json } from "../canonical-json.ts";
import type { TradingMode } from "../mode.ts";
import { type Control, mayLeave } from "../plans/limits.ts";
import type { ProposedOrder } from "../plans/plan.ts";
import type { Side } from "../venue.ts";
import { type OrderEvent, type OrderStatus, transition } from "./order.ts";

/** An order as stored, without the snapshots. */
export interface StoredOrder {
  readonly id: OrderId;
  readonly mode: TradingMode;
  readonly venue: string;
  readonly clientOrderId: string;
  readonly venueOrderId: string | null;
  readonly asset: string;
  readonly instrument: string;
  readonly side: Side;
  readonly type: string;
  readonly size: Decimal;
  readonly price: Decimal | null;
  readonly reduceOnly: boolean;
  readonly status: OrderStatus;
  readonly filledSize: Decimal;
  readonly averagePrice: Decimal | null;
  readonly fees: Decimal;
  readonly stopLoss: Decimal | null;
  readonly riskUsd: Decimal;
  readonly errorMessage: string | null;
  readonly epoch: number;
  /** Of a stop when its position was opened; of any other order the time of the bias that it follows. */
  readonly biasAt: Instant | null;
  readonly decidedAt: Instant;
  readonly updatedAt: Instant;
  readonly expiresAt: Instant | null;
  readonly version: number;
}

/** What a transition may change besides the status, named as the event keeps it, so that the events rebuild the row. */
export interface OrderChange {
  readonly exchangeOrderId?: string;
  /** What is sent, where it is not what was decided: the first event keeps that. */
  readonly size?: Decimal;
  readonly filledSize?: Decimal;
  readonly avgFillPrice?: Decimal | null;
  readonly fees?: Decimal;
  readonly expTime?: Instant;
  readonly errorMessage?: string;
}

export interface Move {
  /** Time of the work. */
  readonly at: Instant;
  /** Which job moved it. */
  readonly by: string;
  readonly change?: OrderChange;
  readonly detail?: { readonly [key: string]: Json };
}

/** One link of an order's hash-chained events, without the hashes. */
export interface EventRow {
  readonly orderId: OrderId;
  readonly seq: number;
  readonly at: Instant;
  readonly fromStatus: OrderStatus | null;
  readonly toStatus: OrderStatus;
  readonly detail: { readonly [key: string]: Json };
}

/** The hash before the first event. */
export const NO_HASH = "0".repeat(64);

/** Returns the order's id: the same client order id gives the same row everywhere. */
export const orderIdOf = (clientOrderId: string): OrderId => idOf("order", clientOrderId);

/** An event of an order as it is stored. */
export interface StoredEvent {
  readonly orderId: OrderId;
  readonly seq: number;
  readonly at: Instant;
  readonly fromStatus: string | null;
  readonly toStatus: string;
  readonly detail: Json;
  readonly prevHash: string;
  readonly hash: string;
}

/** Returns the hash of one event row over the hash before it. */
export const eventHash = (row: Omit<StoredEvent, "hash">): string => hashOf({ ...row });

/**
 * Returns the event row of one transition of an order as it was read: its sequence number is the order's next version.
 * @throws InvalidTransition when the life cycle has no such move.
 */
export function movementOf(
  order: Pick<StoredOrder, "id" | "status" | "version">,
  event: OrderEvent,
  { at, by, change = {}, detail = {} }: Move,
): EventRow {
  return {
    orderId: order.id,
    seq: order.version + 1,
    at,
    fromStatus: order.status,
    toStatus: transition(order.status, event),
    detail: { event, by, set: { ...change }, ...detail },
  };
}

/** What a new order needs besides what the plan decided. */
export interface NewOrder {
  readonly mode: TradingMode;
  readonly venue: string;
  readonly asset: string;
  readonly instrument: string;
  readonly order: ProposedOrder;
  readonly timeframe: Horizon;
  readonly biasAt: Instant;
  readonly epoch: number;
  readonly at: Instant;
  readonly by: string;
  readonly verdict: "approved" | "denied";
  readonly codes: readonly string[];
  readonly policySnapshot: { readonly [key: string]: Json } | null;
  /** Kept in the first event: why, where no policy snapshot says it. */
  readonly detail?: { readonly [key: string]: Json };
}

/** Returns what an order is born with, as its first event keeps it. The policy snapshot is there by its hash. */
export const bornWith = ({ order, ...fresh }: NewOrder) => ({
  tradingMode: fresh.mode,
  exchange: fresh.venue,
  clientOrderId: order.clientOrderId,
  asset: fresh.asset,
  instrument: fresh.instrument,
  side: order.side,
  orderType: order.type,
  size: order.size,
  price: order.price,
  stopLoss: order.stopLoss,
  reduceOnly: order.reduceOnly,
  signalEventId: order.signal?.event_id ?? null,
  timeframe: fresh.timeframe,
  biasAt: fresh.biasAt,
  decidedAt: fresh.at,
  epoch: fresh.epoch,
  riskUsd: order.riskUsd,
});

/** Returns the first event row of an order. */
export const birthOf = (id: OrderId, fresh: NewOrder): EventRow => ({
  orderId: id,
  seq: 0,
  at: fresh.at,
  fromStatus: null,
  toStatus: "proposed",
  detail: {
    event: "proposed",
    by: fresh.by,
    set: bornWith(fresh),
    policy: fresh.policySnapshot?.hash ?? null,
    ...fresh.detail,
  },
});

/** Returns the move that a new order makes at once: to its verdict, with the names of the limits that denied it. */
export const verdictOf = ({ verdict, codes, at, by }: NewOrder): readonly [OrderEvent, Move] => [
  verdict,
  { at, by, change: verdict === "denied" ? { errorMessage: codes.join(", ") } : {} },
];

/** Returns whether an order closes what is held at a price that was set before: nobody decides about it any more. */
export const isOfPosition = ({ type }: Pick<StoredOrder, "type">): boolean => type === "stop" || type === "take_profit";

/** Returns whether the kill switch lets this order out: its epoch is the newest, and the state allows its kind. */
export const isAllowed = (control: Control, order: Pick<StoredOrder, "epoch" | "reduceOnly" | "type">): boolean =>
  control.epoch === order.epoch && mayLeave(control, { reduceOnly: order.reduceOnly, isStop: isOfPosition(order) });

/** Returns why an order was voided, as stored. */
export const voidReason = (control: Control & { readonly fence?: string }, epoch: number): string =>
  `voided: trading is ${control.state} in epoch ${control.epoch}, approved in ${epoch}${control.fence === undefined ? "" : `; ${control.fence}`}`;

/** Who claims an order, and until when the venue may take it. */
export interface Claim {
  readonly at: Instant;
  readonly by: string;
  readonly expiresAt: Instant;
  /** Why it must not be sent any more; absent or null = nothing stands in the way. */
  readonly objection?: string | null;
  /** Contracts to send; absent = those decided. */
  readonly size?: Decimal;
}

/** Returns the move that a claim makes of an approved order: claimed with its deadline, or voided with the reason kept. */
export function claimMove(
  order: Pick<StoredOrder, "epoch" | "reduceOnly" | "type">,
  control: Control,
  { at, by, expiresAt, objection = null, size }: Claim,
): readonly ["claimed" | "voided", Move] {
  const reason = isAllowed(control, order) ? objection && `voided: ${objection}` : voidReason(control, order.epoch);
  if (reason !== null) return ["voided", { at, by, change: { errorMessage: reason } }];
  return ["claimed", { at, by, change: { expTime: expiresAt, ...(size === undefined ? {} : { size }) } }];
}
