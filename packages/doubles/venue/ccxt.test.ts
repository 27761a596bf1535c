import { afterEach, expect, test } from "vitest";
import { virtualClock } from "#host/clock";
import { instrumentRow } from "#recording/candle-source";
import { ETH_SWAP } from "#testing/instruments";
import { plainOkx } from "#testing/plain-okx";
import type { Candle } from "#units/candle";
import { decimalOf } from "#units/decimal";
import { instant } from "#units/time";
import { paperVenue } from "./venue.ts";

// ccxt's own methods against what the venue has, over loopback.

const START = Date.parse("2022-06-21T00:00:00.000Z");
const KEY = { apiKey: "key-0123456789", secret: "secret", passphrase: "phrase" };
const SYMBOL = "ETH/USDT:USDT";
const { id: instId } = ETH_SWAP;
const price = decimalOf("1000");
const BARS = Array.from({ length: 400 }, (_, i) => ({
  ...{ openedAt: instant(START + i * 300_000), open: price, high: price, low: price, close: price },
  volume: decimalOf("100000"),
}));
/** Closes around 1,000, from low to high and back; each opens where the last closed. */
const moving = (closes: readonly number[]): Candle[] => {
  const [hour, written] = [7 * 3_600_000, (amount: number) => decimalOf(String(amount))];
  const all = [...Array.from({ length: hour / 300_000 }, () => 1000), ...closes];
  return all.map((close, i) => {
    const open = all[i - 1] ?? 1000;
    const ends = { high: written(Math.max(open, close) + 1), low: written(Math.min(open, close) - 1) };
    const openedAt = instant(START + i * 300_000);
    return { openedAt, open: written(open), close: written(close), ...ends, volume: decimalOf("100000") };
  });
};
const LISTED = { ...ETH_SWAP, maxLeverage: decimalOf("50") };

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function stage(limits = false, bars: readonly Candle[] = BARS) {
  const clock = virtualClock(START + 7 * 3_600_000);
  const source = { barSeconds: 300, instruments: () => [instrumentRow(LISTED)], bars: () => bars };
  const venue = await paperVenue({ clock, source, key: KEY, limits });
  closing.push(venue.close);
  const client = plainOkx(venue.url, KEY, clock);
  await client.loadMarkets();
  return { clock, venue, client, pass: (ms: number) => clock.set(clock.now() + ms) };
}
type Client = Awaited<ReturnType<typeof stage>>["client"];

/** Long 30, funding paid, 10 of them sold; an order that rests; a stop; a transfer. */
async function traded() {
  const desk = await stage();
  const { client, venue, pass } = desk;
  await client.setLeverage(5, SYMBOL, { mgnMode: "cross" });
  await client.createOrder(SYMBOL, "market", "buy", 30, undefined, { marginMode: "cross" });
  pass(3_600_000);
  pass(1000);
  await client.createOrder(SYMBOL, "market", "sell", 10, undefined, { marginMode: "cross", reduceOnly: true });
  const resting = await client.createOrder(SYMBOL, "limit", "buy", 3, 990, { marginMode: "cross" });
  venue.transfer(decimalOf("-9000"));
  return { ...desk, resting: String(resting.id) };
}

