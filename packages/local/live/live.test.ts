/** The live desk against a chain double, a candle server and a clock that the test moves, over the real protocols. */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { asc } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { drizzleOf } from "#db/drizzle";
import { chainBlocks, eventAnalysis, events, orderFills, orders, positions, prices } from "#db/schema";
import { type ChainDouble, chainDouble } from "#doubles/node/node";
import { paperKey } from "#doubles/venue/key";
import { type PaperVenue, paperVenue } from "#doubles/venue/venue";
import { type VirtualClock, virtualClock } from "#host/clock";
import { listen } from "#host/http";
import { recordedCandles } from "#recording/candle-source";
import { openRecording } from "#recording/recording";
import { writeRecording } from "#recording/writer";
import { BUYERS, BUYING, MARKET_FROM, scoreBuyers, whaleMarket } from "#testing/whale-market";
import { POLICY } from "#trading/plans/policy";
import { instant, millis } from "#units/time";
import { startApi } from "../api-server.ts";
import { openEmbedded } from "../postgres/embedded-postgres.ts";
import { type Live, startLive } from "./live.ts";
import { statusLine } from "./live-status.ts";

// Twenty minutes before a four-hour boundary.
const START = Date.parse("2026-01-05T11:40:00.000Z");
const BLOCKS = 200;
const ID = "ETH-USDT-SWAP";

let root: string;
let clock: VirtualClock;
let dead: string;
let laggard: ChainDouble;
let node: ChainDouble;
let okx: PaperVenue;
let live: Live | null = null;
/** Blocks that the laggard is behind, and whether the good node answers. */
let lag = 0;
let up = true;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "live-"));
  await writeRecording(join(root, "market"), whaleMarket(START, BLOCKS));
  const market = await openRecording(join(root, "market"));
  clock = virtualClock(START + 24_000);
  const gone = await listen(() => undefined);
  await gone.close();
  dead = gone.url;
  const fault = () => (up ? undefined : ({ kind: "http", status: 503 } as const));
  laggard = await chainDouble(market, clock, { lag: () => lag, fault });
  node = await chainDouble(market, clock, { fault });
  okx = await paperVenue({ clock, source: recordedCandles(market), key: paperKey });
});
afterEach(async () => {
  await live?.stop();
  live = null;
});
afterAll(async () => {
  await laggard.close();
  await node.close();
  await okx.close();
  rmSync(root, { recursive: true, force: true });
});

const said: string[] = [];
async function start(): Promise<Live> {
  said.length = 0;
  live = await startLive({
    directory: join(root, "desk"),
    rpcUrls: [dead, laggard.url, node.url],
    verify: "linked",
    chainId: 1,
    okxUrl: okx.url,
    instruments: [ID, "BTC-USDT-SWAP"],
    barSeconds: 60,
    warmupHours: 20,
    explorerUrl: "https://etherscan.io",
    input: { name: "live", generated: false },
    watchlist: BUYERS.map((address, i) => ({ address, label: `Buyer ${i + 1}`, tags: [] })),
    labels: [],
    gitSha: "test",
    policy: { version: "mine", enter: 0.2 },
    clock,
    say: (text) => void said.push(text),
  });
  return live;
}

const headAt = (ms: number): number => MARKET_FROM + Math.floor((ms - START) / 12_000);
const until = (what: () => Promise<void>): Promise<void> => vi.waitFor(what, { timeout: 120_000, interval: 50 });

async function blocksOf({ desk }: Live): Promise<number[]> {
  const rows = await drizzleOf(desk.database.db).select().from(chainBlocks).orderBy(asc(chainBlocks.number));
  return rows.map((row) => row.number);
}

const runsOf = ({ desk }: Live, job: string): number =>
  desk.measured.summary().find((times) => times.job === job)?.runs ?? 0;

/**
 * Moves the clock by slots. Waits each time until the desk has what the best node has (`behind` blocks less for one that
 * is followed though it lags), and what the minute asked for is done: orders are given a few seconds, of this clock too.
 */
