import { type SQL, sql } from "drizzle-orm";
import type { OrderLine } from "#reporting/report";
import { whyOf } from "#reporting/why";
import type { Db } from "../client.ts";
import { iso, plain, rows } from "../rows.ts";
import * as kind from "../shape.ts";

const OrderRow = kind.shape("order lines", {
  id: kind.id("order"),
  decided_at: kind.instant,
  instrument: kind.text,
  asset: kind.text,
  side: kind.oneOf("buy", "sell"),
  type: kind.text,
  size: kind.decimal,
  filled_size: kind.decimal,
  asset_size: kind.orNull(kind.decimal),
  filled_asset_size: kind.orNull(kind.decimal),
  notional_usd: kind.orNull(kind.decimal),
  average_price: kind.orNull(kind.decimal),
  fees: kind.decimal,
  status: kind.text,
  reduce_only: kind.flag,
  timeframe: kind.orNull(kind.text),
  snapshot: kind.orNull(kind.json),
  error: kind.orNull(kind.text),
});

/**
 * Returns orders as they are shown. `where` and `order` speak of `o`. Of the policy snapshot only what is
 * shown leaves the database.
 */
export async function orderLines(db: Db, where: SQL, order: SQL, limit: number | null = null): Promise<OrderLine[]> {
  const list = await rows(
    db,
    OrderRow,
    sql`SELECT o.id, ${iso(sql`o.decided_at`)} AS decided_at, o.instrument, o.asset, o.side, o.order_type AS type, ${plain(sql`o.size`)} AS size,
               ${plain(sql`o.filled_size`)} AS filled_size, ${plain(sql`o.size * i.contract_size`)} AS asset_size,
               ${plain(sql`o.filled_size * i.contract_size`)} AS filled_asset_size, ${plain(sql`o.avg_fill_price`)} AS average_price,
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
    assetSize: row.asset_size,
    filledAssetSize: row.filled_asset_size,
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
