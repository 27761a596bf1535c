import { and, asc, eq, inArray, sql } from "drizzle-orm";
import { hashOf, type Json } from "#trading/canonical-json";
import { type Control, mayLeave } from "#trading/limits";
import type { TradingMode } from "#trading/mode";
import { AT_VENUE, IN_FLIGHT, type OrderEvent, type OrderStatus, transition } from "#trading/order";
import type { ProposedOrder } from "#trading/plan";
import type { Side } from "#trading/venue";
import type { Decimal } from "#units/decimal";
import { idOf } from "#units/ids";
import type { Horizon, Instant } from "#units/time";
import type { Db } from "../client.ts";
import { orderEvents, orders } from "../schema.ts";
import { holdControl } from "./kill-switch.ts";

/** An order as stored, without the snapshots. */
export interface StoredOrder {
  readonly id: string;
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
  readonly decidedAt: Instant;
  readonly updatedAt: Instant;
  readonly expiresAt: Instant | null;
  readonly version: number;
}

/** The columns of a `StoredOrder`. */
const STORED = {
  id: orders.id,
  mode: orders.tradingMode,
  venue: orders.exchange,
  clientOrderId: orders.clientOrderId,
  venueOrderId: orders.exchangeOrderId,
  asset: orders.asset,
  instrument: orders.instrument,
  side: orders.side,
  type: orders.orderType,
  size: orders.size,
  price: orders.price,
  reduceOnly: orders.reduceOnly,
  status: orders.status,
  filledSize: orders.filledSize,
  averagePrice: orders.avgFillPrice,
  fees: orders.fees,
  stopLoss: orders.stopLoss,
  riskUsd: orders.riskUsd,
  errorMessage: orders.errorMessage,
  epoch: orders.epoch,
  decidedAt: orders.decidedAt,
  updatedAt: orders.updatedAt,
  expiresAt: orders.expTime,
  version: orders.version,
} as const;