const READS: readonly [string, (client: Client, resting: string) => Promise<unknown>, unknown][] = [
  ["fetchStatus", (client) => client.fetchStatus(), { status: "ok" }],
  ["fetchTime", (client) => client.fetchTime(), START + 8 * 3_600_000 + 1000],
  [
    "fetchMarketLeverageTiers",
    async (client) => (await client.fetchMarketLeverageTiers(SYMBOL)).slice(0, 2),
    [
      { tier: 1, maxNotional: "10000", maintenanceMarginRate: "0.01", maxLeverage: "50" },
      { tier: 2, minNotional: "10000", maxNotional: "20000", maintenanceMarginRate: "0.02", maxLeverage: "25" },
    ],
  ],
  ["fetchMarkPrice", (client) => client.fetchMarkPrice(SYMBOL), { markPrice: "1000" }],
  [
    "fetchOrderBook",
    (client) => client.fetchOrderBook(SYMBOL),
    { bids: [[999.9, 10_000, 0]], asks: [[1000.1, 10_000, 0]] },
  ],
  [
    "fetchFundingRate",
    (client) => client.fetchFundingRate(SYMBOL),
    { fundingRate: "0.0001", fundingTimestamp: START + 16 * 3_600_000 },
  ],
  [
    "fetchFundingRateHistory",
    (client) => client.fetchFundingRateHistory(SYMBOL),
    [
      { symbol: SYMBOL, fundingRate: "0.0001", timestamp: START },
      { symbol: SYMBOL, fundingRate: "0.0001", timestamp: START + 8 * 3_600_000 },
    ],
  ],
  [
    "fetchLeverage",
    (client) => client.fetchLeverage(SYMBOL, { mgnMode: "cross" }),
    { longLeverage: 5, marginMode: "cross" },
  ],
  ["fetchPositionMode", (client) => client.fetchPositionMode(), { hedged: false }],
  [
    "fetchPositions",
    (client) => client.fetchPositions([SYMBOL]),
    [{ contracts: "20", marginMode: "cross", side: "long" }],
  ],
  [
    "fetchPositionsHistory",
    (client) => client.fetchPositionsHistory([SYMBOL]),
    [
      {
        symbol: SYMBOL,
        info: { type: "1", closeTotalPos: "10", openMaxPos: "30", fundingFee: "-0.3", liqPenalty: "0" },
      },
    ],
  ],
  [
    "fetchLedger",
    async (client) =>
      (await client.fetchLedger("USDT", undefined, undefined, { type: "swap", instType: undefined })).map(
        ({ type }) => type,
      ),
    ["trade", "fee", "trade"],
  ],
  ["fetchOpenOrders", (client) => client.fetchOpenOrders(SYMBOL), [{ price: "990", amount: "3", status: "open" }]],
  ["fetchClosedOrders", async (client) => (await client.fetchClosedOrders(SYMBOL)).length, 2],
  ["fetchOrder", (client, id) => client.fetchOrder(id, SYMBOL), { status: "open", side: "buy" }],
  ["fetchMyTrades", async (client) => (await client.fetchMyTrades(SYMBOL)).map(({ amount }) => amount), ["30", "10"]],
  ["fetchTradingFee", (client) => client.fetchTradingFee(SYMBOL), { taker: "0.0005", maker: "0.0002" }],
  ["fetchBalance", async (client) => (await client.fetchBalance()).USDT?.total !== undefined, true],
  [
    "max-size",
    async (client) => (await client.privateGetAccountMaxSize({ instId, tdMode: "cross" })).data[0].instId,
    instId,
  ],
];

test("ccxt reads every endpoint that the venue has", async () => {
  const { client, resting } = await traded();
  for (const [name, read, expected] of READS) {
    const found = await read(client, resting);
    if (typeof expected === "object") expect(found, name).toMatchObject(expected as object);
    else expect(found, name).toBe(expected);
  }
});

test("editOrder changes what rests, takes what its new price reaches, and nothing that is over", async () => {
  const { client, venue, resting, pass } = await traded();
  await client.editOrder(resting, SYMBOL, "limit", "buy", 4, 995);
  const order = () => venue.state().orders.find(({ ordId }) => ordId === resting);
  expect(order()).toMatchObject({ sz: "4", px: "995", state: "live", amendSource: "1" });
  await client.editOrder(resting, SYMBOL, "limit", "buy", 4, 1001);
  expect(order()).toMatchObject({ state: "filled", accFillSz: "4" });
  await expect(client.editOrder(resting, SYMBOL, "limit", "buy", 5, 995)).rejects.toThrow("51503");
  const other = await client.createOrder(SYMBOL, "limit", "buy", 3, 990, { marginMode: "cross" });
  await expect(client.editOrder(String(other.id), SYMBOL, "limit", "buy", 3, 1100)).rejects.toThrow("51006");
  const raw = client.privatePostTradeAmendOrder({ instId, ordId: other.id, newSz: "3.05" });
  await expect(raw).rejects.toThrow("51121");
  await client.cancelOrder(String(other.id), SYMBOL);
  // A canceled order without a fill is forgotten after two hours.
  expect(await client.fetchOrder(String(other.id), SYMBOL)).toMatchObject({ status: "canceled" });
  pass(2 * 3_600_000 + 1);
  await expect(client.fetchOrder(String(other.id), SYMBOL)).rejects.toThrow("51603");
});

