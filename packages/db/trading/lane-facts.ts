import { and, asc, desc, eq, inArray, lt, lte, ne, type SQL, sql } from "drizzle-orm";
import { Explanation } from "#bias/bias";
import type { Account } from "#trading/account";
import type { Json } from "#trading/canonical-json";
import type { TradingMode } from "#trading/mode";
import { IN_FLIGHT } from "#trading/orders/order";
import type { LaneFacts } from "#trading/plans/lane";
import type { PlannedBias } from "#trading/plans/plan";
import { FORCED_CAUSES } from "#trading/positions/fill";
import type { LaneQuery } from "#trading/store";
import { type Decimal, ZERO } from "#units/decimal";
import { type Horizon, type Instant, instant, millis } from "#units/time";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { iso, plain, rows } from "../rows.ts";
import { bias, eventAnalysis, orders } from "../schema.ts";
import * as kind from "../shape.ts";
import { bars } from "../signals/prices.ts";
import { comparedBefore } from "./comparisons.ts";
import { readControl } from "./control.ts";
import { openPositions } from "./positions.ts";

const Held = kind.shape("held contracts", { held: kind.decimal });
const Gross = kind.shape("gross of other lanes", { usd: kind.decimal });
const Pace = kind.shape("pace of orders", { minute: kind.int, stops: kind.int, closed: kind.orNull(kind.instant) });

const Others = kind.shape("what others did in a lane", { forced: kind.orNull(kind.instant), shared: kind.flag });

const HOUR_MS = 3_600_000;

/** What a plan weighs of a bias. */
const Weighed = Explanation.pick({ contributions: true });

/**
 * Returns the newest bias of an asset and timeframe at or before `at`, with its top contributions; null without one.
 * @throws ZodError when its components have another shape.
 */
export async function latestBias(db: Db, asset: string, timeframe: Horizon, at: Instant): Promise<PlannedBias | null> {
  const [newest] = await biasesTo(db, asset, timeframe, lte(bias.timestamp, at), 1);
  return newest ?? null;
}

/** Returns the newest biases of an asset and timeframe of `times`, at most `limit`, the newest first. */
async function biasesTo(db: Db, asset: string, timeframe: Horizon, times: SQL, limit: number): Promise<PlannedBias[]> {
  const list = await drizzleOf(db)
    .select()
    .from(bias)
    .where(and(eq(bias.asset, asset), eq(bias.timeframe, timeframe), times))
    .orderBy(desc(bias.timestamp))
    .limit(limit);
  return list.map((row) => ({
    at: row.timestamp,
    value: Number(row.value),
    confidence: row.confidence === null ? null : Number(row.confidence),
    contributions: row.components === null ? [] : Weighed.parse(row.components).contributions,
    components: row.components as Json, // jsonb reads as JSON
  }));
}

/** Returns the signed contracts of an instrument by the fills that count. */
export async function heldContracts(db: Db, account: Account, instrument: string): Promise<Decimal> {
  const { mode, venue } = account;
  const [row] = await rows(
    db,
    Held,
    sql`SELECT ${plain(sql`coalesce(sum(CASE side WHEN 'buy' THEN size ELSE -size END), 0)`)} AS held FROM order_fills
        WHERE trading_mode = ${mode} AND exchange = ${venue} AND instrument = ${instrument}
          AND (order_id IS NOT NULL OR cause IS NOT NULL)`,
  );
  return row?.held ?? ZERO;
}

/** Returns what orders in flight have reserved, as it was before `at`: what other lanes do at `at` itself never shows. */
const reservedBefore = (db: Db, mode: TradingMode, at: Instant): Promise<LaneFacts["reserved"]> =>
  drizzleOf(db)
    .select({ riskUsd: orders.riskUsd, size: orders.size, filledSize: orders.filledSize })
    .from(orders)
    .where(and(eq(orders.tradingMode, mode), inArray(orders.status, [...IN_FLIGHT]), lt(orders.decidedAt, at)))
    .orderBy(asc(orders.id));

/** Returns the notional of the positions in other instruments at their last marks, in USD. */
async function grossBeside(db: Db, { mode, venue }: Account, instrument: string): Promise<Decimal> {
  const [gross] = await rows(
    db,
    Gross,
    sql`SELECT ${plain(sql`coalesce(sum(abs(p.contracts) * i.contract_size * coalesce(p.mark_price, p.entry_price)), 0)`)} AS usd
        FROM positions p JOIN instruments i ON i.id = p.instrument
        WHERE p.trading_mode = ${mode} AND p.exchange = ${venue} AND p.closed_at IS NULL AND p.instrument <> ${instrument}`,
  );
  return gross?.usd ?? ZERO;
}