/** What a transition may change besides the status. It is kept in the event, so that the events rebuild the row. */
export interface OrderChange {
  readonly exchangeOrderId?: string;
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

const NO_HASH = "0".repeat(64);

/** Returns the order's id: the same client order id gives the same row everywhere. */
export const orderIdOf = (clientOrderId: string): string => idOf("order", clientOrderId);

/** Returns the hash of one event row over the hash before it. */
export const eventHash = (row: {
  readonly orderId: string;
  readonly seq: number;
  readonly at: Instant;
  readonly fromStatus: string | null;
  readonly toStatus: string;
  readonly detail: Json;
  readonly prevHash: string;
}): string => hashOf({ ...row });

async function append(
  db: Db,
  row: { orderId: string; seq: number; at: Instant; fromStatus: OrderStatus | null; toStatus: OrderStatus },
  detail: { readonly [key: string]: Json },
): Promise<void> {
  const [last] = await db
    .select({ hash: orderEvents.hash })
    .from(orderEvents)
    .where(and(eq(orderEvents.orderId, row.orderId), eq(orderEvents.seq, row.seq - 1)));
  const prevHash = last?.hash ?? NO_HASH;
  await db.insert(orderEvents).values({ ...row, detail, prevHash, hash: eventHash({ ...row, detail, prevHash }) });
}

/**
 * Makes one transition: compare-and-set on (status, version), with the hash-chained event appended, in one transaction.
 * The only function that changes an order. Returns the order after it, or null when someone moved it since it was read.
 * @throws InvalidTransition when the life cycle has no such move.
 */
export async function moveOrder(
  db: Db,
  order: Pick<StoredOrder, "id" | "status" | "version">,
  event: OrderEvent,
  { at, by, change = {}, detail = {} }: Move,
): Promise<StoredOrder | null> {
  const to = transition(order.status, event);
  return db.transaction(async (tx) => {
    const [moved] = await tx
      .update(orders)
      .set({ ...change, status: to, version: order.version + 1, updatedAt: at })
      .where(and(eq(orders.id, order.id), eq(orders.status, order.status), eq(orders.version, order.version)))
      .returning(STORED);
    if (!moved) return null;
    const row = { orderId: order.id, seq: moved.version, at, fromStatus: order.status, toStatus: to };
    await append(tx, row, { event, by, set: { ...change }, ...detail });
    return moved;
  });
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

/**
 * Writes an order as proposed and then approved or denied, in one transaction, once per client order id: a second call
 * changes nothing. Returns the stored order, which may be further than approved.
 */
export async function insertOrder(db: Db, fresh: NewOrder): Promise<StoredOrder> {
  const { order, at, by } = fresh;
  const id = orderIdOf(order.clientOrderId);
  return db.transaction(async (tx) => {
    const inserted = await tx.insert(orders).values(rowOf(id, fresh)).onConflictDoNothing().returning(STORED);
    const [proposed] = inserted;
    if (!proposed) return (await readOrder(tx, id)) as StoredOrder; // the conflict is on this id
    const birth = { orderId: id, seq: 0, at, fromStatus: null, toStatus: "proposed" as const };
    const policy = fresh.policySnapshot?.hash ?? null;
    await append(tx, birth, { event: "proposed", by, set: bornWith(fresh), policy, ...fresh.detail });
    const change = fresh.verdict === "denied" ? { errorMessage: fresh.codes.join(", ") } : {};
    return (await moveOrder(tx, proposed, fresh.verdict, { at, by, change })) as StoredOrder; // nobody else sees it yet
  });
}

/** The columns that an order is born with, as its first event keeps them. The policy snapshot is there by its hash. */
const bornWith = ({ order, ...fresh }: NewOrder) => ({
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

const rowOf = (id: string, fresh: NewOrder): typeof orders.$inferInsert => ({
  id,
  ...bornWith(fresh),
  updatedAt: fresh.at,
  policySnapshot: fresh.policySnapshot,
  signalSnapshot: fresh.order.signal,
});

/** Returns an order, or null. */
export async function readOrder(db: Db, id: string): Promise<StoredOrder | null> {
  const [row] = await db.select(STORED).from(orders).where(eq(orders.id, id));
  return row ?? null;
}

/** Returns whether the kill switch lets this order out: its epoch is the newest, and the state allows its kind. */
export const isAllowed = (control: Control, order: Pick<StoredOrder, "epoch" | "reduceOnly" | "type">): boolean =>
  control.epoch === order.epoch && mayLeave(control, { reduceOnly: order.reduceOnly, isStop: order.type === "stop" });

/**
 * Claims an approved order for one POST: approved → submitting with `expiresAt` stored, under a share lock on the kill
 * switch, so that a change of epoch comes before the claim or after it. Returns the order when this call won, else null:
 * someone else has it, or it was voided (canceled) because the switch moved since it was approved.
 */
export async function claimOrder(
  db: Db,
  id: string,
  { at, by, expiresAt }: { readonly at: Instant; readonly by: string; readonly expiresAt: Instant },
): Promise<StoredOrder | null> {
  return db.transaction(async (tx) => {
    const order = await readOrder(tx, id);
    if (order?.status !== "approved") return null;
    const control = await holdControl(tx, order.mode);
    if (isAllowed(control, order)) return moveOrder(tx, order, "claimed", { at, by, change: { expTime: expiresAt } });
    await moveOrder(tx, order, "voided", { at, by, change: { errorMessage: voidReason(control, order.epoch) } });
    return null;
  });
}

/** Returns why an order was voided, as stored. */
export const voidReason = (control: Control, epoch: number): string =>
  `voided: trading is ${control.state} in epoch ${control.epoch}, approved in ${epoch}`;

/** Returns the orders of a mode that the venue may hold, by decision and id. */
export const ordersAtVenue = (db: Db, mode: TradingMode): Promise<StoredOrder[]> =>
  db
    .select(STORED)
    .from(orders)
    .where(and(eq(orders.tradingMode, mode), inArray(orders.status, [...AT_VENUE])))
    .orderBy(asc(orders.decidedAt), asc(orders.id));

/** Returns how many orders of an instrument are on their way or at the venue; of one type when given. */
export async function countInFlight(db: Db, mode: TradingMode, instrument: string, type?: "stop"): Promise<number> {
  const mine = and(
    eq(orders.tradingMode, mode),
    eq(orders.instrument, instrument),
    inArray(orders.status, [...IN_FLIGHT]),
  );
  const [row] = await db
    .select({ count: sql<number>`count(*)::int` })
    .from(orders)
    .where(type ? and(mine, eq(orders.orderType, type)) : mine);
  return row?.count ?? 0;
}

/** Returns the stop order of an instrument that is approved and that nobody has claimed, or null. */
export async function approvedStop(db: Db, mode: TradingMode, instrument: string): Promise<StoredOrder | null> {
  const [row] = await db
    .select(STORED)
    .from(orders)
    .where(
      and(
        eq(orders.tradingMode, mode),
        eq(orders.instrument, instrument),
        eq(orders.orderType, "stop"),
        eq(orders.status, "approved"),
      ),
    )
    .orderBy(asc(orders.decidedAt), asc(orders.id))
    .limit(1);
  return row ?? null;
}

/** Returns the orders of these client order ids, by client order id. */
export async function ordersByClientId(db: Db, ids: readonly string[]): Promise<Map<string, StoredOrder>> {
  if (ids.length === 0) return new Map();
  const list = await db
    .select(STORED)
    .from(orders)
    .where(inArray(orders.clientOrderId, [...ids]));
  return new Map(list.map((order) => [order.clientOrderId, order]));
}
