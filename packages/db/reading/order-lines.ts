import { type SQL, sql } from "drizzle-orm";
import type { OrderLine, PositionLine } from "#reporting/report";
import { whyOf } from "#reporting/why";
import type { Decimal } from "#units/decimal";
import type { OrderId, PositionId } from "#units/ids";
import type { Instant } from "#units/time";
import type { Db } from "../client.ts";
import { iso, plain, rows } from "../rows.ts";

type OrderRow = {
  id: OrderId;
  decided_at: Instant;
  instrument: string;
  asset: string;
  side: "buy" | "sell";
  type: string;
  size: Decimal;
  filled_size: Decimal;
  notional_usd: Decimal | null;
  average_price: Decimal | null;
  fees: Decimal;
  status: string;
  reduce_only: boolean;
  timeframe: string | null;
  snapshot: unknown;
  error: string | null;
};

/**
 * Returns orders as they are told to a person. `where` and `order` speak of `o`. Of the policy snapshot only what is
 * told leaves the database.
 */
export async function orderLines(db: Db, where: SQL, order: SQL, limit: number | null = null): Promise<OrderLine[]> {
  const list = await rows<OrderRow>(
    db,
    sql`SELECT o.id, ${iso(sql`o.decided_at`)} AS decided_at, o.instrument, o.asset, o.side, o.order_type AS type, ${plain(sql`o.size`)} AS size,
               ${plain(sql`o.filled_size`)} AS filled_size, ${plain(sql`o.avg_fill_price`)} AS average_price,
               ${plain(sql`CASE WHEN o.filled_size > 0 THEN o.filled_size * o.avg_fill_price ELSE o.size * o.price END
                           * i.contract_size`)} AS notional_usd,
               ${plain(sql`o.fees`)} AS fees, o.status, o.reduce_only, o.timeframe, o.error_message AS error,
               (o.policy_snapshot #- ARRAY['bias', 'components'])
                 - ARRAY['policy', 'wallets', 'analyses', 'limits', 'volatility', 'order'] AS snapshot
        FROM orders o LEFT JOIN instruments i ON i.id = o.instrument
        WHERE ${where}
        ORDER BY ${order}
        ${limit === null ? sql`` : sql`LIMIT ${limit}`}`,
  );
  return list.map((row) => ({
    id: row.id,
    decidedAt: row.decided_at,
    instrument: row.instrument,
    asset: row.asset,
    side: row.side,
    type: row.type,
    size: row.size,
    filledSize: row.filled_size,
    notionalUsd: row.notional_usd,
    averagePrice: row.average_price,
    feesUsd: row.fees,
    status: row.status,
    reduceOnly: row.reduce_only,
    timeframe: row.timeframe,
    why: whyOf(row.snapshot),
    error: row.error,
  }));
}

type PositionRow = {
  id: PositionId;
  instrument: string;
  asset: string;
  side: "long" | "short";
  size: Decimal | null;
  entry_price: Decimal | null;
  mark_price: Decimal | null;
  exit_price: Decimal | null;
  stop_price: Decimal | null;
  unrealized: Decimal | null;
  realized: Decimal | null;
  fees: Decimal;
  opened_at: Instant;
  closed_at: Instant | null;
};

/** Returns positions as they are told to a person, by opening and id. `where` speaks of `p`. */
export async function positionLines(db: Db, where: SQL, limit: number | null = null): Promise<PositionLine[]> {
  const list = await rows<PositionRow>(
    db,
    sql`SELECT p.id, p.instrument, p.asset, p.side, ${plain(sql`p.size`)} AS size,
               ${plain(sql`p.entry_price`)} AS entry_price, ${plain(sql`p.mark_price`)} AS mark_price,
               ${plain(sql`p.exit_price`)} AS exit_price, ${plain(sql`p.stop_price`)} AS stop_price,
               ${plain(sql`p.unrealized_pnl`)} AS unrealized, ${plain(sql`p.realized_pnl`)} AS realized,
               ${plain(sql`p.fees_paid`)} AS fees, ${iso(sql`p.opened_at`)} AS opened_at, ${iso(sql`p.closed_at`)} AS closed_at
        FROM positions p
        WHERE ${where}
        ORDER BY p.opened_at DESC, p.id
        ${limit === null ? sql`` : sql`LIMIT ${limit}`}`,
  );
  return list.map((row) => ({
    id: row.id,
    instrument: row.instrument,
    asset: row.asset,
    side: row.side,
    size: row.size,
    entryPrice: row.entry_price,
    markPrice: row.mark_price,
    exitPrice: row.exit_price,
    stopPrice: row.stop_price,
    unrealizedUsd: row.unrealized,
    realizedUsd: row.realized,
    feesUsd: row.fees,
    openedAt: row.opened_at,
    closedAt: row.closed_at,
  }));
}
