import { and, asc, between, eq, gte, lte, type SQL, sql } from "drizzle-orm";
import type { Candle } from "#units/candle";
import type { Decimal } from "#units/decimal";
import { type Instant, instant, millis } from "#units/time";
import { insertion } from "../bulk.ts";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { iso, plain, rows } from "../rows.ts";
import { prices } from "../schema.ts";
import * as kind from "../shape.ts";

const CloseRow = kind.shape("closes before", { instrument: kind.text, opened: kind.instant, close: kind.decimal });
const OpeningRow = kind.shape("newest openings", { instrument: kind.text, opened: kind.instant });

/** Candles of one instrument and width. */
export interface Series {
  readonly instrument: string;
  readonly barSeconds: number;
}

/** A stored bar that the venue now reports otherwise. */
export interface Correction {
  readonly openedAt: Instant;
  readonly before: Candle;
  readonly after: Candle;
}

/** The close of one bar: known from `closedAt` on. */
export interface Close {
  readonly instrument: string;
  readonly openedAt: Instant;
  readonly closedAt: Instant;
  readonly close: Decimal;
}

const CHUNK = 1000;

/** Returns the opening of the last bar that is closed at `at`. */
export const lastClosedOpening = (at: Instant, barSeconds: number): Instant =>
  instant((Math.floor(millis(at) / (barSeconds * 1000)) - 1) * barSeconds * 1000);

/** Returns the opening of the newest bar that may be used at `at`: one that opened a whole bar before it. */
export const usableOpening = (at: Instant, barSeconds: number): Instant => instant(millis(at) - barSeconds * 1000);

const columns = {
  openedAt: prices.timestamp,
  open: prices.open,
  high: prices.high,
  low: prices.low,
  close: prices.close,
  volume: prices.volume,
};

const ofSeries = ({ instrument, barSeconds }: Series) =>
  and(eq(prices.instrument, instrument), eq(prices.barSeconds, barSeconds));

const FIELDS = ["open", "high", "low", "close", "volume"] as const;
const differ = (a: Candle, b: Candle): boolean => FIELDS.some((field) => a[field] !== b[field]);

async function upsertChunk(db: Db, series: Series, source: string, candles: readonly Candle[]): Promise<Correction[]> {
  const openings = candles.map((candle) => candle.openedAt).sort();
  const [first, last] = [openings[0], openings.at(-1)]; // bounds leave partitions out, a list does not
  if (!first || !last) return [];
  const isOneOf = sql`${prices.timestamp} = ANY(${sql.param(openings)}::timestamptz[])`;
  const stored = await drizzleOf(db)
    .select(columns)
    .from(prices)
    .where(and(ofSeries(series), between(prices.timestamp, first, last), isOneOf))
    .orderBy(asc(prices.timestamp));
  const known = new Map(stored.map((candle) => [candle.openedAt, candle]));
  const corrections: Correction[] = [];
  const changed = candles.filter((after) => {
    const before = known.get(after.openedAt);
    if (before && differ(before, after)) corrections.push({ openedAt: after.openedAt, before, after });
    return !before || differ(before, after);
  });
  if (changed.length === 0) return [];
  const bars = changed.map(({ openedAt, ...candle }) => ({ ...series, timestamp: openedAt, ...candle, source }));
  await drizzleOf(db).execute(sql`${insertion(prices, bars)}
    ON CONFLICT (instrument, bar_seconds, "timestamp") DO UPDATE SET open = excluded.open, high = excluded.high,
      low = excluded.low, close = excluded.close, volume = excluded.volume, source = excluded.source`);
  return corrections;
}

/**
 * Stores closed bars; storing them again changes nothing. Of two candles with one opening the last wins. A bar that the
 * venue reports differently than before is replaced, since the venue is the authority, and returned: whoever computed from
 * the old one can be reported. `candles` are as the venue writes them, decimals without trailing zeros.
 */
