import { and, asc, desc, eq, gte, lt, lte, type SQL, sql } from "drizzle-orm";
import type { Account } from "#trading/account";
import { FIRST_UNITS } from "#trading/ledger/ledger";
import { type EquityState, equityStateOf } from "#trading/positions/equity-state";
import type { TradingStore } from "#trading/store";
import { fixed, text } from "#units/decimal";
import { barStart, type Instant, instant, millis } from "#units/time";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { equitySnapshots } from "../schema.ts";
import { together } from "../together.ts";

const PEAK_DAYS = 30;

/** Stores the balance at `at`, once, in the units of the one before: a second run of the same minute changes nothing. */
export async function insertEquity(
  db: Db,
  { mode, venue }: Account,
  at: Instant,
  balance: Parameters<TradingStore["recordEquity"]>[1],
): Promise<void> {
  const [equity, available] = [text(fixed(balance.equity, 8)), text(fixed(balance.available, 8))];
  const mine = sql`e.trading_mode = ${mode} AND e.exchange = ${venue} AND e.at < ${at}::timestamptz`;
  const units = sql`coalesce((SELECT e.units FROM equity_snapshots e WHERE ${mine} ORDER BY e.at DESC LIMIT 1), ${FIRST_UNITS}::numeric)`;
  await drizzleOf(db)
    .insert(equitySnapshots)
    .values({ tradingMode: mode, exchange: venue, at, equity, available, units })
    .onConflictDoNothing();
}

/**
 * Selects what an equity is judged by: the newest strictly before `at`, or at `at` too when `inclusive`, the first of its day
 * and the highest of late, as far as bills explain it; each one row, or none. The last two are of those that were compared with
 * their bills, and of those since the newest of these: one before it may have in it a transfer that nobody knew.
 */
export function equityQueries(db: Db, { mode, venue }: Account, at: Instant, inclusive: boolean) {
  const { equity, units, at: taken, tradingMode, exchange, gap } = equitySnapshots;
  const until = inclusive ? lte(taken, at) : lt(taken, at);
  const from = instant(millis(at) - PEAK_DAYS * 86_400_000);
  const edge = sql.raw(inclusive ? "<=" : "<");
  const mine = sql`e.trading_mode = ${mode} AND e.exchange = ${venue} AND e.at ${edge} ${at}::timestamptz`;
  const compared = sql`SELECT max(e.at) FROM equity_snapshots e WHERE ${mine} AND e.gap IS NOT NULL`;
  const isJudgedBy = sql`(${gap} IS NOT NULL OR ${taken} > coalesce((${compared}), '-infinity'))`;
  const select = (since: SQL | undefined, order: SQL) =>
    drizzleOf(db)
      .select({ equity, units, at: taken, gap })
      .from(equitySnapshots)
      .where(and(eq(tradingMode, mode), eq(exchange, venue), until, since))
      .orderBy(order, asc(taken))
      .limit(1);
  return {
    now: select(undefined, desc(taken)),
    day: select(and(gte(taken, barStart(at, 86_400)), isJudgedBy), asc(taken)),
    peak: select(and(gte(taken, from), isJudgedBy), sql`(${equity} - coalesce(${gap}, 0)) / ${units} DESC`),
  };
}

/** Returns the newest equity strictly before `at`; null when there is none. */
export async function equityAt(db: Db, account: Account, at: Instant): Promise<EquityState | null> {
  const found = await together(db, equityQueries(db, account, at, false));
  const [now] = found.now;
  return now ? equityStateOf(now, found.day[0], found.peak[0]) : null;
}
