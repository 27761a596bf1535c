import { sql } from "drizzle-orm";
import { afterAll, beforeEach, expect, test } from "vitest";
import { type TestDatabase, testDatabase } from "#testing/database";
import { decimalOf } from "#units/decimal";
import { idOf } from "#units/ids";
import { instantOf } from "#units/time";
import { walletIdOf, watchWallets } from "../chain/wallets.ts";
import { bias, bills, blockCursors, equitySnapshots, eventRefs, events, orders, walletOutcomes } from "../schema.ts";
import { digest } from "./digest.ts";
import { maintainPartitions } from "./maintenance.ts";

let database: TestDatabase | null = null;
let db: TestDatabase["db"];
const fresh = async (direct = false) => {
  await database?.close();
  database = await testDatabase({ direct });
  db = database.db;
};
beforeEach(() => fresh());
afterAll(() => database?.close());

const AT = instantOf("2022-06-21T00:00:00.123Z");
const ADDRESS = `0x${"0a".repeat(20)}`;
const WALLET = walletIdOf("ethereum", ADDRESS);
const EVENT = idOf("event", 1);

/** Rows of every awkward type, written in either order. */
async function write(order: "forward" | "backward"): Promise<void> {
  await watchWallets(db, "ethereum", [{ address: ADDRESS, label: 'a "b", ünï', tags: ["x,y", "", "NULL"] }], AT);
  await db.insert(eventRefs).values({ id: EVENT, timestamp: AT, walletId: WALLET, chain: "ethereum", txHash: "0xaa" });
  const biases = ["0.5", "-0.25"].map(decimalOf).map((value, n) => ({
    asset: n === 0 ? "ETH" : "aave", // sorts one way by bytes, the other way by most languages
    timestamp: AT,
    timeframe: "4h" as const,
    value,
    components: { z: [1, 2.5, 1e21], a: null, text: "é" },
  }));
  const writes = [
    () => db.insert(bias).values(biases[0] as (typeof biases)[0]),
    () => db.insert(bias).values(biases[1] as (typeof biases)[0]),
    () =>
      db.insert(events).values({
        id: EVENT,
        timestamp: AT,
        walletId: WALLET,
        txHash: "0xaa",
        eventType: "swap",
        amount: decimalOf("115792089237316195423570985008687907853269984665640564039457.584007913129639935"),
        observedAt: AT,
      }),
    () =>
      db.insert(walletOutcomes).values({
        eventId: EVENT,
        horizon: "1h",
        walletId: WALLET,
        asset: "ETH",
        direction: 1,
        enteredAt: AT,
        entryPrice: decimalOf("1135.25"),
        exitPrice: decimalOf("0.000000000000000001"),
        forwardReturn: 0.1 + 0.2,
        marketReturn: -1e-17,
        beta: 1,
        volatility: 1 / 3,
        excess: -0,
        asOf: AT,
      }),
    () =>
      db.insert(orders).values({
        id: idOf("order", 1),
        tradingMode: "demo",
        clientOrderId: "c1",
        asset: "ETH",
        side: "buy",
        orderType: "market",
        size: decimalOf("1.5"),
        takeProfit: [decimalOf("1200"), decimalOf("1300.50")],
        updatedAt: AT,
        decidedAt: AT,
        instrument: "ETH-USDT-SWAP",
        policySnapshot: { b: 1, a: { d: "1.10", c: true } },
      }),
    () =>
      db.insert(equitySnapshots).values({
        tradingMode: "demo",
        exchange: "okx",
        at: AT,
        equity: decimalOf("10000"),
        available: decimalOf("1"),
      }),
    () => bill("-1.5"),
    () => bill("2"),
  ];
  // A venue numbers its bills as they come.
  let nth = 0;
  const bill = (change: string) => {
    nth += 1;
    const [amount, zero] = [decimalOf(change), decimalOf("0")];
    return db.insert(bills).values({
      ...{ tradingMode: "demo", exchange: "okx", billId: String(nth), type: "2", subType: "1", kind: "trade" },
      ...{ asset: "USDT", at: AT, change: amount, balance: decimalOf(String(nth)), pnl: amount, fee: zero },
    });
  };
  for (const run of order === "forward" ? writes : writes.reverse()) await run();
}

// Known on every backend: were a server to write a value differently, it would show here.
const EMPTY = "dd6ab86a5fe5d912242373749441f06ebc282905538b69e1f63b2678db32cb63";
const WRITTEN = "5071073d129f313db198b6647a3854be718cde924f5c1cf800b189b3395e0e27";

test("an empty database has the same digest on every backend", async () => {
  const { digest: found, tables } = await digest(db);
  expect(found).toBe(EMPTY);
  expect(tables.chains?.rows).toBe(10);
  expect(tables).not.toHaveProperty("schema_migrations");
});

test("the same rows give the same digest on every backend, in whatever order they were written", async () => {
  await write("forward");
  const forward = await digest(db);
  expect(forward.digest).toBe(WRITTEN);
  await fresh(true); // settings of a session outlive a transaction only without a pooler
  await db.execute(sql`SET TIME ZONE 'Asia/Kolkata'`);
  await db.execute(sql`SET extra_float_digits = 0`);
  await maintainPartitions(db, AT);
  await write("backward");
  expect(await digest(db)).toEqual(forward);
});

test("the wall clock and the process do not count", async () => {
  await write("forward");
  const cursor = { chain: "ethereum", lastNumber: 1, lastHash: "0x", updatedAt: AT };
  await db.insert(blockCursors).values({ ...cursor, leaseOwner: "one" });
  const { digest: first } = await digest(db);
  await db.execute(sql`UPDATE orders SET created_at = '2001-01-01'`);
  await db.execute(sql`UPDATE events SET processed_at = '2001-01-01'`);
  await db.execute(sql`UPDATE block_cursors SET lease_owner = 'another', fence = fence + 3`);
  expect((await digest(db)).digest).toBe(first);
});

test("every other column counts, and the table that differs is named", async () => {
  await write("forward");
  const first = await digest(db);
  for (const [table, change] of [
    ["bias", sql`UPDATE bias SET value = 0.500001 WHERE asset = 'ETH'`],
    ["orders", sql`UPDATE orders SET policy_snapshot = '{}'`],
    ["orders", sql`UPDATE orders SET updated_at = updated_at + interval '1 millisecond'`],
    ["wallets", sql`UPDATE wallets SET label = NULL`],
    ["wallets", sql`UPDATE wallets SET label = ''`],
    ["events", sql`DELETE FROM events`],
  ] as const) {
    const before = await digest(db);
    await db.execute(change);
    const after = await digest(db);
    expect(after.digest).not.toBe(before.digest);
    const differing = Object.keys(after.tables).filter(
      (name) => after.tables[name]?.sha256 !== before.tables[name]?.sha256,
    );
    expect(differing).toEqual([table]);
  }
  expect((await digest(db)).tables.events).toEqual({ ...first.tables.events, rows: 0, sha256: expect.any(String) });
});