test("take-profits that an order carries divide it, or are refused by what is wrong with them", async () => {
  const { client, venue } = await stage();
  const leg = (tpTriggerPx: string, sz: string) => ({ tpTriggerPx, tpOrdPx: "-1", sz });
  const stop = { slTriggerPx: "950", slOrdPx: "-1" };
  const place = (attachAlgoOrds: readonly object[]) =>
    client.privatePostTradeOrder({ instId, tdMode: "cross", side: "buy", ordType: "market", sz: "3", attachAlgoOrds });
  for (const [code, entries] of [
    ["51083", [leg("1010", "1"), leg("1020", "1"), stop]],
    ["51089", [leg("1010", "1"), { tpTriggerPx: "1020", tpOrdPx: "-1" }]],
    ["51081", [leg("1010", "1"), leg("1010", "2")]],
    ["51080", [leg("1010", "1"), { ...leg("1020", "2"), tpTriggerPxType: "mark" }]],
    ["51082", [leg("1010", "1"), { ...leg("1020", "2"), tpOrdPx: "1020" }]],
    ["51084", [stop, { ...stop, slTriggerPx: "940" }]],
    ["51076", [{ ...leg("1010", "1"), ...stop }, leg("1020", "2")]],
    ["51085", [{ ...stop, amendPxOnTriggerType: "1" }]],
    ["51085", [leg("1010", "3"), { ...stop, amendPxOnTriggerType: "1" }]],
    ["51000", [leg("1010", "1"), { ...leg("1020", "2"), amendPxOnTriggerType: "1" }, stop]],
    ["51000", [leg("1010", "1"), leg("1020", "2"), { ...stop, amendPxOnTriggerType: "2" }]],
  ] as const)
    await expect(place(entries), code).rejects.toThrow(code);
  await place([leg("1010", "1"), leg("1020", "2"), stop]);
  const made = venue.state().algos.map(({ sz, tp, sl }) => [sz, tp?.triggerPx ?? null, sl?.triggerPx ?? null]);
  expect(made).toEqual([
    ["1", "1010", null],
    ["2", "1020", null],
    ["3", null, "950"],
  ]);
  expect(new Set(venue.state().algos.map(({ algoId }) => algoId)).size).toBe(3);
});

test("a cost-price stop goes to what the position cost when the first take-profit is triggered, and closes there", async () => {
  const { client, venue, pass } = await stage(false, moving([1003, 1012, 1012, 1025, 1004, 990, 990]));
  const entries = [
    { tpTriggerPx: "1010", tpOrdPx: "-1", sz: "1" },
    { tpTriggerPx: "1050", tpOrdPx: "-1", sz: "1" },
    { slTriggerPx: "950", slOrdPx: "-1", amendPxOnTriggerType: "1", attachAlgoClOrdId: "stop" },
  ];
  pass(60_000);
  const asked = { instId, tdMode: "cross", side: "buy", ordType: "market", sz: "2" } as const;
  const placed = await client.privatePostTradeOrder({ ...asked, attachAlgoOrds: entries });
  const entry = await client.fetchOrder(placed.data[0].ordId, SYMBOL);
  expect(entry.info.attachAlgoOrds.map((row: object) => (row as (typeof entries)[2]).amendPxOnTriggerType)).toEqual([
    "0",
    "0",
    "1",
  ]);
  const stop = async () => (await client.privateGetTradeOrderAlgo({ algoClOrdId: "stop" })).data[0];
  expect(await stop()).toMatchObject({ slTriggerPx: "950", amendPxOnTriggerType: "1", state: "live" });
  pass(240_000); // 1,003: no take-profit is reached
  expect(await stop()).toMatchObject({ slTriggerPx: "950", state: "live" });
  pass(300_000); // 1,012, through the first
  expect(entry.average).toBe("1000.11");
  expect(await stop()).toMatchObject({ slTriggerPx: "1000.11", slTriggerPxType: "last", state: "live", sz: "2" });
  // What a person then says holds: the second take-profit moves nothing.
  await client.privatePostTradeAmendAlgos({ instId, algoClOrdId: "stop", newSlTriggerPx: "1001" });
  pass(900_000); // by 1,025 to 1,004
  expect(await stop()).toMatchObject({ slTriggerPx: "1001", state: "live" });
  pass(300_000); // to 990
  expect(await stop()).toMatchObject({ state: "effective", actualSide: "sl" });
  const [child] = venue.state().orders.filter(({ algoClOrdId }) => algoClOrdId === "stop");
  expect(child).toMatchObject({ side: "sell", state: "filled" });
});

