import { and, desc, eq, lte, type SQL, sql } from "drizzle-orm";
import { latestAt, type TradeRecords } from "#reporting/compose";
import type { Cursor } from "#reporting/paging";
import type { BiasLine, EventLine, OrderLine, PositionLine } from "#reporting/report";
import type { WaitingPolicy } from "#reporting/waiting";
import type { Account } from "#trading/account";
import type { TradingMode } from "#trading/mode";
import { big, type Decimal } from "#units/decimal";
import { type Instant, instant, millis } from "#units/time";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { iso, rows } from "../rows.ts";
import { bias, blockCursors, chainBlocks, reports, tradingControl, wallets } from "../schema.ts";
import * as kind from "../shape.ts";
import { biasLines } from "./bias-lines.ts";
import { chosenEvents } from "./event-lines.ts";
import { orderLines, standingDenials } from "./order-lines.ts";
import { positionLines } from "./position-lines.ts";
import { tradedAssets } from "./traded-assets.ts";
import { evidenceBefore } from "./wallet-lines.ts";

const TERMS = 5;
const FOUR_HOURS_MS = 4 * 3_600_000;

/** How far the desk has come. Each part is null until there is one. */
export interface DeskHealth {
  readonly block: { readonly number: number; readonly at: Instant; readonly observedAt: Instant } | null;
  readonly cursor: {
    readonly sent: number;
    readonly safe: number;
    readonly finalized: number;
    readonly updatedAt: Instant;
  } | null;
  readonly trading: {
    readonly state: string;
    readonly epoch: number;
    readonly reason: string;
    readonly changedAt: Instant;
  } | null;
  readonly report: { readonly id: string; readonly type: string; readonly end: Instant } | null;
  readonly stops: StopHealth;
}

/** How the open positions of a mode are covered by stops that wait at the venue. */
export interface StopHealth {
  readonly open: number;
  readonly covered: number;
  /** Since when one of them has had no stop; null where all have one. */
  readonly withoutSince: Instant | null;
  /** For how long something was held without one before the stops that wait now, at most; null where none waits. */
  readonly unprotectedSeconds: number | null;
}

/** Returns how far the desk has come on a chain, and whether it may trade. */
export async function deskHealth(db: Db, chain: string, mode: TradingMode): Promise<DeskHealth> {
  const [block] = await drizzleOf(db)
    .select({ number: chainBlocks.number, at: chainBlocks.timestamp, observedAt: chainBlocks.observedAt })
    .from(chainBlocks)
    .where(eq(chainBlocks.chain, chain))
    .orderBy(desc(chainBlocks.number))
    .limit(1);
  const [cursor] = await drizzleOf(db)
    .select({
      sent: blockCursors.lastNumber,
      safe: blockCursors.safeNumber,
      finalized: blockCursors.finalizedNumber,
      updatedAt: blockCursors.updatedAt,
    })
    .from(blockCursors)
    .where(and(eq(blockCursors.chain, chain), eq(blockCursors.stream, "main")));
  const [trading] = await drizzleOf(db)
    .select({
      state: tradingControl.state,
      epoch: tradingControl.epoch,
      reason: tradingControl.reason,
      changedAt: tradingControl.changedAt,
    })
    .from(tradingControl)
    .where(eq(tradingControl.tradingMode, mode));
  const [report] = await drizzleOf(db)
    .select({ id: reports.id, type: reports.reportType, end: reports.periodEnd })
    .from(reports)
    .orderBy(desc(reports.periodEnd), reports.periodStart, reports.reportType)
    .limit(1);
  const stops = await stopHealth(db, mode);
  return { block: block ?? null, cursor: cursor ?? null, trading: trading ?? null, report: report ?? null, stops };
}

const StopsRow = kind.shape("stops of open positions", {
  is_covered: kind.flag,
  since: kind.instant,
  unprotected: kind.orNull(kind.float),
});

