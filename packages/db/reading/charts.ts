import { type SQL, sql } from "drizzle-orm";
import {
  aligned,
  type BiasChart,
  chartOf,
  type EquityChart,
  type EquityRow,
  equityPoints,
  type PriceChart,
  type Span,
  stepFor,
} from "#reporting/chart";
import type { Account } from "#trading/account";
import { type Horizon, instant, millis } from "#units/time";
import type { Db } from "../client.ts";
import { iso, plain, rows } from "../rows.ts";
import * as kind from "../shape.ts";

const BarRow = kind.shape("bars of a chart", {
  openedAt: kind.instant,
  open: kind.decimal,
  high: kind.decimal,
  low: kind.decimal,
  close: kind.decimal,
  volume: kind.decimal,
});
const BiasPoint = kind.shape("biases of a chart", {
  at: kind.instant,
  value: kind.float,
  confidence: kind.orNull(kind.float),
});
const EquityPoint = kind.shape("balances of a chart", {
  at: kind.instant,
  equity: kind.decimal,
  available: kind.decimal,
  units: kind.decimal,
});

/** Where bins begin: bars are aligned to the epoch. */
const EPOCH = sql`timestamptz '1970-01-01 00:00:00+00'`;

/**
 * Returns the candles of an instrument in a span, of `asked` seconds or wider (see `stepFor`), made of the stored ones of `stored`
 * seconds. One of those counts when it opened at `from` or later and was closed by `to`, so nothing after `to` shows. Gaps stay gaps.
 */
export async function priceChart(
  db: Db,
  { instrument, stored }: { readonly instrument: string; readonly stored: number },
  span: Span,
  asked: number,
): Promise<PriceChart> {
  const step = stepFor(span, Math.max(asked, stored));
  const { from } = aligned(span, step);
  const last = instant(millis(span.to) - stored * 1000);
  const bars = await rows(
    db,
    BarRow,
    sql`SELECT ${iso(sql`q.bin`)} AS "openedAt", ${plain(sql`q.open`)} AS open, ${plain(sql`q.high`)} AS high, ${plain(sql`q.low`)} AS low,
               ${plain(sql`q.close`)} AS close, ${plain(sql`q.volume`)} AS volume
        FROM (SELECT date_bin(make_interval(secs => ${step}::int), p."timestamp", ${EPOCH}) AS bin,
                     (array_agg(p.open ORDER BY p."timestamp"))[1] AS open, max(p.high) AS high, min(p.low) AS low,
                     (array_agg(p.close ORDER BY p."timestamp" DESC))[1] AS close, sum(p.volume) AS volume
              FROM prices p
              WHERE p.instrument = ${instrument} AND p.bar_seconds = ${stored}::int
                AND p."timestamp" >= ${from}::timestamptz AND p."timestamp" <= ${last}::timestamptz
              GROUP BY bin) q
        ORDER BY q.bin`,
  );
  return { instrument, ...chartOf(span, asked, step), priceUnit: "USDT", volumeUnit: "contracts", bars };
}

/** Returns SQL of one row a step: the last row of `table` in it, by one look-up each. `where` speaks of `x`, `at` is its time. */
function lastOfEach(span: Span, step: number, what: { columns: SQL; table: SQL; where: SQL; at: SQL }): SQL {
  const { from } = aligned(span, step);
  const width = sql`make_interval(secs => ${step}::int)`;
  return sql`SELECT q.* FROM generate_series(${from}::timestamptz, ${span.to}::timestamptz, ${width}) AS s(t)
             CROSS JOIN LATERAL (
               SELECT ${what.columns} FROM ${what.table} x
               WHERE ${what.where} AND ${what.at} >= greatest(s.t, ${span.from}::timestamptz)
                 AND ${what.at} < least(s.t + ${width}, ${span.to}::timestamptz)
               ORDER BY ${what.at} DESC LIMIT 1) q
             ORDER BY s.t`;
}

/** Returns the biases of an asset in a span, the last of each step of `asked` seconds or more. */
export async function biasChart(
  db: Db,
  of: { readonly asset: string; readonly timeframe: Horizon },
  span: Span,
  asked: number,
): Promise<BiasChart> {
  const step = stepFor(span, asked);
  const points = await rows(
    db,
    BiasPoint,
    lastOfEach(span, step, {
      columns: sql`${iso(sql`x."timestamp"`)} AS at, x.value::float8 AS value, x.confidence::float8 AS confidence`,
      table: sql`bias`,
      where: sql`x.asset = ${of.asset} AND x.timeframe = ${of.timeframe}`,
      at: sql`x."timestamp"`,
    }),
  );
  return { ...of, ...chartOf(span, asked, step), points };
}

/** Returns the balances of an account in a span, the last of each step of `asked` seconds or more. */
export async function equityChart(db: Db, account: Account, span: Span, asked: number): Promise<EquityChart> {
  const step = stepFor(span, asked);
  const list: EquityRow[] = await rows(
    db,
    EquityPoint,
    lastOfEach(span, step, {
      columns: sql`${iso(sql`x.at`)} AS at, ${plain(sql`x.equity`)} AS equity, ${plain(sql`x.available`)} AS available,
                   ${plain(sql`x.units`)} AS units`,
      table: sql`equity_snapshots`,
      where: sql`x.trading_mode = ${account.mode} AND x.exchange = ${account.venue}`,
      at: sql`x.at`,
    }),
  );
  return { ...chartOf(span, asked, step), unit: "USDT", points: equityPoints(list) };
}