export async function upsertCandles(
  db: Db,
  series: Series,
  source: string,
  candles: readonly Candle[],
): Promise<Correction[]> {
  const unique = [...new Map(candles.map((candle) => [candle.openedAt, candle])).values()];
  const corrections: Correction[] = [];
  for (let i = 0; i < unique.length; i += CHUNK) {
    corrections.push(...(await upsertChunk(db, series, source, unique.slice(i, i + CHUNK))));
  }
  return corrections;
}

/**
 * Returns, per instrument that has one, the close of the last bar closed at or before `at` (opening + width ≤ `at`) and
 * at most `maxAgeSeconds` old, sorted by instrument. The bar in which `at` stands is never used, so no later trade can
 * change the answer. In a gap it is an older close: `closedAt` tells how old.
 */
export async function closesBefore(
  db: Db,
  instruments: readonly string[],
  barSeconds: number,
  at: Instant,
  maxAgeSeconds: number,
): Promise<Close[]> {
  const newest = usableOpening(at, barSeconds);
  const oldest = instant(millis(newest) - maxAgeSeconds * 1000);
  // One indexed look-up each, in one statement: DISTINCT ON over all bars would read the whole series. Two bounds, so that
  // one partition is looked into and not all that are older.
  const found = await rows(
    db,
    CloseRow,
    sql`SELECT i.instrument, ${iso(sql`p."timestamp"`)} AS opened, ${plain(sql`p.close`)} AS close
        FROM unnest(${sql.param([...new Set(instruments)])}::text[]) AS i(instrument)
        CROSS JOIN LATERAL (
          SELECT "timestamp", close FROM prices
          WHERE prices.instrument = i.instrument AND bar_seconds = ${barSeconds}
            AND "timestamp" <= ${newest}::timestamptz AND "timestamp" >= ${oldest}::timestamptz
          ORDER BY "timestamp" DESC LIMIT 1) p
        ORDER BY i.instrument COLLATE "C"`,
  );
  return found.map(({ instrument, opened, close }) => ({
    instrument,
    openedAt: opened,
    closedAt: instant(millis(opened) + barSeconds * 1000),
    close,
  }));
}

/**
 * Returns the bars that opened at or after `from` and were closed at or before `to`, ascending. The bar in which `to`
 * stands is left out, so nothing after `to` shows. Gaps stay gaps.
 */
export const bars = async (
  db: Db,
  instrument: string,
  barSeconds: number,
  from: Instant,
  to: Instant,
): Promise<Candle[]> => barsFrom(db, instrument, barSeconds, sql`${from}`, to);

/** Selects the same; `from` may be an expression, and none where it is null. */
export const barsFrom = (db: Db, instrument: string, barSeconds: number, from: SQL, to: Instant) =>
  drizzleOf(db)
    .select(columns)
    .from(prices)
    .where(
      and(
        ...[ofSeries({ instrument, barSeconds }), gte(prices.timestamp, from)],
        lte(prices.timestamp, usableOpening(to, barSeconds)),
      ),
    )
    .orderBy(asc(prices.timestamp));

/** Returns the opening of the newest stored bar of each instrument that has any. For syncing, not for deciding. */
export async function newestOpenings(
  db: Db,
  instruments: readonly string[],
  barSeconds: number,
): Promise<Map<string, Instant>> {
  // One look-up by index each, as above: an aggregate reads every bar.
  const found = await rows(
    db,
    OpeningRow,
    sql`SELECT i.instrument, ${iso(sql`p."timestamp"`)} AS opened
        FROM unnest(${sql.param([...new Set(instruments)])}::text[]) AS i(instrument)
        CROSS JOIN LATERAL (
          SELECT "timestamp" FROM prices WHERE prices.instrument = i.instrument AND bar_seconds = ${barSeconds}
          ORDER BY "timestamp" DESC LIMIT 1) p
        ORDER BY i.instrument COLLATE "C"`,
  );
  return new Map(found.map(({ instrument, opened }) => [instrument, opened]));
}