/** Of positions that were opened long ago too: an open one is what counts. */
async function stopHealth(db: Db, mode: TradingMode): Promise<StopHealth> {
  const list = await rows(
    db,
    StopsRow,
    sql`SELECT s.live_at IS NOT NULL AS is_covered, ${iso(sql`coalesce(s.exposed_at, p.opened_at)`)} AS since,
               CASE WHEN s.live_at IS NOT NULL
                 THEN greatest(extract(epoch FROM s.live_at - s.exposed_at)::float8, 0) END AS unprotected
        FROM positions p LEFT JOIN LATERAL (
          SELECT q.live_at, q.exposed_at FROM protections q
          WHERE q.trading_mode = p.trading_mode AND q.exchange = p.exchange AND q.instrument = p.instrument
            AND q.kind = 'stop' AND q.ended_at IS NULL
          ORDER BY q.live_at NULLS LAST, q.exposed_at LIMIT 1) s ON true
        WHERE p.trading_mode = ${mode} AND p.closed_at IS NULL`,
  );
  const bare = list.filter((row) => !row.is_covered).map(({ since }) => since);
  const gaps = list.flatMap(({ unprotected }) => unprotected ?? []);
  return {
    ...{ open: list.length, covered: list.length - bare.length },
    withoutSince: bare.sort()[0] ?? null,
    unprotectedSeconds: gaps.length === 0 ? null : Math.max(...gaps),
  };
}

/**
 * Returns the newest bias of every asset and timeframe, or of one asset, with its value four hours before and its five
 * largest contributions. By asset and timeframe. "Newest" is by the newest row, not by a clock; with `at`, of those that stood then.
 */
export async function latestBiases(db: Db, asset: string | null, at: Instant | null = null): Promise<BiasLine[]> {
  const [newest] = await drizzleOf(db)
    .select({ at: bias.timestamp })
    .from(bias)
    .where(and(asset === null ? undefined : eq(bias.asset, asset), at === null ? undefined : lte(bias.timestamp, at)))
    .orderBy(desc(bias.timestamp))
    .limit(1);
  if (!newest) return [];
  const end = instant(millis(newest.at) + 1);
  return biasLines(db, { start: instant(millis(newest.at) - FOUR_HOURS_MS), end, terms: TERMS, asset });
}

/** The newest biases, when they stood so, and what a reader needs to tell why an asset is not traded on them. */
export interface BiasState extends Omit<TradeRecords, "scope"> {
  /** Null without a bias. */
  readonly asOf: Instant | null;
}

/**
 * Returns the newest biases (see `latestBiases`) with the instant that they are of, the evidence there was then, the assets
 * that have an instrument, the account's orders of the four hours before, denied ones included, and the denials that stood before them. As they stood at `at`: of two things only
 * the latest is kept, an order's status and which assets have an instrument.
 */
export async function biasState(
  db: Db,
  { mode, venue }: Account,
  asset: string | null,
  at: Instant | null,
): Promise<BiasState> {
  const biases = await latestBiases(db, asset, at);
  const assets = (await tradedAssets(db)).filter((one) => asset === null || one === asset);
  const asOf = latestAt(biases);
  if (asOf === null) return { asOf, evidence: [], biases, tradedAssets: assets, orders: [], standing: [] };
  const from = instant(millis(asOf) - FOUR_HOURS_MS + 1);
  const orders = await orderLines(
    db,
    sql`o.trading_mode = ${mode} AND o.exchange = ${venue} AND o.decided_at <= ${asOf}::timestamptz
        AND o.decided_at >= ${from}::timestamptz`,
    sql`o.decided_at, o.id`,
  );
  const standing = await standingDenials(db, { mode, venue }, from);
  const evidence = await evidenceBefore(db, instant(millis(asOf) + 1));
  return { asOf, evidence, biases, tradedAssets: assets, orders, standing };
}

/** What a page of events is narrowed to; null = any. */
export interface EventFilter {
  readonly asset: string | null;
  readonly type: string | null;
  /** The wallet's address. */
  readonly wallet: string | null;
  /** Of the block's time, the first included, the last not. */
  readonly from?: Instant | null;
  readonly to?: Instant | null;
  /** The least notional; an event without a price has none. */
  readonly minUsd?: Decimal | null;
  readonly before: Cursor | null;
}

/** Events of so much have an index of their own. Source: migrations/0018_reading.sql */
const LARGE_USD = "100000";

/**
 * Returns a page of events, newest first, then by id. The page is chosen first, by an index in the order of the page, and what
 * stands beside an event is read for those alone.
 */