test("the first take-profit alone moves a stop, and only the stop of its own order", async () => {
  const { client, pass } = await stage(false, moving([1003, 1012, 1022, 1022]));
  const place = (id: string, amends: string) =>
    client.privatePostTradeOrder({
      ...{ instId, tdMode: "cross", side: "buy", ordType: "market", sz: "2", clOrdId: id },
      attachAlgoOrds: [
        { tpTriggerPx: "1010", tpOrdPx: "-1", sz: "1" },
        { tpTriggerPx: "1020", tpOrdPx: "-1", sz: "1" },
        { slTriggerPx: "950", slOrdPx: "-1", amendPxOnTriggerType: amends, attachAlgoClOrdId: `${id}stop` },
      ],
    });
  pass(60_000);
  await place("moves", "1");
  await place("stays", "0");
  const triggers = async () => {
    const rows = (await client.privateGetTradeOrdersAlgoPending({ ordType: "conditional" })).data;
    const stops = (rows as { algoClOrdId: string; slTriggerPx: string }[]).filter(({ slTriggerPx }) => slTriggerPx);
    return Object.fromEntries(stops.map(({ algoClOrdId, slTriggerPx }) => [algoClOrdId, slTriggerPx]));
  };
  expect(await triggers()).toEqual({ movesstop: "950", staysstop: "950" });
  pass(600_000);
  expect(await triggers()).toEqual({ movesstop: "1000.11", staysstop: "950" });
  await client.privatePostTradeAmendAlgos({ instId, algoClOrdId: "movesstop", newSlTriggerPx: "960" });
  pass(300_000); // the second take-profit
  expect(await triggers()).toEqual({ movesstop: "960", staysstop: "950" });
});

test("market/trades is what the closed bars are made of, and of the open one its open alone", async () => {
  const { client, pass, clock } = await stage(false, moving([1003, 998, 1010]));
  pass(2 * 300_000 + 1000); // in the bar from 998 to 1,010
  const trades = await client.fetchTrades(SYMBOL, undefined, 6);
  const open = clock.now() - 1000;
  expect(trades.map(({ timestamp, price: paid, side }) => [Number(timestamp) - open, String(paid), side])).toEqual([
    [-300_000, "1003", "sell"],
    [-300_000, "1003", "buy"],
    [0, "1004", "buy"],
    [0, "997", "sell"],
    [0, "998", "buy"],
    [0, "998", "buy"],
  ]);
  // A bar's volume is its trades'; of an open bar nobody knows it.
  const sizes = trades.slice(1).map(({ amount }) => Number(amount));
  expect(sizes.slice(0, 4).reduce((sum, size) => sum + size, 0)).toBeCloseTo(100_000, 8);
  expect(sizes.at(-1)).toBe(Number(LISTED.lotSize));
  expect(String((await client.fetchTicker(SYMBOL)).last)).toBe("998");
  // What was told stays: a later look has the same trades.
  pass(300_000);
  const later = await client.fetchTrades(SYMBOL, undefined, 12);
  const ids = later.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(later).toMatchObject(
    expect.arrayContaining(trades.map(({ id, price: paid }) => expect.objectContaining({ id, price: paid }))),
  );
  expect(ids).toEqual(ids.toSorted());
});

test("market/trades refuses what is no instrument and no limit", async () => {
  const { client } = await stage();
  const ask = (query: object) => client.publicGetMarketTrades(query);
  expect((await ask({ instId, limit: "500" })).data.length).toBeGreaterThan(300);
  for (const [code, query] of [
    ["50014", {}],
    ["51001", { instId: "NO-USDT-SWAP" }],
    ["51000", { instId, limit: "501" }],
    ["51000", { instId, limit: "0" }],
    ["51000", { instId, limit: "many" }],
  ] as const)
    await expect(ask(query), code).rejects.toThrow(code);
});

test("ccxt meets the limits as its own error, and only beyond them", async () => {
  const { client, pass } = await stage(true);
  pass(2000);
  for (let i = 0; i < 10; i += 1) await client.privateGetAccountPositions();
  await expect(client.privateGetAccountPositions()).rejects.toThrow("50011");
  await client.privateGetAccountBalance(); // another endpoint has its own
  pass(1999);
  await expect(client.privateGetAccountPositions()).rejects.toThrow("50011");
  pass(1);
  await client.privateGetAccountPositions();
});
