import { asc } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { pricesAt } from "#chain/price";
import { notionalUsd } from "#chain/value";
import { type TestDatabase, testDatabase } from "#testing/database";
import type { Candle } from "#units/candle";
import { decimalOf } from "#units/decimal";
import { type Instant, instant } from "#units/time";
import { prices } from "../schema.ts";
import { bars, closesBefore, lastClosedOpening, newestOpenings, upsertCandles } from "./prices.ts";

const START = Date.parse("2022-06-21T00:00:00.000Z");
const ETH = { instrument: "ETH-USDT-SWAP", barSeconds: 60 };
const BTC = { instrument: "BTC-USDT-SWAP", barSeconds: 60 };
const at = (minutes: number): Instant => instant(START + minutes * 60_000);
const bar = (minute: number, close = decimalOf(String(1000 + minute))): Candle => ({
  openedAt: at(minute),
  open: decimalOf("1000"),
  high: decimalOf("50000"),
  low: decimalOf("1"),
  close,
  volume: decimalOf("10.5"),
});

let database: TestDatabase;
let db: TestDatabase["db"];
beforeAll(async () => {
  database = await testDatabase();
  db = database.db;
});
beforeEach(async () => {
  await db.delete(prices);
});
afterAll(() => database.close());

const stored = () =>
  db.select().from(prices).orderBy(asc(prices.instrument), asc(prices.barSeconds), asc(prices.timestamp));

test("a bar has one row, by instrument, width and opening, however often it comes", async () => {
  expect(await upsertCandles(db, ETH, "okx", [bar(0), bar(1)])).toEqual([]);
  const before = await stored();
  expect(await upsertCandles(db, ETH, "okx", [bar(1), bar(0), bar(1)])).toEqual([]);
  expect(await stored()).toEqual(before);
  await upsertCandles(db, { ...ETH, barSeconds: 300 }, "okx", [bar(0, decimalOf("7"))]);
  await upsertCandles(db, BTC, "okx", [bar(0, decimalOf("8"))]);
  expect((await stored()).map((row) => [row.instrument, row.barSeconds, row.close])).toEqual([
    ["BTC-USDT-SWAP", 60, "8"],
    ["ETH-USDT-SWAP", 60, "1000"],
    ["ETH-USDT-SWAP", 60, "1001"],
    ["ETH-USDT-SWAP", 300, "7"],
  ]);
});

test("what the venue reports otherwise later replaces the bar, and both are returned; of two in one call the last counts", async () => {
  await upsertCandles(db, ETH, "okx", [bar(0), bar(1), bar(2)]);
  const corrections = await upsertCandles(db, ETH, "okx late", [
    bar(2),
    bar(1, decimalOf("1")),
    bar(1, decimalOf("1001.25")),
    bar(3),
  ]);
  expect(corrections).toEqual([{ openedAt: at(1), before: bar(1), after: bar(1, decimalOf("1001.25")) }]);
  expect((await stored()).map((row) => [row.close, row.source])).toEqual([
    ["1000", "okx"],
    ["1001.25", "okx late"],
    ["1002", "okx"],
    ["1003", "okx late"],
  ]);
});

test("more bars than one statement takes are stored whole", async () => {
  const many = Array.from({ length: 2300 }, (_, i) => bar(i));
  await upsertCandles(db, ETH, "okx", many);
  expect(await bars(db, ETH.instrument, 60, at(0), at(2300))).toEqual(many);
  expect(await upsertCandles(db, ETH, "okx", [bar(2299, decimalOf("5"))])).toHaveLength(1);
});

test("a close counts from the moment that its bar is closed, never before", async () => {
  await upsertCandles(db, ETH, "okx", [bar(0), bar(1), bar(2)]);
  const closeAt = async (time: Instant) => (await closesBefore(db, [ETH.instrument], 60, time, 7200))[0]?.close ?? null;
  expect(await closeAt(instant(START + 59_999))).toBeNull();
  expect(await closeAt(at(1))).toBe("1000");
  expect(await closeAt(instant(START + 119_999))).toBe("1000");
  expect(await closeAt(at(2))).toBe("1001");
  expect(await closeAt(at(123))).toBe("1002");
  expect(await closeAt(at(124))).toBeNull(); // two hours old and more
});

test("in a gap the last close stands, with its age; the gap is not filled", async () => {
  await upsertCandles(db, ETH, "okx", [bar(0), bar(1), bar(5)]);
  await upsertCandles(db, BTC, "okx", [bar(4, decimalOf("30000"))]);
  const ids = [ETH.instrument, "SOL-USDT-SWAP", BTC.instrument, ETH.instrument];
  expect(await closesBefore(db, ids, 60, at(5), 7200)).toEqual([
    { instrument: BTC.instrument, openedAt: at(4), closedAt: at(5), close: "30000" },
    { instrument: ETH.instrument, openedAt: at(1), closedAt: at(2), close: "1001" },
  ]);
  expect(await bars(db, ETH.instrument, 60, at(0), at(6))).toEqual([bar(0), bar(1), bar(5)]);
  expect(await bars(db, ETH.instrument, 60, at(1), instant(START + 6 * 60_000 - 1))).toEqual([bar(1)]);
});

test("without a close, or with one too old, an asset has no price: its notional is null, never 0", async () => {
  await upsertCandles(db, ETH, "okx", [bar(0)]);
  const worth = async (asset: string, minutes: number) => {
    const known = pricesAt(
      await closesBefore(db, [ETH.instrument, BTC.instrument], 60, at(minutes), 7200),
      at(minutes),
    );
    return notionalUsd(known, asset, decimalOf("2"));
  };
  expect(await worth("ETH", 1)).toBe("2000.00");
  expect(await worth("ETH", 0)).toBeNull();
  expect(await worth("BTC", 1)).toBeNull();
  expect(await worth("ETH", 121)).toBe("2000.00");
  expect(await worth("ETH", 122)).toBeNull();
});

test("the newest opening of each instrument that has a bar of that width", async () => {
  await upsertCandles(db, ETH, "okx", [bar(7), bar(3)]);
  await upsertCandles(db, { ...BTC, barSeconds: 300 }, "okx", [bar(5)]);
  expect(await newestOpenings(db, [ETH.instrument, BTC.instrument], 60)).toEqual(new Map([[ETH.instrument, at(7)]]));
  expect(await newestOpenings(db, [], 60)).toEqual(new Map());
  expect([lastClosedOpening(at(5), 60), lastClosedOpening(instant(START + 359_999), 60)]).toEqual([at(4), at(4)]);
});
