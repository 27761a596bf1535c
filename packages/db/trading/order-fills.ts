import { and, asc, eq, gt, sql } from "drizzle-orm";
import type { Account } from "#trading/account";
import type { Fill, FillCause, ForeignFill } from "#trading/positions/fill";
import type { Instant } from "#units/time";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { orderFills } from "../schema.ts";

export const FILL = {
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

/** Returns the write of fills that are not stored yet: one that is refuses all of them. */
export const filling = (db: Db, { mode, venue }: Account, fills: readonly Stored[]) =>
  drizzleOf(db)
    .insert(orderFills)
    .values(
      fills.map(({ tradeId, ...fill }) => ({ ...fill, tradingMode: mode, exchange: venue, exchangeTradeId: tradeId })),
    );

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
