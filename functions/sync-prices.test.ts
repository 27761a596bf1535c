/** sync-prices as Lambda runs it, against a venue that speaks OKX v5 over HTTP, through ccxt. */

import { asc, eq } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { instruments, prices } from "#db/schema";
import { listedInstruments } from "#db/trading/instruments";
import { paperKey } from "#doubles/venue/key";
import { type PaperVenue, paperVenue } from "#doubles/venue/venue";
import { type VirtualClock, virtualClock } from "#host/clock";
import { type Handler, lambdaContext } from "#local/aws/jobs";
import { instrumentRow } from "#recording/candle-source";
import { useSink } from "#runtime/log";
import { provide } from "#runtime/services";
import { type TestDatabase, testDatabase } from "#testing/database";
import { schedule } from "#topology/topology";
import type { Candle } from "#units/candle";
import { decimalOf } from "#units/decimal";
import { type Instant, instant, millis } from "#units/time";
import { handler } from "./sync-prices.ts";

const START = Date.parse("2022-06-21T01:00:00.000Z");
const MINUTE = 60_000;
const [ETH, BTC] = ["ETH-USDT-SWAP", "BTC-USDT-SWAP"];
const WARMUP_HOURS = 6;

/** Bars of a minute from two days before the start to one day after it; the venue lacks those in `missing`. */
let missing: Set<Instant>;
const series = (price: number): Candle[] =>
  Array.from({ length: 3 * 1440 }, (_, i): Candle => {
    const [open, close] = [price + (i % 7), price + ((i + 1) % 7)];
    const [low, high] = [Math.min(open, close), Math.max(open, close)];
    const text = {
      open: decimalOf(String(open)),
      high: decimalOf(String(high)),
      low: decimalOf(String(low)),
      close: decimalOf(String(close)),
      volume: decimalOf("100"),
    };
    return { openedAt: instant(START - 2 * 86_400_000 + i * MINUTE), ...text };
  });
const MARKET = new Map([
  [ETH, series(1000)],
  [BTC, series(20_000)],
]);

let database: TestDatabase;
let clock: VirtualClock;
let venue: PaperVenue;
let asked: URL[] = [];

beforeAll(async () => {
  database = await testDatabase();
  provide("database", database.db);
});
beforeEach(async () => {
  await database.db.delete(prices);
  await database.db.delete(instruments);
  missing = new Set();
  asked = [];
  clock = virtualClock(START);
  const listed = [...MARKET.keys()].map((id) => ({
    ...{
      id,
      asset: id.slice(0, 3),
      contractSize: decimalOf("0.1"),
      lotSize: decimalOf("0.1"),
      minSize: decimalOf("0.1"),
      tickSize: decimalOf("0.1"),
    },
    maxLeverage: decimalOf("50"),
  }));
  venue = await paperVenue({
    clock,
    key: paperKey,
    source: {
      barSeconds: 60,
      instruments: () => listed.map(instrumentRow),
      bars: (id) => (MARKET.get(id) ?? []).filter((bar) => !missing.has(bar.openedAt)),
    },
    observe: ({ target }) => void asked.push(new URL(target, "http://venue")),
  });
  vi.stubEnv("INSTRUMENTS", `${ETH},${BTC}`);
  vi.stubEnv("BAR_SECONDS", "60");
  vi.stubEnv("WARMUP_HOURS", String(WARMUP_HOURS));
  vi.stubEnv("OKX_PUBLIC_URL", venue.url);
  vi.stubEnv("OKX_RATE_LIMIT", "false");
  provide("market", null);
});
afterEach(async () => {
  useSink(null);
  vi.unstubAllEnvs();
  await venue.close();
});
afterAll(async () => {
  provide("market", null);
  provide("database", null);
  await database.close();
});

/** A tick `minutes` after the start. */
async function tick(minutes: number): Promise<void> {
  clock.set(START + minutes * MINUTE);
  const context = lambdaContext(schedule("sync-prices"), Date.now() + 60_000);
  await (handler as Handler)({ time: instant(clock.now()) }, context);
}

