import { and, desc, eq, gte, isNotNull, lt, sql } from "drizzle-orm";
import type { ReportRecords } from "#reporting/compose";
import { Report, type Scope } from "#reporting/report";
import { ROUND_TRIP_COST } from "#scoring/outcome";
import { policyOf } from "#trading/plans/policy";
import { type Id, idOf } from "#units/ids";
import { HORIZONS, type Instant, instant, millis } from "#units/time";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { iso, plain, rows } from "../rows.ts";
import { chainBlocks, eventRefs, reports, tradingControl, wallets } from "../schema.ts";
import * as kind from "../shape.ts";
import { biasLines } from "./bias-lines.ts";
import { eventLines } from "./event-lines.ts";
import { orderLines, standingDenials } from "./order-lines.ts";
import { positionLines } from "./position-lines.ts";
import { tradedAssets } from "./traded-assets.ts";
import { evidenceBefore, scoredWallets } from "./wallet-lines.ts";

const OutcomeRow = kind.shape("outcomes of a report", {
  horizon: kind.oneOf(...HORIZONS),
  settled: kind.int,
  hits: kind.int,
  decided: kind.int,
});
const EquityRow = kind.shape("equity of a report", {
  at: kind.instant,
  equity: kind.decimal,
  units: kind.decimal,
  gap: kind.orNull(kind.decimal),
});
const FillRow = kind.shape("fills of a report", {
  notionalUsd: kind.orNull(kind.decimal),
  fee: kind.decimal,
  feeAsset: kind.text,
  feePrice: kind.orNull(kind.decimal),
});
const FundingRow = kind.shape("funding of a report", { amount: kind.decimal });

const TERMS = 3;
/** Biases are refreshed every minute. */
const BIAS_MS = 60_000;

/** Returns SQL that is true for times in [start, end) of a scope. */
const during = (column: ReturnType<typeof sql>, { start, end }: Scope) =>
  sql`${column} >= ${start}::timestamptz AND ${column} < ${end}::timestamptz`;

/**
 * Returns the rows of a report's period, read from one snapshot of the database. An event or a block belongs to the
 * period in which the desk saw it, so that a late one is in exactly one report; an order to that in which it was decided.
 */
export async function reportRecords(db: Db, scope: Scope): Promise<ReportRecords> {
  return drizzleOf(db).transaction((tx) => read(tx, scope), {
    isolationLevel: "repeatable read",
    accessMode: "read only",
  });
}

async function read(tx: Db, scope: Scope): Promise<ReportRecords> {
  const seen = await blocks(tx, scope);
  const end = marketEnd(scope, seen);
  return {
    scope,
    trading: await tradingState(tx, scope),
    watchedWallets: await watchedWallets(tx, scope),
    blocks: seen,
    retracted: await retracted(tx, scope),
    events: await eventLines(
      tx,
      // A block is seen within a day of its own time, or the desk was down for as long: then it is reported by its outcomes.
      sql`e."timestamp" >= ${scope.start}::timestamptz - interval '1 day' AND e."timestamp" < ${scope.end}::timestamptz
          AND ${during(sql`e.observed_at`, scope)} AND e.chain = ${scope.chain}`,
      sql`e.id`,
    ),
    marketAt: scope.type === "run" ? instant(millis(end) - 1) : null,
    biases: await biasLines(tx, { start: scope.start, end, terms: TERMS }),
    evidence: await evidenceBefore(tx, end),
    tradedAssets: await tradedAssets(tx),
    wallets: await scoredWallets(tx, { start: scope.start, end, settledBy: scope.end }),
    outcomes: await outcomes(tx, scope),
    equity: await equity(tx, scope),
    orders: await orderLines(
      tx,
      sql`${ours(sql`o`, scope)} AND ${during(sql`o.decided_at`, scope)}`,
      sql`o.decided_at, o.id`,
    ),
    standing: await standingDenials(tx, scope, scope.start),
    fills: await fills(tx, scope),
    funding: await funding(tx, scope),
    positions: await positionLines(
      tx,
      policyOf(scope),
      sql`${ours(sql`p`, scope)} AND p.opened_at < ${scope.end}::timestamptz
          AND (p.closed_at IS NULL OR ${during(sql`p.closed_at`, scope)})`,
    ),
  };
}

/** A run goes on for a day after its last block, and every bias has decayed by then: biases and scores are as of that block. */
function marketEnd({ type, end }: Scope, seen: ReportRecords["blocks"]): Instant {
  const last = seen.at(-1);
  if (type !== "run" || !last) return end;
  const settled = instant(millis(last.observedAt) + BIAS_MS + 1);
  return settled < end ? settled : end;
}

const ours = (alias: ReturnType<typeof sql>, { mode, venue }: Scope) =>
  sql`${alias}.trading_mode = ${mode} AND ${alias}.exchange = ${venue}`;

async function tradingState(db: Db, { mode }: Scope): Promise<ReportRecords["trading"]> {
  const [row] = await drizzleOf(db)
    .select({ state: tradingControl.state, reason: tradingControl.reason })
    .from(tradingControl)
    .where(eq(tradingControl.tradingMode, mode));
  return row ?? null;
}

