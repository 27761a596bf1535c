import { sql } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { aligned, BARS, MOST_POINTS, type Span, stepFor } from "#reporting/chart";
import { anyRows } from "#testing/any-rows";
import { type TestDatabase, testDatabase } from "#testing/database";
import { type ReadMeter, readMeter } from "#testing/rows-read";
import { big, decimalOf } from "#units/decimal";
import { instant, instantOf, millis } from "#units/time";
import { bias, equitySnapshots } from "../schema.ts";
import { upsertCandles } from "../signals/prices.ts";
import { biasChart, equityChart, priceChart } from "./charts.ts";

const START = instantOf("2022-06-21T00:00:00.000Z");
const minute = (n: number) => instant(millis(START) + n * 60_000);
const span = (from: number, to: number): Span => ({ from: minute(from), to: minute(to) });
const SERIES = { instrument: "ETH-USDT-SWAP", barSeconds: 60 };
const ETH = { instrument: SERIES.instrument, stored: 60 };
const ACCOUNT = { mode: "demo", venue: "paper" } as const;

let database: TestDatabase;
let meter: ReadMeter;
beforeAll(async () => {
  database = await testDatabase();
  const { db } = database;
  // Minute n opens at 1000 + n and closes a half above; minute 7 is missing.
  const bars = Array.from({ length: 20 }, (_, n) => ({
    ...{ openedAt: minute(n), open: decimalOf(`${1000 + n}`), high: decimalOf(`${1002 + n}`) },
    ...{ low: decimalOf(`${999 + n}`), close: decimalOf(`${1000 + n}.5`), volume: decimalOf("10") },
  })).filter((_, n) => n !== 7);
  await upsertCandles(db, SERIES, "test", bars);
  await db.insert(bias).values(
    Array.from({ length: 180 }, (_, n) => ({
      ...{ timestamp: minute(n), asset: "ETH", timeframe: "4h" as const },
      ...{ value: decimalOf(`0.${String(n).padStart(3, "0")}`), confidence: n === 0 ? null : decimalOf("0.5") },
    })),
  );
  await db.insert(equitySnapshots).values(
    [
      [0, "1000", "1"],
      [1, "1100", "1"],
      [2, "990", "1"],
      [3, "1980", "2"], // as much again was paid in
      [4, "2200", "2"],
    ].map(([n, equity, units]) => ({
      ...{ tradingMode: ACCOUNT.mode, exchange: ACCOUNT.venue, at: minute(Number(n)) },
      ...{ equity: decimalOf(String(equity)), available: decimalOf("900"), units: decimalOf(String(units)) },
    })),
  );
  // Of so many others an index is worth its while.
  await anyRows(
    db,
    sql`INSERT INTO bias (asset, timeframe, "timestamp", value)
        SELECT 'A' || i % 20, '4h', ${START}::timestamptz + make_interval(mins => i / 20), 0.1 FROM generate_series(0, 9999) i`,
  );
  await anyRows(db, sql`ANALYZE bias`);
  meter = readMeter(db, (statement) => sql`EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${statement}`);
});
afterAll(() => database.close());

test("prices are told as they are stored, and wider bars are made of them", async () => {
  const fine = await priceChart(database.db, ETH, span(5, 10), BARS["1m"]);
  expect(fine).toMatchObject({ stepSeconds: 60, isCoarser: false, priceUnit: "USDT", volumeUnit: "contracts" });
  expect(fine.bars.map(({ openedAt, open }) => [openedAt, open])).toEqual(
    [5, 6, 8, 9].map((n) => [minute(n), `${1000 + n}`]),
  );
  const { bars } = await priceChart(database.db, ETH, span(0, 15), BARS["5m"]);
  expect(bars).toEqual([
    { openedAt: minute(0), open: "1000", high: "1006", low: "999", close: "1004.5", volume: "50" },
    { openedAt: minute(5), open: "1005", high: "1011", low: "1004", close: "1009.5", volume: "40" },
    { openedAt: minute(10), open: "1010", high: "1016", low: "1009", close: "1014.5", volume: "50" },
  ]);
});

test("no bar that was open at the end shows, nor anything after it", async () => {
  const { bars } = await priceChart(database.db, ETH, { from: START, to: instant(millis(minute(3)) + 30_000) }, 60);
  expect(bars.map(({ openedAt }) => openedAt)).toEqual([minute(0), minute(1), minute(2)]);
  const [only] = (await priceChart(database.db, ETH, span(0, 3), 300)).bars;
  expect(only).toMatchObject({ openedAt: START, close: "1002.5", volume: "30" });
});

test("a long span is told coarser, says so, and is never more than 5,000 points", () => {
  const days = (n: number): Span => span(0, n * 1440);
  expect([1, 3, 4, 30, 400].map((n) => stepFor(days(n), 60))).toEqual([60, 60, 300, 900, 7200]);
  for (const n of [1, 5, 17, 170, 4999, 5000, 20_000]) {
    const step = stepFor(days(n), 60);
    const { from, to } = aligned(days(n), step);
    expect((millis(to) - millis(from)) / 1000 / step).toBeLessThanOrEqual(MOST_POINTS);
  }
  expect(stepFor(days(1), 3600)).toBe(3600);
});

test("a bias is told by the last of each step, and one row is read for one point", async () => {
  const chart = await biasChart(meter.db, { asset: "ETH", timeframe: "4h" }, span(0, 180), 900);
  expect(chart).toMatchObject({ asset: "ETH", timeframe: "4h", stepSeconds: 900, askedSeconds: 900, isCoarser: false });
  expect(chart.points.map(({ at, value }) => [at, value])).toEqual(
    Array.from({ length: 12 }, (_, i) => [minute(14 + i * 15), (14 + i * 15) / 1000]),
  );
  // 180 are in the span. A plan tells the rows of a loop, rounded.
  expect(meter.rowsRead().bias).toBeLessThanOrEqual(chart.points.length * 2);
  const first = await biasChart(database.db, { asset: "ETH", timeframe: "4h" }, span(0, 2), 60);
  expect(first.points).toEqual([
    { at: minute(0), value: 0, confidence: null },
    { at: minute(1), value: 0.001, confidence: 0.5 },
  ]);
  expect((await biasChart(database.db, { asset: "BTC", timeframe: "4h" }, span(0, 180), 60)).points).toEqual([]);
});

test("equity with its fall from the highest point; what is paid in is no gain", async () => {
  const { points, unit } = await equityChart(database.db, ACCOUNT, span(0, 10), 60);
  expect(unit).toBe("USDT");
  expect(points.map(({ equityUsd, drawdownPercent }) => [equityUsd, Number(drawdownPercent)])).toEqual([
    ["1000", 0],
    ["1100", 0],
    ["990", 10],
    ["1980", 10],
    ["2200", 0],
  ]);
  const late = await equityChart(database.db, ACCOUNT, span(2, 10), 300);
  expect(late.points.map(({ at }) => at)).toEqual([minute(4)]);
  expect(big(late.points[0]?.drawdownPercent ?? 1).eq(0)).toBe(true);
});
