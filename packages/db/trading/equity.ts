import { and, eq, gt, sql } from "drizzle-orm";
import type { Account } from "#trading/account";
import type { EquityState } from "#trading/positions/equity-state";
import type { AccountHealth, TradingStore } from "#trading/store";
import { fixed, text } from "#units/decimal";
import { barStart, type Instant, instant, millis } from "#units/time";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { iso, plain, rows } from "../rows.ts";
import { equitySnapshots, orders } from "../schema.ts";
import * as kind from "../shape.ts";

const EquityRow = kind.shape("equity", {
  equity: kind.decimal,
  at: kind.instant,
  day_start: kind.orNull(kind.decimal),
  peak: kind.orNull(kind.decimal),
});

const PEAK_DAYS = 30;

/** Stores the balance at `at`, once: a second run of the same minute changes nothing. */
export async function insertEquity(
  db: Db,
  { mode, venue }: Account,
  at: Instant,
  balance: Parameters<TradingStore["recordEquity"]>[1],
): Promise<void> {
  const [equity, available] = [text(fixed(balance.equity, 8)), text(fixed(balance.available, 8))];
  await drizzleOf(db)
    .insert(equitySnapshots)
    .values({ tradingMode: mode, exchange: venue, at, equity, available })
    .onConflictDoNothing();
}

/** Returns the newest equity strictly before `at`, or at `at` too when `inclusive`; null when there is none. */
export async function equityAt(
  db: Db,
  { mode, venue }: Account,
  at: Instant,
  inclusive = false,
): Promise<EquityState | null> {
  const until = inclusive ? sql`at <= ${at}` : sql`at < ${at}`;
  const mine = sql`trading_mode = ${mode} AND exchange = ${venue} AND ${until}`;
  const day = barStart(at, 86_400);
  const from = instant(millis(at) - PEAK_DAYS * 86_400_000);
  const [row] = await rows(
    db,
    EquityRow,
    sql`SELECT ${plain(sql`e.equity`)} AS equity, ${iso(sql`e.at`)} AS at,
               (SELECT ${plain(sql`d.equity`)} FROM equity_snapshots d WHERE ${mine} AND d.at >= ${day} ORDER BY d.at LIMIT 1) AS day_start,
               (SELECT ${plain(sql`max(p.equity)`)} FROM equity_snapshots p WHERE ${mine} AND p.at >= ${from}) AS peak
        FROM equity_snapshots e WHERE ${mine} ORDER BY e.at DESC LIMIT 1`,
  );
  if (!row) return null;
  return { equity: row.equity, at: row.at, dayStart: row.day_start ?? row.equity, peak: row.peak ?? row.equity };
}

/** Returns the newest equity at or before `at`, with the orders that the venue rejected in the ten minutes before it. */
export async function accountHealth(db: Db, account: Account, at: Instant): Promise<AccountHealth | null> {
  const state = await equityAt(db, account, at, true);
  if (state === null) return null;
  const before = (ms: number) => instant(millis(at) - ms);
  const rejects = await drizzleOf(db).$count(
    orders,
    and(
      eq(orders.tradingMode, account.mode),
      eq(orders.status, "rejected"),
      gt(orders.updatedAt, before(600_000)),
      gt(orders.decidedAt, before(3_600_000)),
    ),
  );
  return { ...state, rejects };
}
