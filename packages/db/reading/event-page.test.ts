import { sql } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { anyRows } from "#testing/any-rows";
import { type TestDatabase, testDatabase } from "#testing/database";
import { type ReadMeter, readMeter } from "#testing/rows-read";
import { decimalOf } from "#units/decimal";
import { type Instant, instant, instantOf, millis } from "#units/time";
import { type EventFilter, eventPage } from "./overview.ts";

const END = instantOf("2022-06-21T00:00:00.000Z");
const BUSY = `0x${"0".repeat(39)}1`;
const EVENTS = 20_000;
const PAGE = 50;
const daysBefore = (days: number): Instant => instant(millis(END) - days * 86_400_000);
const wanted = (over: Partial<EventFilter>): EventFilter => ({
  ...{ asset: null, type: null, wallet: null, before: null },
  ...over,
});

let database: TestDatabase;
let meter: ReadMeter;
beforeAll(async () => {
  database = await testDatabase();
  const { db } = database;
  await anyRows(db, sql`SELECT app_ts_ensure('events', ${daysBefore(30)}::timestamptz, ${END}::timestamptz)`);
  // 500 wallets, of which one makes every fifth event; 50 assets; three events a block, one in forty of more than 100,000 USD.
  await anyRows(
    db,
    sql`INSERT INTO wallets (id, address, first_seen_at, watched_since)
        SELECT md5('w' || i)::uuid, '0x' || lpad(to_hex(i), 40, '0'), ${END}::timestamptz, ${END}::timestamptz
        FROM generate_series(1, 500) i`,
  );
  await anyRows(
    db,
    sql`INSERT INTO events (id, "timestamp", wallet_id, tx_hash, event_type, asset, notional_usd, direction, observed_at)
        SELECT md5('e' || i)::uuid, ${END}::timestamptz - make_interval(secs => (i / 3) * 360),
               md5('w' || CASE WHEN i % 5 = 0 THEN 1 ELSE 2 + i % 499 END)::uuid, '0x' || i,
               CASE WHEN i % 7 = 0 THEN 'transfer' ELSE 'swap' END, 'A' || i % 50,
               CASE WHEN i % 11 = 0 THEN NULL WHEN i % 40 = 1 THEN 100000 + i ELSE i % 9000 END, 1, ${END}::timestamptz
        FROM generate_series(1, ${EVENTS}::int) i`,
  );
  await anyRows(db, sql`ANALYZE events, wallets, event_analysis, bias_contributions`);
  meter = readMeter(db, (statement) => sql`EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${statement}`);
});
afterAll(() => database.close());

/** The page as the whole table has it, without an index. */
async function expected(filter: Partial<EventFilter>, limit: number) {
  const { asset = null, type = null, wallet = null, from = null, to = null, minUsd = null, before = null } = filter;
  return anyRows(
    database.db,
    sql`SELECT e.id FROM (SELECT * FROM events OFFSET 0) e JOIN wallets w ON w.id = e.wallet_id
        WHERE (${asset}::text IS NULL OR e.asset = ${asset}) AND (${type}::text IS NULL OR e.event_type = ${type})
          AND (${wallet}::text IS NULL OR w.address = ${wallet}) AND (${minUsd}::numeric IS NULL OR e.notional_usd >= ${minUsd})
          AND (${from}::timestamptz IS NULL OR e."timestamp" >= ${from}) AND (${to}::timestamptz IS NULL OR e."timestamp" < ${to})
          AND (${before?.at ?? null}::timestamptz IS NULL
               OR (e."timestamp", e.id) < (${before?.at ?? null}::timestamptz, ${before?.id ?? null}::uuid))
        ORDER BY e."timestamp" DESC, e.id DESC LIMIT ${limit}`,
  );
}

/** More than the page: an index is read to the end of a block, and in each partition to its first row. */
const SLACK = 60;

test.each<[string, Partial<EventFilter>]>([
  ["the newest", {}],
  ["of a busy wallet", { wallet: BUSY }],
  ["of a quiet wallet", { wallet: `0x${"0".repeat(38)}ff` }],
  ["of an asset", { asset: "A7" }],
  ["of a kind", { type: "transfer" }],
  ["large ones", { minUsd: decimalOf("100000") }],
  ["of three days", { from: daysBefore(6), to: daysBefore(3) }],
  ["of a busy wallet in three weeks", { wallet: BUSY, from: daysBefore(24), to: daysBefore(3) }],
])("a page of events reads what it returns, and is the table's own: %s", async (_, filter) => {
  const first = await eventPage(meter.db, wanted(filter), PAGE);
  expect(first.map(({ id }) => id)).toEqual((await expected(filter, PAGE)).map(({ id }) => id));
  const read = meter.rowsRead();
  expect(read.events).toBeLessThanOrEqual(first.length + SLACK);
  expect(read.wallets ?? 0).toBeLessThanOrEqual(first.length);
  const last = first.at(-1);
  if (last === undefined || first.length < PAGE) return;
  const before = { at: last.at, id: last.id };
  const second = await eventPage(meter.db, wanted({ ...filter, before }), PAGE);
  expect(second.map(({ id }) => id)).toEqual((await expected({ ...filter, before }, PAGE)).map(({ id }) => id));
  expect(meter.rowsRead().events).toBeLessThanOrEqual(second.length + SLACK);
});

test("an event without a price is under every least notional, and no wallet has no events", async () => {
  expect(await eventPage(meter.db, wanted({ minUsd: decimalOf("0") }), 200)).not.toContainEqual(
    expect.objectContaining({ notionalUsd: null }),
  );
  expect(await eventPage(meter.db, wanted({ wallet: "0xnone" }), PAGE)).toEqual([]);
});
