import { sql } from "drizzle-orm";
import { FILL_CAUSES } from "#trading/positions/fill";
import type { Counted } from "#trading/positions/step";
import type { OrderId } from "#units/ids";
import type { Db } from "../client.ts";
import { iso, plain, rows } from "../rows.ts";
import * as kind from "../shape.ts";

const FillRow = kind.shape("fills around orders", {
  lane: kind.text,
  trade_id: kind.text,
  order_id: kind.orNull(kind.id("order")),
  cause: kind.orNull(kind.oneOf(...FILL_CAUSES)),
  instrument: kind.text,
  side: kind.oneOf("buy", "sell"),
  size: kind.decimal,
  price: kind.decimal,
  fee: kind.decimal,
  fee_asset: kind.text,
  fee_price: kind.orNull(kind.decimal),
  liquidity: kind.oneOf("maker", "taker"),
  filled_at: kind.instant,
});

/** Returns what tells an instrument of an account from every other. */
export const laneKey = (mode: string, venue: string, instrument: string): string => `${mode} ${venue} ${instrument}`;

/**
 * Returns the counting fills of the instruments of these orders, by `laneKey`: from the last time before the first of them
 * at which an instrument was flat, up to their last fill or decision; with `after` to when it was flat next, or to now. So
 * a position's size can be summed from nothing.
 */
export async function laneFills(
  db: Db,
  orderIds: readonly OrderId[],
  { after } = { after: false },
): Promise<Map<string, Counted[]>> {
  if (orderIds.length === 0) return new Map();
  const list = await rows(
    db,
    FillRow,
    sql`WITH wanted AS (
          SELECT o.trading_mode, o.exchange, o.instrument, least(min(o.decided_at), min(f.filled_at)) AS first,
                 greatest(max(o.decided_at), max(f.filled_at)) AS last
          FROM orders o LEFT JOIN order_fills f ON f.order_id = o.id
          WHERE o.id = ANY(${sql.param([...orderIds])}::uuid[])
          GROUP BY o.trading_mode, o.exchange, o.instrument
        ), episode AS (
          SELECT trading_mode, exchange, instrument, opened_at, closed_at FROM positions
          UNION ALL SELECT trading_mode, exchange, instrument, opened_at, closed_at FROM positions_archive
        ), lane AS (
          SELECT w.*, (
            SELECT max(e.closed_at) FROM episode e
            WHERE e.trading_mode = w.trading_mode AND e.exchange = w.exchange AND e.instrument = w.instrument
              AND e.closed_at < w.first
              -- A fill that closes one and opens the next leaves no time between them at which nothing is held.
              AND NOT EXISTS (SELECT 1 FROM episode n
                WHERE n.trading_mode = w.trading_mode AND n.exchange = w.exchange AND n.instrument = w.instrument
                  AND n.opened_at = e.closed_at)
          ) AS flat, CASE WHEN ${after}::boolean THEN coalesce((
            SELECT min(e.closed_at) FROM episode e
            WHERE e.trading_mode = w.trading_mode AND e.exchange = w.exchange AND e.instrument = w.instrument
              AND e.closed_at >= w.last), 'infinity'::timestamptz) ELSE w.last END AS until
          FROM wanted w
        )
        SELECT concat_ws(' ', f.trading_mode, f.exchange, f.instrument) AS lane, f.exchange_trade_id AS trade_id, f.order_id,
               f.cause, f.instrument, f.side, ${plain(sql`f.size`)} AS size, ${plain(sql`f.price`)} AS price,
               ${plain(sql`f.fee`)} AS fee, f.fee_asset, ${plain(sql`f.fee_price`)} AS fee_price, f.liquidity, ${iso(sql`f.filled_at`)} AS filled_at
        FROM lane l JOIN order_fills f
          ON f.trading_mode = l.trading_mode AND f.exchange = l.exchange AND f.instrument = l.instrument
             AND f.filled_at > coalesce(l.flat, '-infinity'::timestamptz) AND f.filled_at <= l.until
        WHERE f.order_id IS NOT NULL OR f.cause IS NOT NULL
        ORDER BY lane, f.filled_at, f.exchange_trade_id`,
  );
  const fills = list.map((row) => ({
    lane: row.lane,
    fill: {
      ...{ tradeId: row.trade_id, orderId: row.order_id, cause: row.cause, instrument: row.instrument, side: row.side },
      ...{
        size: row.size,
        price: row.price,
        fee: row.fee,
        feeAsset: row.fee_asset,
        feePrice: row.fee_price,
        liquidity: row.liquidity,
      },
      filledAt: row.filled_at,
    },
  }));
  return new Map([...Map.groupBy(fills, ({ lane }) => lane)].map(([lane, own]) => [lane, own.map(({ fill }) => fill)]));
}
