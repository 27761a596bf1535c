import { sql } from "drizzle-orm";
import { afterAll, beforeEach, expect, test } from "vitest";
import { anyRows } from "#testing/any-rows";
import { type TestDatabase, testDatabase } from "#testing/database";
import { idOf } from "#units/ids";
import { instantOf } from "#units/time";
import { walletIdOf, watchWallets } from "../chain/wallets.ts";
import { digest } from "./digest.ts";
import { maintainPartitions, maintainStorage } from "./maintenance.ts";

let database: TestDatabase | null = null;
let db: TestDatabase["db"];
beforeEach(async () => {
  await database?.close();
  database = await testDatabase();
  db = database.db;
});
afterAll(() => database?.close());

const AT = instantOf("2022-06-21T00:15:00.000Z");
const ADDRESS = `0x${"0a".repeat(20)}`;
const WALLET = walletIdOf("ethereum", ADDRESS);

/** Two events, each with a contribution: one of 100 days ago, one of yesterday. And two closed positions. */
async function seed(): Promise<void> {
  await watchWallets(
    db,
    "ethereum",
    [{ address: ADDRESS, label: null, tags: [] }],
    instantOf("2022-01-01T00:00:00.000Z"),
  );
  for (const at of ["2022-03-13T00:00:00.000Z", "2022-06-20T00:00:00.000Z"]) {
    const id = idOf("event", at);
    await db.execute(
      sql`INSERT INTO event_refs(id, "timestamp", wallet_id, chain, tx_hash) VALUES (${id}, ${at}, ${WALLET}, 'ethereum', ${at.toLowerCase()})`,
    );
    await db.execute(
      sql`INSERT INTO events(id, "timestamp", wallet_id, tx_hash, event_type, observed_at) VALUES (${id}, ${at}, ${WALLET}, ${at.toLowerCase()}, 'swap', ${at})`,
    );
    await db.execute(
      sql`INSERT INTO bias_contributions(event_id, asset, timeframe, wallet_id, at, channel, d, w, factors) VALUES (${id}, 'ETH', '4h', ${WALLET}, ${at}, 'swap', 1, 1, '{}')`,
    );
    await db.execute(
      sql`INSERT INTO positions(id, opened_at, closed_at, updated_at, trading_mode, asset, side, instrument, realized_pnl) VALUES (${id}, ${at}, ${at}, ${at}, 'demo', 'ETH', 'long', 'ETH-USDT-SWAP', 1.5)`,
    );
  }
}
const counts = async () => {
  const [row] = await anyRows(
    db,
    sql`SELECT (SELECT count(*)::int FROM events) AS events, (SELECT count(*)::int FROM event_refs) AS refs,
    (SELECT count(*)::int FROM bias_contributions) AS contributions, (SELECT count(*)::int FROM positions) AS positions,
    (SELECT count(*)::int FROM positions_archive) AS archive, (SELECT sum(total_trades)::int FROM daily_performance) AS trades`,
  );
  return row;
};

test("maintenance drops, archives, prunes and refreshes as of its time; a second run finds nothing to do", async () => {
  await seed();
  const done = await maintainStorage(db, AT);
  expect(done).toMatchObject({ archivedPositions: 1, prunedContributions: 1, prunedEventRefs: 1 });
  expect(await counts()).toEqual({ events: 1, refs: 1, contributions: 1, positions: 1, archive: 1, trades: 2 });
  const after = await digest(db);
  expect(await maintainStorage(db, AT)).toEqual({
    made: 0,
    dropped: [],
    archivedPositions: 0,
    prunedContributions: 0,
    prunedEventRefs: 0,
    strayRows: 0,
  });
  expect(await digest(db)).toEqual(after);
});

test("maintenance of long ago drops nothing", async () => {
  await seed();
  const done = await maintainStorage(db, instantOf("2022-03-13T00:15:00.000Z"));
  expect(done).toMatchObject({ dropped: [], archivedPositions: 0, prunedContributions: 0, prunedEventRefs: 0 });
  expect(await counts()).toMatchObject({ events: 2, refs: 2 });
});

test("chunks are dropped whole, and named, on every backend", async () => {
  await seed();
  await maintainPartitions(db, instantOf("2022-03-13T00:15:00.000Z"));
  const { dropped } = await maintainPartitions(db, AT);
  expect(dropped.length).toBeGreaterThanOrEqual(1);
  expect(await counts()).toMatchObject({ events: 1, refs: 2 });
});
