import { sql } from "drizzle-orm";
import type { Account } from "#trading/account";
import type { VenueBalance } from "#trading/venue";
import { type Decimal, fixed, text } from "#units/decimal";
import { barStart, type Instant, instant, millis } from "#units/time";
import type { Db } from "../client.ts";
import { iso, plain, rows } from "../rows.ts";
import { equitySnapshots } from "../schema.ts";

/** Equity before an instant, in USDT. */
export interface EquityState {
  readonly equity: Decimal;
  readonly at: Instant;
  /** At the first snapshot of the UTC day of `at`. */
  readonly dayStart: Decimal;
  /** The highest of the last 30 days. */
  readonly peak: Decimal;
}

const PEAK_DAYS = 30;

/** Stores the balance at `at`, once: a second run of the same minute changes nothing. */
export async function insertEquity(
  db: Db,
  { mode, venue }: Account,
  at: Instant,
  balance: VenueBalance,
): Promise<void> {
  const [equity, available] = [text(fixed(balance.equity, 8)), text(fixed(balance.available, 8))];
  await db
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
  const [row] = await rows<{ equity: Decimal; at: Instant; day_start: Decimal | null; peak: Decimal | null }>(
    db,
    sql`SELECT ${plain(sql`e.equity`)} AS equity, ${iso(sql`e.at`)} AS at,
               (SELECT ${plain(sql`d.equity`)} FROM equity_snapshots d WHERE ${mine} AND d.at >= ${day} ORDER BY d.at LIMIT 1) AS day_start,
               (SELECT ${plain(sql`max(p.equity)`)} FROM equity_snapshots p WHERE ${mine} AND p.at >= ${from}) AS peak
        FROM equity_snapshots e WHERE ${mine} ORDER BY e.at DESC LIMIT 1`,
  );
  if (!row) return null;
  return { equity: row.equity, at: row.at, dayStart: row.day_start ?? row.equity, peak: row.peak ?? row.equity };
}
