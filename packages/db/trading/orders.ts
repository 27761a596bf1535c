import { and, asc, count, eq, inArray, or, type SQL, sql } from "drizzle-orm";
import * as z from "zod";
import type { TradingMode } from "#trading/mode";
import { AT_VENUE, IN_DOUBT, IN_FLIGHT, type OrderStatus } from "#trading/orders/order";
import type { StoredOrder } from "#trading/orders/stored-order";
import { Decimal } from "#units/decimal";
import { OrderId } from "#units/ids";
import type { Instant } from "#units/time";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { orderEvents, orders } from "../schema.ts";

/** The columns of a `StoredOrder`. */
export const STORED = {
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
  biasAt: orders.biasAt,
  decidedAt: orders.decidedAt,
  updatedAt: orders.updatedAt,
  expiresAt: orders.expTime,
  version: orders.version,
} as const;

/** Returns an order, or null. */
export async function readOrder(db: Db, id: OrderId): Promise<StoredOrder | null> {
  const [row] = await drizzleOf(db).select(STORED).from(orders).where(eq(orders.id, id));
  return row ?? null;
}

/** Returns the order of an id or of a client order id, as a person names it; null without one. */
export async function namedOrder(db: Db, name: string): Promise<StoredOrder | null> {
  const id = OrderId.safeParse(name);
  const [row] = await drizzleOf(db)
    .select(STORED)
    .from(orders)
    .where(id.success ? eq(orders.id, id.data) : eq(orders.clientOrderId, name));
  return row ?? null;
}

const isDoubtful = (mode: TradingMode) => and(eq(orders.tradingMode, mode), inArray(orders.status, [...IN_DOUBT]));

/** Returns how many orders of a mode are in doubt. */
export const countDoubtful = async (db: Db, mode: TradingMode): Promise<number> =>
  (await drizzleOf(db).select({ n: count() }).from(orders).where(isDoubtful(mode)))[0]?.n ?? 0;

/** Returns the first `limit` orders of a mode that are in doubt, by decision and id. */
export const doubtfulOrders = (db: Db, mode: TradingMode, limit: number): Promise<StoredOrder[]> =>
  drizzleOf(db)
    .select(STORED)
    .from(orders)
    .where(isDoubtful(mode))
    .orderBy(asc(orders.decidedAt), asc(orders.id))
    .limit(limit);

/** Selects the orders of a mode in some states, by decision and id. */
export const ordersOf = (db: Db, mode: TradingMode, statuses: readonly OrderStatus[]) =>
  drizzleOf(db)
    .select(STORED)
    .from(orders)
    .where(and(eq(orders.tradingMode, mode), inArray(orders.status, [...statuses])))
    .orderBy(asc(orders.decidedAt), asc(orders.id));

/** Returns the orders of a mode that the venue may hold, by decision and id. */
export const ordersAtVenue = async (db: Db, mode: TradingMode): Promise<StoredOrder[]> => ordersOf(db, mode, AT_VENUE);

const Decided = z.object({ quote: z.object({ mark: Decimal }) });

/** Returns the mark of the quote that an order's policy snapshot keeps; null where it keeps none. */
export async function decidedMark(db: Db, id: OrderId): Promise<Decimal | null> {
  const [row] = await drizzleOf(db).select({ snapshot: orders.policySnapshot }).from(orders).where(eq(orders.id, id));
  return Decided.safeParse(row?.snapshot).data?.quote.mark ?? null;
}

/**
 * Returns the stops or the take-profits of some positions: those of the instrument that are in flight, and those of the position
 * opened at `openedAt`, whatever became of them; by decision and id.
 */
export async function closersOf(
  db: Db,
  type: "stop" | "take_profit",
  mode: TradingMode,
  positions: readonly { readonly instrument: string; readonly openedAt: Instant }[],
): Promise<StoredOrder[]> {
  if (positions.length === 0) return [];
  const isInFlight = inArray(orders.status, [...IN_FLIGHT]);
  const isOne = positions.map(({ instrument, openedAt }) =>
    and(eq(orders.instrument, instrument), or(isInFlight, eq(orders.biasAt, openedAt))),
  );
  return drizzleOf(db)
    .select(STORED)
    .from(orders)
    .where(and(eq(orders.tradingMode, mode), eq(orders.orderType, type), or(...isOne)))
    .orderBy(asc(orders.decidedAt), asc(orders.id));
}

/** Returns the orders of these client order ids, by client order id. */
export async function ordersByClientId(db: Db, ids: readonly string[]): Promise<Map<string, StoredOrder>> {
  if (ids.length === 0) return new Map();
  const list = await drizzleOf(db)
    .select(STORED)
    .from(orders)
    .where(inArray(orders.clientOrderId, [...ids]));
  return new Map(list.map((order) => [order.clientOrderId, order]));
}

/** Selects the looks that some orders have had, by order id, oldest first. */
export const looksQuery = (db: Db, where: SQL) =>
  drizzleOf(db)
    .select({ orderId: orderEvents.orderId, detail: orderEvents.detail })
    .from(orderEvents)
    .where(and(where, sql`${orderEvents.detail} ->> 'event' = 'looked_up'`))
    .orderBy(asc(orderEvents.orderId), asc(orderEvents.seq));
