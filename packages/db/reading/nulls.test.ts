/** What is unknown stays null on its way to a person: rows with every column empty that may be empty. */
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestDatabase, testDatabase } from "#testing/database";
import { POLICY } from "#trading/plans/policy";
import { decimalOf } from "#units/decimal";
import { idOf } from "#units/ids";
import { type Instant, instant, instantOf, millis } from "#units/time";
import { walletHistory } from "../chain/events.ts";
import { watchedIds } from "../chain/wallets.ts";
import * as s from "../schema.ts";
import { markDatabase, markOf, usedTables } from "../server/occupancy.ts";
import { earlierMasses } from "../signals/bias.ts";
import { activityBefore } from "../signals/scores.ts";
import { equityAt, insertEquity } from "../trading/equity.ts";
import { biasLines } from "./bias-lines.ts";
import { eventLines } from "./event-lines.ts";
import { orderLines } from "./order-lines.ts";
import { positionLines } from "./position-lines.ts";
import { reportRecords } from "./reports.ts";
import { latestWallets, scoredWallets } from "./wallet-lines.ts";

const AT = instantOf("2022-06-21T02:00:00.000Z");
const DAY = 86_400_000;
const later = (ms: number): Instant => instant(millis(AT) + ms);
const WALLET = idOf("wallet", "nobody");
const EVENT = idOf("event", "odd");

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

test("a database that nothing was written to has no mark, no wallet and no use; a mark is read back", async () => {
  const { db } = database;
  expect(await markOf(db)).toBeNull();
  expect([...(await watchedIds(db, "ethereum"))]).toEqual([]);
  expect(await usedTables(db)).toEqual([]);
  await markDatabase(db, { kind: "live" });
  expect(await markOf(db)).toBe("live desk");
  expect((await activityBefore(db, WALLET, AT)).behaviour).toMatchObject({ events: 0, labels: [] });
});

test("an event of an unknown asset without amount, by a wallet without a name", async () => {
  const { db } = database;
  const wallet = { id: WALLET, address: `0x${"1".repeat(40)}`, label: null, firstSeenAt: AT, watchedSince: AT };
  await db.insert(s.wallets).values(wallet);
  expect(await usedTables(db)).toEqual(["wallets"]);
  const place = { id: EVENT, timestamp: AT, walletId: WALLET, chain: "ethereum", txHash: "0x1" };
  await db.insert(s.eventRefs).values({ ...place, blockNumber: 5, blockHash: "0x5" });
  await db.insert(s.events).values({ ...place, eventType: "complex", blockNumber: 5, logIndex: 1, observedAt: AT });
  expect(await eventLines(db, sql`true`, sql`e.id`)).toMatchObject([
    { id: EVENT, wallet: { label: null }, asset: null, amount: null, notionalUsd: null, venue: null, push: null },
  ]);
  const before = { blockNumber: 9, txIndex: 0, logIndex: 0 };
  expect(await walletHistory(db, WALLET, before, AT)).toMatchObject([{ id: EVENT, asset: null, notionalUsd: null }]);
});

test("a score that says nothing, and a wallet that has none", async () => {
  const { db } = database;
  expect(await latestWallets(db, { limit: null })).toMatchObject([{ archetype: null, credibility: [] }]);
  await db.insert(s.walletScores).values({ walletId: WALLET, timestamp: AT });
  expect(await scoredWallets(db, { start: AT, end: later(1000), settledBy: later(1000) })).toMatchObject([
    { wallet: { label: null }, archetype: null, credibility: [] },
  ]);
});

test("a bias without confidence and components", async () => {
  const { db } = database;
  await db.insert(s.bias).values({ timestamp: AT, asset: "ETH", timeframe: "1h", value: decimalOf("0") });
  const lines = await biasLines(db, { start: AT, end: later(1000), terms: 3 });
  expect(lines).toMatchObject([{ confidence: null, previous: null, contributions: [], others: { count: 0 } }]);
  expect(await earlierMasses(db, "ETH", "1h", later(2 * 3_600_000))).toEqual([]);
});

test("an order without price, snapshot and instrument, with an error; a position without a mark, closed", async () => {
  const { db } = database;
  const lane = { tradingMode: "demo", asset: "ETH", instrument: "ETH-USDT-SWAP" } as const;
  await db.insert(s.orders).values({
    ...{
      ...lane,
      id: idOf("order", "odd"),
      clientOrderId: "odd",
      side: "buy",
      orderType: "market",
      size: decimalOf("1"),
    },
    ...{ status: "rejected", errorMessage: "no margin", decidedAt: AT, updatedAt: AT },
  });
  expect(await orderLines(db, sql`true`, sql`o.id`)).toMatchObject([
    { notionalUsd: null, averagePrice: null, timeframe: null, error: "no margin" },
  ]);
  const position = { ...lane, id: idOf("position", "odd"), side: "long", openedAt: AT, updatedAt: AT } as const;
  await db
    .insert(s.positions)
    .values([
      position,
      { ...position, id: idOf("position", "closed"), closedAt: later(1), exitPrice: decimalOf("1100") },
    ]);
  expect(await positionLines(db, POLICY, sql`p.closed_at IS NULL`)).toMatchObject([
    { size: null, entryPrice: null, markPrice: null, unrealizedUsd: null, realizedUsd: null, closedAt: null },
  ]);
  expect(await positionLines(db, POLICY, sql`p.closed_at IS NOT NULL`)).toMatchObject([
    { exitPrice: "1100", closedAt: later(1) },
  ]);
});

test("equity that is older than the day, and older than the peak's days, stands for both", async () => {
  const { db } = database;
  const account = { mode: "demo", venue: "paper" } as const;
  await insertEquity(db, account, AT, {
    equity: decimalOf("1000"),
    cash: decimalOf("1000"),
    available: decimalOf("1000"),
  });
  expect(await equityAt(db, account, later(40 * DAY))).toEqual({
    equity: "1000",
    at: AT,
    dayStart: "1000",
    peak: "1000",
  });
});

test("fills of an instrument that is not listed are not worth anything known, and funding is paid beside them", async () => {
  const { db } = database;
  const paper = { tradingMode: "demo", exchange: "paper", instrument: "OLD-USDT-SWAP" } as const;
  const [size, price, amount] = [decimalOf("2"), decimalOf("10"), decimalOf("-0.25")];
  const fill = { ...paper, exchangeTradeId: "1", side: "buy", filledAt: AT, size, price } as const;
  await db.insert(s.orderFills).values({ ...fill, feeAsset: "USDT", liquidity: "taker" });
  await db.insert(s.fundingPayments).values({ ...paper, billId: "1", at: AT, amount });
  const records = await reportRecords(db, {
    ...{ type: "4h", start: AT, end: later(1000), mode: "demo", venue: "paper", chain: "ethereum" },
    ...{ inputName: "test", generated: true, explorerUrl: null, policy: {} },
  });
  expect(records.fills).toEqual([{ notionalUsd: null, fee: "0", feeAsset: "USDT", feePrice: null }]);
  expect(records.funding).toEqual([{ amount: "-0.25" }]);
});
