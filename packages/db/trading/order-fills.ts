import { and, asc, eq, gt, inArray, sql } from "drizzle-orm";
import type { Account } from "#trading/account";
import { priceOf } from "#trading/positions/fee";
import { causeOf, type Fill, type FillCause, type ForeignFill, totalOf } from "#trading/positions/fill";
import type { Seen } from "#trading/store";
import type { OrderId } from "#units/ids";
import type { Instant } from "#units/time";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { orderFills } from "../schema.ts";
import { ordersByClientId } from "./orders.ts";

const FILL = {
  tradeId: orderFills.exchangeTradeId,
  orderId: orderFills.orderId,
  instrument: orderFills.instrument,
  side: orderFills.side,
  size: orderFills.size,
  price: orderFills.price,
  fee: orderFills.fee,
  feeAsset: orderFills.feeAsset,
  feePrice: orderFills.feePrice,
  liquidity: orderFills.liquidity,
  filledAt: orderFills.filledAt,
} as const;
export const STORED_FILL = { ...FILL, cause: orderFills.cause } as const;

/** A fill as stored, with the cause by which it counts without an order of ours. */
export interface Stored extends Fill {
  readonly cause: FillCause | null;
}

export const isForeign = (fill: Stored): fill is ForeignFill => fill.cause !== null;

/** Fills that count in positions: of our orders, and those of others that are kept with a cause. */
export const COUNTS = sql`(order_id IS NOT NULL OR cause IS NOT NULL)`;

/** The signed contracts of some fills; null of none. */
export const CONTRACTS = sql`sum(CASE side WHEN 'buy' THEN size ELSE -size END)`.mapWith(orderFills.size);

/**
 * Stores fills once each by trade id. A fill whose client order id is not one of ours is kept without an order, with the
 * cause by which it counts; without one it counts in no position. Returns those that were new.
 */
export async function insertFills(db: Db, { mode, venue }: Account, seen: Seen): Promise<Stored[]> {
  const { fills, since } = seen;
  const prices = new Map(seen.feePrices.map(({ tradeId, price }) => [tradeId, price]));
  const reach = { mode, isListed: seen.listed !== null, since };
  if (fills.length === 0) return [];
  const ours = await ordersByClientId(
    db,
    fills.flatMap((fill) => (fill.clientOrderId === null ? [] : [fill.clientOrderId])),
  );
  const orderOf = (id: string | null) => (id === null ? undefined : ours.get(id))?.id ?? null;
  const values = fills.map((fill) => ({
    tradingMode: mode,
    exchange: venue,
    instrument: fill.instrument,
    exchangeTradeId: fill.tradeId,
    orderId: orderOf(fill.clientOrderId),
    cause: orderOf(fill.clientOrderId) === null ? causeOf(fill, reach) : null,
    side: fill.side,
    filledAt: fill.filledAt,
    size: fill.size,
    price: fill.price,
    fee: fill.fee,
    feeAsset: fill.feeAsset,
    feePrice: priceOf(fill, prices),
    liquidity: fill.liquidity,
  }));
  return drizzleOf(db).insert(orderFills).values(values).onConflictDoNothing().returning(STORED_FILL);
}

/** Returns what each of these orders filled, by order id: size, average price, fees. An order without fills is absent. */
export async function filledOf(db: Db, orderIds: readonly OrderId[]): Promise<Map<string, ReturnType<typeof totalOf>>> {
  if (orderIds.length === 0) return new Map();
  const list = await drizzleOf(db)
    .select(FILL)
    .from(orderFills)
    .where(inArray(orderFills.orderId, [...orderIds]));
  const byOrder = Map.groupBy(list, (fill) => fill.orderId ?? "");
  return new Map([...byOrder].map(([id, fills]) => [id, totalOf(fills)]));
}

/** Returns the fills of an instrument that count after `since` (null = all), by time and trade id. */
export const fillsOf = (db: Db, { mode, venue }: Account, instrument: string, since: Instant | null): Promise<Fill[]> =>
  drizzleOf(db)
    .select(FILL)
    .from(orderFills)
    .where(
      and(
        eq(orderFills.tradingMode, mode),
        eq(orderFills.exchange, venue),
        eq(orderFills.instrument, instrument),
        COUNTS,
        ...(since === null ? [] : [gt(orderFills.filledAt, since)]),
      ),
    )
    .orderBy(asc(orderFills.filledAt), asc(orderFills.exchangeTradeId));