async function pass(desk: Live, slots: number, behind = 0): Promise<void> {
  for (let i = 0; i < slots; i++) {
    const last = (await blocksOf(desk)).at(-1) ?? 0;
    const refreshed = runsOf(desk, "refresh-biases");
    const minute = Math.floor(clock.now() / 60_000);
    clock.set(clock.now() + 12_000);
    const next = Math.max(last, headAt(clock.now()) - behind);
    await until(async () => expect((await blocksOf(desk)).at(-1)).toBe(next));
    if (Math.floor(clock.now() / 60_000) > minute)
      await until(async () => expect(runsOf(desk, "refresh-biases")).toBeGreaterThan(refreshed));
    await desk.desk.drain();
  }
}

/** What must not be doubled or lost over a restart. */
async function kept({ desk }: Live) {
  const db = drizzleOf(desk.database.db);
  return {
    events: (await db.select().from(events).orderBy(asc(events.id))).map((row) => row.id),
    analyses: (await db.select().from(eventAnalysis)).length,
    orders: (await db.select().from(orders).orderBy(asc(orders.decidedAt), asc(orders.id))).map(({ id }) => id),
    fills: (await db.select().from(orderFills).orderBy(asc(orderFills.exchangeTradeId))).map(
      ({ exchangeTradeId, size, price }) => [exchangeTradeId, size, price],
    ),
    positions: (await db.select().from(positions)).map(({ id, contracts, closedAt }) => [id, contracts, closedAt]),
  };
}

test("follows, prices, believes, trades on paper, and carries on after a stop with nothing doubled or lost", async () => {
  const before = await openEmbedded(join(root, "desk", "db"));
  await scoreBuyers(before.db, instant(START - 60_000));
  await before.close();

  let desk = await start();
  expect(said.join("\n")).toMatch(/not used for now: 127\.0\.0\.1:\d+: unreachable \(ECONNREFUSED\)/);
  expect(said.join("\n")).toContain("2 of 3 answer");
  expect(said.join("\n")).toContain(`a new desk: beginning at block ${MARKET_FROM + 2}`);
  // The first of the nodes that answer is a little behind: it is followed. When it is a minute behind, it is passed over.
  await pass(desk, 1);
  lag = 2;
  await pass(desk, 3, 2);
  lag = 30;
  await pass(desk, 12);
  expect(headAt(clock.now())).toBeGreaterThan(BUYING.last);

  // From the whales' swaps to an order of the ordinary policy and its fill, on the next minutes.
  const db = drizzleOf(desk.desk.database.db);
  await until(async () => expect(await db.select().from(eventAnalysis)).toHaveLength(BUYERS.length));
  for (const event of await db.select().from(events)) {
    expect(event).toMatchObject({ eventType: "swap", asset: "ETH", direction: 1 });
    expect(Number(event.notionalUsd)).toBeGreaterThan(4_900_000); // priced: candles came before the first block
  }
  for (let minute = 0; minute < 6 && (await db.select().from(positions)).length === 0; minute++) await pass(desk, 5);
  const [order] = await db.select().from(orders);
  expect(order).toMatchObject({
    instrument: ID,
    side: "buy",
    status: "filled",
    tradingMode: "demo",
    exchange: "paper",
  });
  expect(order?.policySnapshot).toMatchObject({
    policy: { version: "mine", enter: 0.2, maxOrderUsd: POLICY.maxOrderUsd },
  });
  expect(await db.select().from(positions)).toMatchObject([{ instrument: ID, side: "long", closedAt: null }]);

  // Every table of a person: one line, and the HTTP API while the desk works.
  const status = await desk.status();
  expect(statusLine(status)).toMatch(
    /^\d\d:\d\d:\d\d {2}block \d+ {2}\d+ s behind {2}6 events {2}4 h bias BTC 0\.00 ETH \+0\.\d\d {2}1 position [+-]?\d/,
  );
  const api = await startApi(desk.desk.handlers, 0, () => clock.now());
  const get = async (path: string): Promise<unknown> => (await fetch(`${api.url}${path}`)).json();
  expect(await get("/api/health")).toMatchObject({
    status: "ok",
    input: { name: "live", generated: false },
    trading: { state: "ACTIVE" },
  });
  expect(JSON.stringify(await get("/api/orders"))).toContain(order?.id);
  expect(JSON.stringify(await get("/api/positions"))).toContain(ID);
  expect(JSON.stringify(await get("/api/events"))).toContain("Buyer 1");
  await api.close();

  // A stop, minutes of nothing, and a start: the cursor, the paper account and the database are where they were.
  const left = await kept(desk);
  const account = JSON.parse(readFileSync(join(root, "desk", "paper-account.json"), "utf8"));
  await desk.stop();
  clock.set(clock.now() + 240_000);
  desk = await start();
  expect(said.join("\n")).toMatch(/carrying on after block \d+, 2\d blocks behind/);
  await pass(desk, 6);
  const numbers = await blocksOf(desk);
  expect(numbers).toEqual(numbers.map((_, i) => (numbers[0] ?? 0) + i));
  expect(numbers.at(-1)).toBe(headAt(clock.now()));
  const now = await kept(desk);
  expect([now.events, now.analyses]).toEqual([left.events, left.analyses]);
  expect(now.orders.slice(0, left.orders.length)).toEqual(left.orders);
  expect(now.fills).toEqual(expect.arrayContaining(left.fills));
  expect(JSON.parse(readFileSync(join(root, "desk", "paper-account.json"), "utf8")).orders).toEqual(
    expect.arrayContaining(account.orders),
  );
  expect((await desk.status()).health.trading?.state).toBe("ACTIVE"); // the books and the account agree
  expect(desk.desk.deadLetters()).toEqual([]);
});