export async function eventPage(db: Db, filter: EventFilter, limit: number): Promise<EventLine[]> {
  const { asset, type, wallet } = filter;
  const ids = wallet === null ? null : await walletsAt(db, wallet);
  if (ids?.length === 0) return [];
  const newest = sql`e."timestamp" DESC, e.id DESC`;
  const wanted = [...eventsWanted(filter), ...(ids === null ? [] : [among(sql`e.wallet_id`, ids)])];
  const leading =
    ids !== null ? sql`e.wallet_id` : asset !== null ? sql`e.asset` : type !== null ? sql`e.event_type` : null;
  // An address of several chains has a page of no one index; there are few.
  const order = leading === null || (ids?.length ?? 1) > 1 ? newest : sql`${leading}, ${newest}`;
  const where = wanted.length === 0 ? sql`true` : sql.join(wanted, sql` AND `);
  return chosenEvents(db, sql`SELECT e.* FROM events e WHERE ${where} ORDER BY ${order} LIMIT ${limit}`, newest);
}

/** An address may be watched on several chains. */
async function walletsAt(db: Db, address: string): Promise<readonly string[]> {
  const list = await drizzleOf(db).select({ id: wallets.id }).from(wallets).where(eq(wallets.address, address));
  return list.map(({ id }) => id);
}

/**
 * One value is written as a range. Then the column leads the order of the page, and only its own index is in that order; of an
 * equality the server drops the column from the order, and may go through all events by time for the few that are wanted.
 */
const among = (column: SQL, values: readonly string[]): SQL =>
  values.length === 1
    ? sql`${column} >= ${values[0]} AND ${column} <= ${values[0]}`
    : sql`${column} = ANY(${sql.param([...values])}::uuid[])`;

/** Each part is there only when it is asked for. */
function eventsWanted({ asset, type, from = null, to = null, minUsd = null, before }: EventFilter): SQL[] {
  const at = sql`e."timestamp"`;
  return [
    ...(asset === null ? [] : [among(sql`e.asset`, [asset])]),
    ...(type === null ? [] : [among(sql`e.event_type`, [type])]),
    ...(from === null ? [] : [sql`${at} >= ${from}::timestamptz`]),
    ...(to === null ? [] : [sql`${at} < ${to}::timestamptz`]),
    ...(minUsd === null ? [] : [sql`e.notional_usd >= ${minUsd}::numeric`]),
    // In the words of the index, or it is not found to serve.
    ...(minUsd === null || big(minUsd).lt(LARGE_USD) ? [] : [sql`e.notional_usd >= ${sql.raw(LARGE_USD)}`]),
    // The first of the two leaves out partitions; the pair alone does not.
    ...(before === null
      ? []
      : [sql`${at} <= ${before.at}::timestamptz AND (${at}, e.id) < (${before.at}::timestamptz, ${before.id}::uuid)`]),
  ];
}

/** What a page of orders is narrowed to; null = any. The span is of the decision: the first instant included, the last not. */
export interface OrderFilter {
  readonly status: string | null;
  readonly asset?: string | null;
  readonly from?: Instant | null;
  readonly to?: Instant | null;
  readonly before: Cursor | null;
}

/** Returns a page of orders of an account, newest decision first, then by id. The page is chosen before anything is read beside it. */
export function orderPage(db: Db, { mode, venue }: Account, filter: OrderFilter, limit: number): Promise<OrderLine[]> {
  const { status, asset = null, from = null, to = null, before } = filter;
  const wanted = [
    sql`o.trading_mode = ${mode} AND o.exchange = ${venue}`,
    ...(status === null ? [] : [sql`o.status = ${status}`]),
    ...(asset === null ? [] : [sql`o.asset = ${asset}`]),
    ...(from === null ? [] : [sql`o.decided_at >= ${from}::timestamptz`]),
    ...(to === null ? [] : [sql`o.decided_at < ${to}::timestamptz`]),
    ...(before === null ? [] : [sql`(o.decided_at, o.id) < (${before.at}::timestamptz, ${before.id}::uuid)`]),
  ];
  const newest = sql`o.decided_at DESC, o.id DESC`;
  const page = sql`SELECT o.id FROM orders o WHERE ${sql.join(wanted, sql` AND `)} ORDER BY ${newest} LIMIT ${limit}`;
  return orderLines(db, sql`o.id IN (${page})`, newest);
}

/** Returns positions of an account, newest first: the open ones, the closed ones, or both. */
export function positionList(
  db: Db,
  { mode, venue }: Account,
  policy: WaitingPolicy,
  state: "open" | "closed" | "all",
  limit: number,
): Promise<PositionLine[]> {
  const wanted = { open: sql`p.closed_at IS NULL`, closed: sql`p.closed_at IS NOT NULL`, all: sql`true` }[state];
  return positionLines(db, policy, sql`p.trading_mode = ${mode} AND p.exchange = ${venue} AND ${wanted}`, limit);
}