async function storedOf(instrument: string): Promise<Candle[]> {
  const list = await database.db
    .select()
    .from(prices)
    .where(eq(prices.instrument, instrument))
    .orderBy(asc(prices.timestamp));
  return list.map(({ timestamp, open, high, low, close, volume }) => ({
    openedAt: timestamp,
    open,
    high,
    low,
    close,
    volume: volume ?? decimalOf(""),
  }));
}
const recorded = (instrument: string, from: number, to: number): Candle[] =>
  (MARKET.get(instrument) ?? []).filter(({ openedAt }) => {
    const ms = millis(openedAt);
    return ms >= START + from * MINUTE && ms < START + to * MINUTE && !missing.has(openedAt);
  });

test("the first run lists the instruments and loads the warm-up hours up to the last closed bar, over pages", async () => {
  await tick(0.5);
  for (const id of [ETH, BTC]) expect(await storedOf(id)).toEqual(recorded(id, -WARMUP_HOURS * 60 + 0.5, 0));
  expect((await listedInstruments(database.db, [ETH, BTC])).map((one) => [one.id, one.contractSize])).toEqual([
    [BTC, "0.1"],
    [ETH, "0.1"],
  ]);
});

test("while no new bar is closed nothing is asked; each new one is asked for once", async () => {
  await tick(0);
  const before = await storedOf(ETH);
  asked = [];
  await tick(0.9);
  expect(asked).toEqual([]);
  expect(await storedOf(ETH)).toEqual(before);
  await tick(1);
  expect(asked.map((url) => url.searchParams.get("instId"))).toEqual([ETH, BTC]);
  expect((await storedOf(ETH)).at(-1)).toEqual(recorded(ETH, 0, 1)[0]);
});

test("after a stop of hours it resumes behind the newest stored bar and leaves no hole between pages", async () => {
  await tick(0);
  asked = [];
  await tick(11 * 60 + 7);
  expect(await storedOf(ETH)).toEqual(recorded(ETH, -WARMUP_HOURS * 60, 11 * 60 + 7));
  const [first] = asked.filter((url) => url.searchParams.get("instId") === ETH);
  expect(Number(first?.searchParams.get("before"))).toBe(START - 1);
  expect(asked.filter((url) => url.searchParams.get("instId") === ETH)).toHaveLength(3);
});

test("a bar that the venue lacks stays a gap, at the end too, and the run after it goes on", async () => {
  for (const minute of [-100, -99, 2]) missing.add(instant(START + minute * MINUTE));
  await tick(0);
  await tick(3);
  expect(await storedOf(ETH)).toEqual(recorded(ETH, -WARMUP_HOURS * 60, 3));
  missing.delete(instant(START + 2 * MINUTE)); // the venue is late with its newest bar
  await tick(4);
  expect(await storedOf(ETH)).toEqual(recorded(ETH, -WARMUP_HOURS * 60, 4));
});

test("an instrument that the venue refuses fails the run, and holds none of the others back", async () => {
  const lines: unknown[] = [];
  useSink((line) => void lines.push(line));
  vi.stubEnv("INSTRUMENTS", `GONE-USDT-SWAP,${ETH}`);
  await expect(tick(0)).rejects.toMatchObject({ name: "VenueError", code: "51001" });
  expect(await storedOf(ETH)).toHaveLength(WARMUP_HOURS * 60);
  expect(lines).toMatchObject([{ level: "error", message: "sync-prices: run failed" }]);
});

test("a venue that breaks off in the middle leaves whole bars, and the next run takes up there", async () => {
  useSink(() => undefined);
  venue.faults.set({ path: "market/history-candles", nth: 2, act: { kind: "garble" } });
  await expect(tick(0)).rejects.toMatchObject({ name: "VenueError" });
  expect(await storedOf(ETH)).toEqual(recorded(ETH, -WARMUP_HOURS * 60, -WARMUP_HOURS * 60 + 300));
  await tick(1);
  expect(await storedOf(ETH)).toEqual(recorded(ETH, -WARMUP_HOURS * 60, 1));
});