const watchedWallets = (db: Db, { chain }: Scope): Promise<number> =>
  drizzleOf(db).$count(wallets, and(eq(wallets.chain, chain), eq(wallets.isActive, true)));

const blocks = (db: Db, { chain, start, end }: Scope): Promise<ReportRecords["blocks"]> =>
  drizzleOf(db)
    .select({
      number: chainBlocks.number,
      at: chainBlocks.timestamp,
      observedAt: chainBlocks.observedAt,
      transactions: chainBlocks.txCount,
      transfers: chainBlocks.transferCount,
    })
    .from(chainBlocks)
    .where(and(eq(chainBlocks.chain, chain), gte(chainBlocks.observedAt, start), lt(chainBlocks.observedAt, end)))
    .orderBy(chainBlocks.number);

const retracted = (db: Db, { chain, start, end }: Scope): Promise<ReportRecords["retracted"]> =>
  drizzleOf(db)
    .select({ blockHash: eventRefs.blockHash })
    .from(eventRefs)
    .where(
      and(
        eq(eventRefs.chain, chain),
        isNotNull(eventRefs.reorgedAt),
        gte(eventRefs.reorgedAt, start),
        lt(eventRefs.reorgedAt, end),
      ),
    )
    .orderBy(eventRefs.id);

const outcomes = (db: Db, scope: Scope): Promise<ReportRecords["outcomes"]> =>
  rows(
    db,
    OutcomeRow,
    sql`SELECT horizon, count(*)::int AS settled, (count(*) FILTER (WHERE excess > 0))::int AS hits,
               (count(*) FILTER (WHERE abs(forward_return - beta * market_return) > ${ROUND_TRIP_COST}::float8))::int AS decided
        FROM wallet_outcomes WHERE ${during(sql`as_of`, scope)} GROUP BY horizon ORDER BY horizon`,
  );

const equity = (db: Db, scope: Scope): Promise<ReportRecords["equity"]> =>
  rows(
    db,
    EquityRow,
    sql`SELECT ${iso(sql`s.at`)} AS at, ${plain(sql`s.equity`)} AS equity, ${plain(sql`s.units`)} AS units, ${plain(sql`s.gap`)} AS gap
        FROM equity_snapshots s
        WHERE ${ours(sql`s`, scope)} AND s.at < ${scope.end}::timestamptz AND s.at >= coalesce(
          (SELECT max(q.at) FROM equity_snapshots q WHERE ${ours(sql`q`, scope)} AND q.at < ${scope.start}::timestamptz),
          ${scope.start}::timestamptz)
        ORDER BY s.at`,
  );

const fills = (db: Db, scope: Scope): Promise<ReportRecords["fills"]> =>
  rows(
    db,
    FillRow,
    sql`SELECT ${plain(sql`f.size * f.price * i.contract_size`)} AS "notionalUsd", ${plain(sql`f.fee`)} AS fee,
               f.fee_asset AS "feeAsset", ${plain(sql`f.fee_price`)} AS "feePrice"
        FROM order_fills f LEFT JOIN instruments i ON i.id = f.instrument
        WHERE ${ours(sql`f`, scope)} AND ${during(sql`f.filled_at`, scope)}
        ORDER BY f.instrument, f.exchange_trade_id`,
  );

const funding = (db: Db, scope: Scope): Promise<ReportRecords["funding"]> =>
  rows(
    db,
    FundingRow,
    sql`SELECT ${plain(sql`g.amount`)} AS amount FROM funding_payments g
        WHERE ${ours(sql`g`, scope)} AND ${during(sql`g.at`, scope)} ORDER BY g.bill_id`,
  );

/**
 * Writes a report, or replaces the one of the same type and start: building it twice makes one. Returns its id. The
 * column `notable_events` holds the events, `metrics` the rest of the record.
 */
export async function saveReport(db: Db, report: Report, markdown: string): Promise<Id<"report">> {
  const { type, start, end } = report.scope;
  const { events, ...rest } = report;
  const row = { periodEnd: end, summaryMarkdown: markdown, metrics: rest, notableEvents: events };
  const id = idOf("report", type, start);
  await drizzleOf(db)
    .insert(reports)
    .values({ id, reportType: type, periodStart: start, ...row })
    .onConflictDoUpdate({ target: [reports.reportType, reports.periodStart], set: row });
  return id;
}

/** A report as it was stored. */
export interface StoredReport {
  readonly id: string;
  readonly report: Report;
  readonly markdown: string;
}

/** Returns the report that ends last (of two that end together the one that began first), or null when there is none. */
export async function latestReport(db: Db): Promise<StoredReport | null> {
  const [row] = await drizzleOf(db)
    .select()
    .from(reports)
    .orderBy(desc(reports.periodEnd), reports.periodStart, reports.reportType)
    .limit(1);
  if (!row) return null;
  const rest: unknown = row.metrics;
  const report = Report.parse({ ...(rest as object), events: row.notableEvents });
  return { id: row.id, report, markdown: row.summaryMarkdown ?? "" };
}
