import { and, asc, eq, inArray, sql } from "drizzle-orm";
import type { TradingMode } from "#trading/mode";
import { AT_VENUE, IN_FLIGHT } from "#trading/order";
import type { StoredOrder } from "#trading/stored-order";
import type { OrderId } from "#units/ids";
import type { Db } from "../client.ts";
import { orders } from "../schema.ts";

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
  const [row] = await db.select(STORED).from(orders).where(eq(orders.id, id));
  return row ?? null;
}

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