/** Returns the counts that the limits on pace need: of the whole mode, and when the asset's last position was closed. */
async function pace(db: Db, account: Account, asset: string, at: Instant) {
  const since = (ms: number) => instant(millis(at) - ms);
  const [row] = await rows(
    db,
    Pace,
    sql`SELECT (SELECT count(*)::int FROM orders WHERE trading_mode = ${account.mode} AND status <> 'denied'
                 AND decided_at > ${since(60_000)} AND decided_at < ${at}) AS minute,
               (SELECT count(*)::int FROM orders WHERE trading_mode = ${account.mode} AND order_type = 'stop'
                 AND decided_at > ${since(24 * HOUR_MS)} AND decided_at < ${at} AND filled_size > 0) AS stops,
               (SELECT ${iso(sql`max(closed_at)`)} FROM positions WHERE trading_mode = ${account.mode}
                 AND exchange = ${account.venue} AND asset = ${asset}) AS closed`,
  );
  return { ordersLastMinute: row?.minute ?? 0, stopsLastDay: row?.stops ?? 0, lastClosedAt: row?.closed ?? null };
}

/** Returns what others than the desk did in an instrument before `at`. */
const FORCED = sql.join(
  FORCED_CAUSES.map((cause) => sql`${cause}`),
  sql`, `,
);

async function othersIn(db: Db, { mode, venue, instrument, at }: LaneQuery) {
  const mine = sql`f.trading_mode = ${mode} AND f.exchange = ${venue} AND f.instrument = ${instrument} AND f.filled_at < ${at}`;
  const [row] = await rows(
    db,
    Others,
    sql`SELECT (SELECT ${iso(sql`max(f.filled_at)`)} FROM order_fills f
                WHERE ${mine} AND f.cause IN (${FORCED})) AS forced,
               EXISTS (SELECT 1 FROM order_fills f JOIN positions p USING (trading_mode, exchange, instrument)
                       WHERE ${mine} AND f.cause NOT IN (${FORCED}) AND p.closed_at IS NULL
                         AND f.filled_at >= p.opened_at AND (f.side = 'buy') = (p.side = 'long')) AS shared`,
  );
  return { forcedAt: row?.forced ?? null, isShared: row?.shared ?? false };
}

/** Returns what the analysis of each contribution's event said, by event id. */
const analysesOf = (db: Db, eventIds: LaneQuery["eventIds"]): Promise<LaneFacts["analyses"]> =>
  eventIds.length === 0
    ? Promise.resolve([])
    : drizzleOf(db)
        .select({
          eventId: eventAnalysis.eventId,
          model: eventAnalysis.llmModel,
          pattern: eventAnalysis.patternMatched,
        })
        .from(eventAnalysis)
        .where(sql`${eventAnalysis.eventId} = ANY(${sql.param([...eventIds])}::uuid[])`)
        .orderBy(asc(eventAnalysis.eventId));

/** Returns how many orders of an instrument are on their way or at the venue. */
const countInFlight = (db: Db, mode: TradingMode, instrument: string): Promise<number> =>
  drizzleOf(db).$count(
    orders,
    and(eq(orders.tradingMode, mode), eq(orders.instrument, instrument), inArray(orders.status, [...IN_FLIGHT])),
  );

/** Returns when the newest order of an instrument before `at` that was not denied was decided, and the newest if it was. */
async function lastOrders(db: Db, { mode, venue, instrument, at }: LaneQuery) {
  const newest = (...more: SQL[]) =>
    drizzleOf(db)
      .select({
        ...{ decidedAt: orders.decidedAt, status: orders.status, errorMessage: orders.errorMessage },
        ...{ side: orders.side, reduceOnly: orders.reduceOnly },
      })
      .from(orders)
      .where(
        and(
          ...[eq(orders.tradingMode, mode), eq(orders.exchange, venue), eq(orders.instrument, instrument)],
          ...[lt(orders.decidedAt, at), ...more],
        ),
      )
      .orderBy(desc(orders.decidedAt), desc(orders.id))
      .limit(1);
  const [last] = await newest();
  if (last?.status !== "denied") return { lastOrderAt: last?.decidedAt ?? null, standing: null };
  const [placed] = await newest(ne(orders.status, "denied"));
  const standing = { side: last.side, reduceOnly: last.reduceOnly, errorMessage: last.errorMessage };
  return { lastOrderAt: placed?.decidedAt ?? null, standing };
}

/** Returns what a plan needs of the books, as they were just before `at`. */
export async function laneFacts(db: Db, query: LaneQuery): Promise<LaneFacts> {
  const { mode, at, asset, instrument, barSeconds } = query;
  return {
    control: await readControl(db, mode),
    candles: await bars(db, instrument, barSeconds, query.candlesFrom, at),
    inFlight: await countInFlight(db, mode, instrument),
    analyses: await analysesOf(db, query.eventIds),
    positions: await openPositions(db, query),
    reserved: await reservedBefore(db, mode, at),
    otherGrossUsd: await grossBeside(db, query, instrument),
    ...(await pace(db, query, asset, at)),
    earlier: await biasesTo(db, asset, query.timeframe, lt(bias.timestamp, query.biasAt), query.earlier),
    ...(await lastOrders(db, query)),
    ...(await othersIn(db, query)),
    comparedAt: await comparedBefore(db, query, instrument, at),
  };
}