test("says so when nobody answers, catches up afterwards, and reports on the four-hour boundary", async () => {
  const desk = await start();
  await pass(desk, 1);
  up = false;
  okx.faults.set(
    { path: "market/candles", act: { kind: "page", status: 502 }, times: 1000 },
    { path: "market/history-candles", act: { kind: "page", status: 502 }, times: 1000 },
  );
  clock.set(clock.now() + 60_000);
  await until(async () => expect((await desk.status()).problem).not.toBeNull());
  expect(statusLine(await desk.status())).toContain("TROUBLE");
  const logged = () => readFileSync(join(root, "desk", "log.ndjson"), "utf8");
  await until(async () => expect(logged()).toMatch(/sync-prices: run failed.*HTTP 502/));
  await until(async () => expect(logged()).toMatch(/watch-head: run failed.*HTTP 503/));
  up = true;
  okx.faults.clear();
  // A node that failed three times is left alone for half a minute of the machine's clock.
  const machine = performance.now.bind(performance);
  let ahead = 0;
  const jumped = vi.spyOn(performance, "now").mockImplementation(() => machine() + ahead);
  await until(async () => {
    ahead += 31_000;
    clock.set(clock.now() + 12_000);
    await pause(1000);
    expect((await blocksOf(desk)).at(-1)).toBe(headAt(clock.now()));
  });
  clock.set(Math.max(clock.now(), Date.parse("2026-01-05T12:00:00.000Z")));
  await pass(desk, 5);
  const db = drizzleOf(desk.desk.database.db);
  await until(async () =>
    expect((await desk.status()).health.report).toMatchObject({ type: "4h", end: "2026-01-05T12:00:00.000Z" }),
  );
  const opened = (await db.select().from(prices))
    .filter((bar) => bar.instrument === ID)
    .map((bar) => millis(bar.timestamp))
    .sort((a, b) => a - b);
  expect(opened).toEqual(opened.map((_, i) => (opened[0] ?? 0) + i * 60_000));
  const api = await startApi(desk.desk.handlers, 0, () => clock.now());
  const report = await (await fetch(`${api.url}/api/reports/latest`, { headers: { accept: "text/markdown" } })).text();
  await api.close();
  expect(report).toContain("2026-01-05");
  clock.set(clock.now() + 61_000);
  await until(async () => expect((await desk.status()).problem).toBeNull());
  expect(desk.desk.deadLetters()).toEqual([]);
  jumped.mockRestore();
});
