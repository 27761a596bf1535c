import { afterAll, beforeAll, expect, test } from "vitest";
import { composeReport } from "#reporting/compose";
import { markdown } from "#reporting/markdown";
import type { Scope } from "#reporting/report";
import { type TestDatabase, testDatabase } from "#testing/database";
import { END, START, writeDeskRows } from "#testing/desk-rows";
import { PRACTICE } from "#testing/practice";
import { decimalOf } from "#units/decimal";
import { idOf } from "#units/ids";
import { instant, instantOf, millis } from "#units/time";
import { orderFills, reports } from "../schema.ts";
import { latestReport, reportRecords, saveReport } from "./reports.ts";

const SCOPE: Scope = {
  type: "4h",
  start: START,
  end: END,
  mode: "demo",
  venue: "paper",
  chain: "ethereum",
  inputName: "fixture",
  generated: true,
  explorerUrl: null,
  policy: PRACTICE,
};

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

test("an empty desk has an empty report, and it can be stored", async () => {
  const report = composeReport(await reportRecords(database.db, SCOPE));
  expect(report.metrics.blocks.count).toBe(0);
  expect(report.trading).toEqual({ state: "ACTIVE", reason: "initial" });
  expect(await latestReport(database.db)).toBeNull();
  await saveReport(database.db, report, markdown(report));
  expect((await latestReport(database.db))?.report).toEqual(report);
});

test("a report holds its period [start, end) and nothing of before or after", async () => {
  await writeDeskRows(database.db);
  const records = await reportRecords(database.db, SCOPE);
  const report = composeReport(records);
  const { metrics } = report;
  expect(records.events.map((event) => event.at.slice(11, 16)).toSorted()).toEqual([
    "00:30",
    "00:40",
    "00:41",
    "00:50",
  ]);
  expect(metrics.events).toMatchObject({ count: 4, unpriced: 1, complex: 1, notionalUsd: "1210045.67" });
  expect(metrics.blocks).toMatchObject({
    count: 4,
    first: 10,
    last: 14,
    missing: 1,
    retractedEvents: 1,
    lagMedianSeconds: 2.2,
  });
  expect(metrics.equity).toMatchObject({ start: "10000", end: "10002.44", change: "2.44" });
  expect(metrics.outcomes[0]).toEqual({ horizon: "1h", settled: 2, hits: 1, hitRate: 0.5, chance: 0.5 });
  expect(metrics.orders).toMatchObject({
    count: 2,
    byStatus: { denied: 1, filled: 1 },
    fills: 1,
    turnoverUsd: "1352.88",
  });
  expect(metrics.exposure).toMatchObject({ grossUsd: "1356", netUsd: "1356" });
});

test("a bias is the last before the end, with the one before the start and its largest terms named", async () => {
  const { biases } = await reportRecords(database.db, SCOPE);
  const eth = biases.find((line) => line.asset === "ETH");
  expect(eth).toMatchObject({ timeframe: "4h", value: 0.312, confidence: 0.62, previous: 0.1 });
  expect(eth?.others).toEqual({ count: 1, contribution: 0.002 });
  expect(eth?.contributions.map((term) => [term.contribution, term.event?.wallet.label])).toEqual([
    [0.33, "whale-03"],
    [-0.02, expect.stringContaining("evil")],
  ]);
  expect(biases.find((line) => line.asset === "BTC")?.previous).toBeNull();
});

test("evidence, and why an asset was not traded, are as of the biases", async () => {
  const { asOf, evidence, noTrade } = composeReport(await reportRecords(database.db, SCOPE));
  expect(asOf).toEqual({ bias: "2022-06-21T03:59:00.000Z", rest: END });
  expect(evidence).toEqual([
    { horizon: "1h", has: 3.5, needs: 25 },
    { horizon: "4h", has: 4, needs: 25 },
    { horizon: "24h", has: 0, needs: 25 },
  ]);
  expect(noTrade).toEqual([]); // ETH is the only one with an instrument, and it was traded
  const after = {
    ...SCOPE,
    start: END,
    end: instantOf("2022-06-21T08:00:00.000Z"),
    generated: false,
    policy: {},
    venue: "elsewhere",
  };
  const later = composeReport(await reportRecords(database.db, after));
  expect(later.noTrade).toMatchObject([{ asset: "ETH", gap: "evidence", has: 4, needs: 25 }]);
});

