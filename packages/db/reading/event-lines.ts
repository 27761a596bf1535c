import { type SQL, sql } from "drizzle-orm";
import type { EventLine } from "#reporting/report";
import type { Db } from "../client.ts";
import { iso, plain, rows } from "../rows.ts";
import * as kind from "../shape.ts";

const EventRow = kind.shape("event lines", {
  id: kind.id("event"),
  at: kind.instant,
  wallet_id: kind.id("wallet"),
  address: kind.text,
  label: kind.orNull(kind.text),
  type: kind.text,
  asset: kind.orNull(kind.text),
  direction: kind.int,
  amount: kind.orNull(kind.decimal),
  notional_usd: kind.orNull(kind.decimal),
  venue: kind.orNull(kind.text),
  tx_hash: kind.text,
  pattern: kind.orNull(kind.text),
  push: kind.orNull(kind.float),
});

/**
 * Returns events as they are shown. `where` and `order` speak of `e` (events) and `w` (wallets); give a
 * range of `e."timestamp"`, so that only its partitions are read.
 */
export const eventLines = (db: Db, where: SQL, order: SQL): Promise<EventLine[]> =>
  shown(db, sql`events e JOIN wallets w ON w.id = e.wallet_id`, sql`WHERE ${where} ORDER BY ${order}`);

/**
 * Returns the events that `chosen` selects, whole rows of `events`, as they are shown: of those rows alone anything else is read.
 * `order` speaks of `e`.
 */
export const chosenEvents = (db: Db, chosen: SQL, order: SQL): Promise<EventLine[]> =>
  // The limit keeps the server from reading all wallets for the few of a page.
  shown(
    db,
    sql`(${chosen}) e JOIN LATERAL (SELECT v.address, v.label FROM wallets v WHERE v.id = e.wallet_id LIMIT 1) w ON true`,
    sql`ORDER BY ${order}`,
  );

async function shown(db: Db, from: SQL, rest: SQL): Promise<EventLine[]> {
  const list = await rows(
    db,
    EventRow,
    sql`SELECT e.id, ${iso(sql`e."timestamp"`)} AS at, e.wallet_id, w.address, w.label, e.event_type AS type, e.asset,
               e.direction, ${plain(sql`e.amount`)} AS amount, ${plain(sql`e.notional_usd`)} AS notional_usd, e.venue,
               e.tx_hash, a.pattern_matched AS pattern, c.push
        FROM ${from}
        LEFT JOIN event_analysis a ON a.event_id = e.id
        LEFT JOIN LATERAL (
          SELECT b.w * b.d AS push FROM bias_contributions b WHERE b.event_id = e.id
          ORDER BY abs(b.w * b.d) DESC, b.asset, b.timeframe LIMIT 1
        ) c ON true
        ${rest}`,
  );
  return list.map(eventLine);
}

/** Returns the events of `ids` that are still in the feed, by id. */
export async function eventsById(db: Db, ids: readonly string[]): Promise<ReadonlyMap<string, EventLine>> {
  if (ids.length === 0) return new Map();
  const list = await eventLines(db, sql`e.id = ANY(${sql.param([...new Set(ids)])}::uuid[])`, sql`e.id`);
  return new Map(list.map((event) => [event.id, event]));
}

const eventLine = (row: kind.RowOf<typeof EventRow>): EventLine => ({
  id: row.id,
  at: row.at,
  wallet: { id: row.wallet_id, address: row.address, label: row.label },
  type: row.type,
  asset: row.asset,
  direction: row.direction,
  amount: row.amount,
  notionalUsd: row.notional_usd,
  venue: row.venue,
  txHash: row.tx_hash,
  pattern: row.pattern,
  push: row.push,
});
