import { and, asc, eq, gt, inArray, isNotNull, sql } from "drizzle-orm";
import type { Account } from "#trading/account";
import { type Fill, totalOf } from "#trading/positions/fill";
import type { Seen } from "#trading/store";
import type { OrderId } from "#units/ids";
import type { Instant } from "#units/time";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { iso, rows } from "../rows.ts";
import { orderFills } from "../schema.ts";
import * as kind from "../shape.ts";
import { ordersByClientId } from "./orders.ts";

const LastFill = kind.shape("last fill", { at: kind.orNull(kind.instant) });

const FILL = {
  tradeId: orderFills.exchangeTradeId,
  orderId: orderFills.orderId,
  instrument: orderFills.instrument,
  side: orderFills.side,
  size: orderFills.size,
  price: orderFills.price,
  fee: orderFills.fee,
  feeAsset: orderFills.feeAsset,
  liquidity: orderFills.liquidity,
  filledAt: orderFills.filledAt,
} as const;

/**
 * Stores fills once each by trade id. A fill whose client order id is not one of ours is kept without an order: it counts
 * in no position, so it shows as a break. Returns those that were new.
 */
export async function insertFills(db: Db, { mode, venue }: Account, fills: Seen["fills"]): Promise<Fill[]> {
  if (fills.length === 0) return [];
  const ours = await ordersByClientId(
    db,
    fills.flatMap((fill) => (fill.clientOrderId === null ? [] : [fill.clientOrderId])),
  );
  const values = fills.map((fill) => ({
    tradingMode: mode,
    exchange: venue,
    instrument: fill.instrument,
    exchangeTradeId: fill.tradeId,
    orderId: (fill.clientOrderId === null ? undefined : ours.get(fill.clientOrderId))?.id ?? null,
    side: fill.side,
    filledAt: fill.filledAt,
    size: fill.size,
    price: fill.price,
    fee: fill.fee,
    feeAsset: fill.feeAsset,
    liquidity: fill.liquidity,
  }));
  return drizzleOf(db).insert(orderFills).values(values).onConflictDoNothing().returning(FILL);
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

/** Returns our fills of an instrument after `since` (null = all), by time and trade id. */
export const fillsOf = (db: Db, { mode, venue }: Account, instrument: string, since: Instant | null): Promise<Fill[]> =>
  drizzleOf(db)
    .select(FILL)
    .from(orderFills)
    .where(
      and(
        eq(orderFills.tradingMode, mode),
        eq(orderFills.exchange, venue),
        eq(orderFills.instrument, instrument),
        isNotNull(orderFills.orderId),
        ...(since === null ? [] : [gt(orderFills.filledAt, since)]),
      ),
    )
    .orderBy(asc(orderFills.filledAt), asc(orderFills.exchangeTradeId));

/** Returns when the newest stored fill of an account was made, ours or not; null without one. */
export async function lastFillAt(db: Db, { mode, venue }: Account): Promise<Instant | null> {
  const [row] = await rows(
    db,
    LastFill,
    sql`SELECT ${iso(sql`max(filled_at)`)} AS at FROM order_fills WHERE trading_mode = ${mode} AND exchange = ${venue}`,
  );
  return row?.at ?? null;
}