test("events carry the strongest push they were given, and their pattern", async () => {
  const { events } = composeReport(await reportRecords(database.db, SCOPE));
  expect(events.map((event) => [event.asset, event.push, event.pattern])).toEqual([
    ["ETH", 0.42, "accumulation_streak"],
    ["BTC", -0.1, null],
    ["ETH", null, null],
    ["FOO", null, null],
  ]);
});

test("wallets carry their last score of the period and the one before it", async () => {
  const { walletsUp, walletsDown } = composeReport(await reportRecords(database.db, SCOPE));
  expect(walletsUp.map((line) => line.wallet.label)).toEqual(["whale-03"]);
  expect(walletsUp[0]?.credibility[1]).toEqual({
    ...{ horizon: "4h", score: 7.1, previous: 5.5, edge: 0.7, bets: 4 },
    settled: null,
  });
  expect(walletsDown).toHaveLength(1);
});

test("orders say why; the denied are told apart", async () => {
  const { orders, denials } = composeReport(await reportRecords(database.db, SCOPE));
  expect(orders).toHaveLength(1);
  expect(orders[0]).toMatchObject({
    size: "12",
    assetSize: "1.2",
    filledAssetSize: "1.2",
    notionalUsd: "1352.88",
    why: { bias: 0.31, signal: 0.28, bound: ["risk"] },
  });
  expect(denials).toMatchObject([{ denied: ["cooldown"], count: 1 }]);
});

test("a denial stands until another order of its instrument: a later period knows it", async () => {
  const standing = async (start: string, more = {}) => {
    const scope = { ...SCOPE, start: instantOf(start), end: instantOf("2022-06-21T08:00:00.000Z"), ...more };
    return (await reportRecords(database.db, scope)).standing.map((order) => order.why.denied);
  };
  expect(await standing(END)).toEqual([["cooldown"]]);
  expect(await standing("2022-06-21T04:00:01.000Z")).toEqual([]); // one was approved at four
  expect(await standing(START)).toEqual([]);
  expect(await standing(END, { venue: "elsewhere" })).toEqual([]);
});

test("building a report twice makes one row, and the same text", async () => {
  const build = async () => {
    const report = composeReport(await reportRecords(database.db, SCOPE));
    return { id: await saveReport(database.db, report, markdown(report)), text: markdown(report), report };
  };
  const first = await build();
  const second = await build();
  expect(second).toEqual(first);
  expect(await database.db.$count(reports)).toBe(1);
  expect(await latestReport(database.db)).toEqual({ id: first.id, report: first.report, markdown: first.text });
});

test("the latest report is the one that ends last", async () => {
  const scope: Scope = { ...SCOPE, type: "partial", start: END, end: instantOf("2022-06-21T04:30:00.000Z") };
  const report = composeReport(await reportRecords(database.db, scope));
  await saveReport(database.db, report, markdown(report));
  expect((await latestReport(database.db))?.report.scope.type).toBe("partial");
});

test("a fee in another currency comes with what it was worth, so none is left unconverted", async () => {
  await database.db.insert(orderFills).values({
    ...{ tradingMode: "demo", exchange: "paper", instrument: "ETH-USDT-SWAP", exchangeTradeId: "in OKB" },
    ...{ orderId: idOf("order", "filled"), side: "buy", filledAt: instant(millis(SCOPE.start) + 60_000) },
    ...{ size: decimalOf("1"), price: decimalOf("1100"), liquidity: "taker" },
    ...{ fee: decimalOf("0.01"), feeAsset: "OKB", feePrice: decimalOf("48.5") },
  });
  const records = await reportRecords(database.db, SCOPE);
  expect(records.fills).toContainEqual(expect.objectContaining({ feeAsset: "OKB", fee: "0.01", feePrice: "48.5" }));
  expect(composeReport(records).metrics.feesUnconverted).toEqual({});
});
