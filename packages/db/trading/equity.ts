import { and, eq, gt, type SQL, sql } from "drizzle-orm";
import type { Account } from "#trading/account";
import { FIRST_UNITS } from "#trading/ledger/ledger";
import { type EquityState, equityStateOf } from "#trading/positions/equity-state";
import type { AccountHealth, TradingStore } from "#trading/store";
import { fixed, text } from "#units/decimal";
import { barStart, type Instant, instant, millis } from "#units/time";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { iso, plain, rows } from "../rows.ts";
import { equitySnapshots, orders } from "../schema.ts";
import * as kind from "../shape.ts";

const EquityRow = kind.shape("equity", {
  what: kind.oneOf("now", "day", "peak"),
  equity: kind.decimal,
  units: kind.decimal,
  at: kind.instant,
});

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
  const pick = (what: string, where: SQL, order: SQL) =>
    sql`(SELECT ${sql.raw(`'${what}'`)} AS what, ${plain(sql`equity`)} AS equity, ${plain(sql`units`)} AS units, ${iso(sql`at`)} AS at
         FROM equity_snapshots WHERE ${mine} AND ${where} ORDER BY ${order} LIMIT 1)`;
  const found = await rows(
    db,
    EquityRow,
    sql`${pick("now", sql`true`, sql`equity_snapshots.at DESC`)}
        UNION ALL ${pick("day", sql`at >= ${day}`, sql`equity_snapshots.at`)}
        UNION ALL ${pick("peak", sql`at >= ${from}`, sql`equity_snapshots.equity / units DESC, equity_snapshots.at`)}`,
  );
  const of = (what: string) => found.find((row) => row.what === what);
  const now = of("now");
  return now ? equityStateOf(now, of("day"), of("peak")) : null;
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
