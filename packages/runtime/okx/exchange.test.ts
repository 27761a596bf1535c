import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { sharedPath } from "#testing/chain/blocks";
import type { Submission } from "#trading/venue";
import { decimalOf } from "#units/decimal";
import { instantOf } from "#units/time";
import { okxClient } from "./client.ts";
import { VenueGuardError, VenueShapeError } from "./errors.ts";
import { type OkxExchangeConfig, okxExchange } from "./exchange.ts";
import { okxMarket } from "./market.ts";
import { balanceOf, candleOf, fillOf, instrumentOf, listingOf, orderOf, positionOf } from "./rows.ts";

const KEY = { mode: "demo", apiKey: "k-1", secret: "s-2", passphrase: "p-3" } as const;
const DEMO: OkxExchangeConfig = {
  ...{
    venue: "okx",
    mode: "demo",
    url: "https://www.okx.com",
    rateLimit: false,
    accountId: null,
    maxClockSkewSeconds: 2,
    tdMode: "cross",
    compareClock: false,
  },
  credentials: KEY,
};
const ORDER: Submission = {
  ...{
    clientOrderId: "dabc01",
    instrument: "ETH-USDT-SWAP",
    side: "buy",
    type: "ioc",
    size: decimalOf("1.20"),
    price: decimalOf("1050.50"),
  },
  ...{ reduceOnly: false, expiresAt: instantOf("2026-01-02T03:04:05.678Z") },
};

interface Sent {
  readonly url: string;
  readonly init: { method: string; headers: Record<string, string>; body?: string };
}

/** Answers every request from `replies` by path; what was sent is returned. */
function wire(replies: Record<string, unknown>): Sent[] {
  const sent: Sent[] = [];
  vi.stubGlobal("fetch", async (url: string, init: Sent["init"]) => {
    sent.push({ url, init });
    const path = new URL(url).pathname.replace("/api/v5/", "");
    return new Response(JSON.stringify(replies[path] ?? { code: "0", msg: "", data: [] }), { status: 200 });
  });
  return sent;
}
afterEach(() => vi.unstubAllGlobals());

const ok = (...data: unknown[]) => ({ code: "0", msg: "", data });
const ACCOUNT = ok({ uid: "77", posMode: "net_mode", acctLv: "2" });

test("what a placement sends: one order, our id, the trade mode, no posSide, exact text, demo header, deadline", async () => {
  const sent = wire({
    "account/config": ACCOUNT,
    "trade/order": ok({ ordId: "9", clOrdId: "dabc01", sCode: "0", sMsg: "" }),
  });
  expect(await okxExchange(DEMO).submit(ORDER)).toEqual({ kind: "accepted", venueOrderId: "9" });
  const post = sent.find(({ init }) => init.method === "POST");
  expect(post?.url).toBe("https://www.okx.com/api/v5/trade/order");
  expect(JSON.parse(post?.init.body ?? "")).toEqual({
    ...{
      instId: "ETH-USDT-SWAP",
      tdMode: "cross",
      side: "buy",
      ordType: "ioc",
      sz: "1.20",
      px: "1050.50",
      clOrdId: "dabc01",
    },
  });
  expect(post?.init.headers).toMatchObject({
    "x-simulated-trading": "1",
    expTime: "1767323045678",
    "OK-ACCESS-KEY": "k-1",
  });
});

test("a live process sends no demo header; a reduce-only market order says so", async () => {
  const sent = wire({ "account/config": ACCOUNT, "trade/order": ok({ ordId: "9", clOrdId: "dabc01", sCode: "0" }) });
  const live = okxExchange({ ...DEMO, mode: "live", credentials: { ...KEY, mode: "live" }, accountId: "77" });
  await live.submit({ ...ORDER, type: "market", price: null, reduceOnly: true });
  const [config, size] = sent;
  const post = sent.find(({ init }) => init.method === "POST");
  expect(size?.url).toBe("https://www.okx.com/api/v5/account/max-size?instId=ETH-USDT-SWAP&tdMode=cross");
  expect(config?.init.headers).not.toHaveProperty("x-simulated-trading");
  expect(post?.init.headers).not.toHaveProperty("x-simulated-trading");
  expect(JSON.parse(post?.init.body ?? "")).toMatchObject({ ordType: "market", reduceOnly: true });
});

test("the queries that are sent", async () => {
  const sent = wire({});
  const exchange = okxExchange(DEMO);
  const now = Date.now();
  await exchange.openOrders();
  await exchange.fills(instantOf(new Date(now - 3_600_000).toISOString()));
  await exchange.fills(instantOf(new Date(now - 4 * 86_400_000).toISOString()));
  await exchange.candles("ETH-USDT-SWAP", 60, instantOf(new Date(now - 600_000).toISOString()), 300);
  await exchange.candles("ETH-USDT-SWAP", 3600, instantOf("2022-06-21T00:30:00.000Z"), 2);
  const paths = sent.map(({ url }) => url.replace("https://www.okx.com/api/v5/", ""));
  expect(paths[0]).toBe("trade/orders-pending?instType=SWAP&limit=100");
  expect(paths[1]).toBe(`trade/fills?instType=SWAP&begin=${now - 3_600_001}&limit=100`);
  expect(paths[2]).toMatch(/^trade\/fills-history\?/);
  expect(paths[3]).toMatch(/^market\/candles\?instId=ETH-USDT-SWAP&bar=1m/);
  // From the next full hour, two bars, both ends given.
  const first = Date.parse("2022-06-21T01:00:00.000Z");
  expect(paths[4]).toBe(
    `market/history-candles?instId=ETH-USDT-SWAP&bar=1H&before=${first - 1}&after=${first + 7_200_000}&limit=2`,
  );
});

test.each([
  ["a foreign host", { url: "https://example.org" }],
  ["a look-alike host", { url: "https://www.okx.com.example.org" }],
  ["a host without TLS", { url: "http://www.okx.com" }],
  ["loopback as OKX", { url: "http://127.0.0.1:1" }],
  ["OKX as paper", { venue: "paper" }],
  ["paper, live", { venue: "paper", mode: "live", url: "http://127.0.0.1:1", credentials: { ...KEY, mode: "live" } }],
  ["a live key in demo", { credentials: { ...KEY, mode: "live" } }],
  ["a demo key in live", { mode: "live" }],
] as [string, Partial<OkxExchangeConfig>][])("%s is refused at once", (_, wrong) => {
  expect(() => okxExchange({ ...DEMO, ...wrong })).toThrow(VenueGuardError);
});

test("setSandboxMode after the URL puts OKX's back: the guard refuses before a request leaves", async () => {
  const sent = wire({});
  const client = okxClient({
    venue: "paper",
    mode: "demo",
    url: "http://127.0.0.1:9",
    rateLimit: false,
    credentials: KEY,
  });
  expect(client.urls.api).toEqual({ rest: "http://127.0.0.1:9" });
  client.setSandboxMode(true);
  expect(JSON.stringify(client.urls.api)).toContain("hostname"); // ccxt's own again
  await expect(client.privateGetAccountBalance()).rejects.toThrow(VenueGuardError);
  await expect(client.publicGetPublicTime()).rejects.toThrow(VenueGuardError);
  expect(sent).toEqual([]);
});

test("no request leaves without the demo header, without a deadline, or for another endpoint", async () => {
  const sent = wire({});
  const client = okxClient(DEMO);
  await expect(client.privatePostTradeOrder({ instId: "x" })).rejects.toThrow("without a deadline");
  await expect(client.privatePostTradeBatchOrders([{ instId: "x" }] as never)).rejects.toThrow(VenueGuardError);
  await expect(client.privatePostAssetWithdrawal({ ccy: "USDT" })).rejects.toThrow(VenueGuardError);
  client.setSandboxMode(false);
  client.urls.api = { rest: "https://www.okx.com" };
  await expect(client.privateGetAccountBalance()).rejects.toThrow("header is not of demo");
  expect(sent).toEqual([]);
});

test.each([
  ["of another order", ok({ ordId: "9", clOrdId: "other", sCode: "0" })],
  ["without an id", ok({ clOrdId: "dabc01", sCode: "0" })],
  ["without a row", ok()],
])("an acknowledgement %s is unknown", async (_, reply) => {
  wire({ "account/config": ACCOUNT, "trade/order": reply });
  expect((await okxExchange(DEMO).submit(ORDER)).kind).toBe("unknown");
});

test("an account in hedge mode, or spot only, halts", async () => {
  const hedged = wire({ "account/config": ok({ uid: "77", posMode: "long_short_mode", acctLv: "2" }) });
  expect(await okxExchange(DEMO).submit(ORDER)).toMatchObject({ kind: "halt", code: "posMode" });
  expect(hedged.map(({ init }) => init.method)).not.toContain("POST");
  wire({ "account/config": ok({ uid: "77", posMode: "net_mode", acctLv: "1" }) });
  expect(await okxExchange(DEMO).submit(ORDER)).toMatchObject({ kind: "halt", code: "acctLv" });
});

test("an account that does not take the trade mode halts before anything is placed", async () => {
  const refusal = { code: "50072", msg: "isolated margin is for spot", data: [] };
  const sent = wire({ "account/config": ACCOUNT, "account/max-size": refusal });
  const isolated = okxExchange({ ...DEMO, tdMode: "isolated" });
  expect(await isolated.submit(ORDER)).toEqual({ kind: "halt", code: "50072", reason: refusal.msg });
  expect(sent.map(({ init }) => init.method)).not.toContain("POST");
  expect(sent[1]?.url).toContain("tdMode=isolated");
});

test.each([
  ["a rate limit", "50011", "busy"],
  ["an answer that says nothing", "50026", "busy"],
  ["a frozen account", "50009", "frozen"],
])("%s where the account is asserted: nothing is placed, and it is asserted again next time", async (_, code, kind) => {
  const sent = wire({ "account/config": ACCOUNT, "account/max-size": { code, msg: "", data: [] } });
  const exchange = okxExchange(DEMO);
  expect(await exchange.submit(ORDER)).toMatchObject({ kind, code });
  expect(await exchange.submit(ORDER)).toMatchObject({ kind, code });
  expect(sent.filter(({ url }) => url.includes("max-size")).length).toBe(2);
  expect(sent.map(({ init }) => init.method)).not.toContain("POST");
});

const PLAIN = { uid: "77", posMode: "net_mode", acctLv: "2", perm: "read_only,trade", ip: "203.0.113.7" };
const time = (aheadMs: number) => ok({ ts: String(Date.now() + aheadMs) });
const status = (more: object) => ok({ title: "matching", state: "ongoing", env: "2", serviceType: "5", ...more });

test.each([
  ["perm", "halt", { "account/config": ok({ ...PLAIN, perm: "read_only,trade,withdraw" }) }],
  ["perm", "halt", { "account/config": ok({ ...PLAIN, perm: "read_only" }) }],
  ["posMode", "halt", { "account/config": ok({ ...PLAIN, posMode: "long_short_mode" }) }],
  [
    "50101",
    "halt",
    { "account/config": { code: "50101", msg: "APIKey does not match current environment", data: [] } },
  ],
  ["clock", "halt", { "public/time": time(61_000) }],
  ["clock", "halt", { "public/time": time(-61_000) }],
  ["status", "frozen", { "system/status": status({}) }],
] as const)("what start-up asserts: %s keeps an opening back by its name (%s)", async (code, kind, replies) => {
  const sent = wire({ "account/config": ok(PLAIN), "public/time": time(0), ...replies });
  const exchange = okxExchange({ ...DEMO, compareClock: true });
  expect(await exchange.submit(ORDER)).toMatchObject({ kind, code });
  expect(sent.map(({ init }) => init.method)).not.toContain("POST");
});

test("a live key wants an address; who may withdraw or is late may still close what is held", async () => {
  const placed = ok({ ordId: "9", clOrdId: "dabc01", sCode: "0" });
  const live = { ...DEMO, mode: "live", credentials: { ...KEY, mode: "live" }, compareClock: true } as const;
  wire({ "account/config": ok({ ...PLAIN, ip: "" }), "public/time": time(0), "trade/order": placed });
  expect(await okxExchange(live).submit(ORDER)).toMatchObject({ kind: "halt", code: "ip" });
  wire({
    "account/config": ok({ ...PLAIN, perm: "trade,withdraw" }),
    "public/time": time(61_000),
    "trade/order": placed,
  });
  const exchange = okxExchange(live);
  const closing = { ...ORDER, type: "market", price: null, reduceOnly: true } as const;
  expect(await exchange.submit(closing)).toMatchObject({ kind: "accepted" });
  expect(await exchange.submit(ORDER)).toMatchObject({ kind: "halt", code: "perm" }); // closing asserted nothing for it
});

test("maintenance of the other environment, of what is no trading, or to come, keeps nothing back", async () => {
  const placed = ok({ ordId: "9", clOrdId: "dabc01", sCode: "0" });
  for (const more of [{ env: "1" }, { serviceType: "7" }, { state: "scheduled" }]) {
    wire({ "account/config": ok(PLAIN), "system/status": status(more), "trade/order": placed });
    expect(await okxExchange(DEMO).submit(ORDER)).toMatchObject({ kind: "accepted" });
  }
});

test("a switch to hedge mode is found an hour later, before anything more is sent", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  try {
    const placed = ok({ ordId: "9", clOrdId: "dabc01", sCode: "0" });
    wire({ "account/config": ok(PLAIN), "trade/order": placed });
    const exchange = okxExchange(DEMO);
    expect(await exchange.submit(ORDER)).toMatchObject({ kind: "accepted" });
    const sent = wire({ "account/config": ok({ ...PLAIN, posMode: "long_short_mode" }), "trade/order": placed });
    expect(await exchange.submit(ORDER)).toMatchObject({ kind: "accepted" });
    vi.advanceTimersByTime(3_600_001);
    expect(await exchange.submit(ORDER)).toMatchObject({ kind: "halt", code: "posMode" });
    expect(sent.filter(({ init }) => init.method === "POST")).toHaveLength(1);
  } finally {
    vi.useRealTimers();
  }
});

test("OKX's newer host is one of its own", () => {
  expect(okxExchange({ ...DEMO, url: "https://openapi.okx.com" }).venue).toBe("okx");
});

/** A fill as OKX writes it: made at `fillTime`, recorded at `ts`. */
const filled = (tradeId: string, fillTime: string, ts: string) => ({
  ...{ instId: "ETH-USDT-SWAP", tradeId, ordId: "9", clOrdId: "dabc01", billId: `8${tradeId}`, side: "buy" },
  ...{ fillPx: "1000", fillSz: "1", fee: "-0.5", feeCcy: "USDT", execType: "T", fillTime, ts },
});

test("a fill that was recorded late is taken by when it was recorded, however old it is", async () => {
  const since = Date.now() - 60_000;
  const late = filled("1", String(since - 3_600_000), String(since + 1));
  const before = filled("2", String(since - 1), String(since - 1));
  wire({ "trade/fills": ok(late, before) });
  const fills = await okxExchange(DEMO).fills(instantOf(new Date(since).toISOString()));
  expect(fills).toMatchObject([{ tradeId: "1", filledAt: new Date(since - 3_600_000).toISOString(), fee: "0.5" }]);
  expect(Object.keys(fills[0] ?? {})).not.toContain("recordedAt");
});

test("an order's own fills are asked for by its id: the recent ones, else those of three months", async () => {
  const old = filled("2", "1767323040000", "1767323040000");
  const first = filled("1", "1767323040000", "1767323040000");
  const sent = wire({ "trade/fills-history": ok(old, first) });
  const fills = await okxExchange(DEMO).fillsOf("ETH-USDT-SWAP", "9");
  expect(fills.map(({ tradeId }) => tradeId)).toEqual(["1", "2"]);
  const query = "instType=SWAP&instId=ETH-USDT-SWAP&ordId=9&limit=100";
  expect(sent.map(({ url }) => url.replace("https://www.okx.com/api/v5/", ""))).toEqual([
    `trade/fills?${query}`,
    `trade/fills-history?${query}`,
  ]);
  const recent = wire({ "trade/fills": ok(first) });
  expect(await okxExchange(DEMO).fillsOf("ETH-USDT-SWAP", "9")).toMatchObject([{ tradeId: "1" }]);
  expect(recent).toHaveLength(1);
});

/** A bill as OKX writes it; the row is that of ccxt's own comments, its ids and amounts changed. */
const billed = (billId: string, rest: object = {}) => ({
  ...{ bal: "8694.2179403378290202", balChg: "-0.0219338232210000", billId, ccy: "USDT", execType: "T", fee: "-0.02" },
  ...{ instId: "ETH-USDT-SWAP", instType: "SWAP", mgnMode: "cross", notes: "", ordId: "2510789768709120", pnl: "0" },
  ...{ subType: "1", sz: "27", tradeId: "58", ts: "1767323040000", type: "2", ...rest },
});

test("a quote: an empty side of the book is a price of 0; what is no number is refused by its name", async () => {
  const ticker = (more: object) => ok({ bidPx: "1050.4", askPx: "1050.6", ts: "1767323045678", ...more });
  const quote = (row: unknown, markPx: unknown = "1050.5") => {
    wire({ "market/ticker": row, "public/mark-price": ok({ markPx }) });
    return okxExchange(DEMO).quote("ETH-USDT-SWAP");
  };
  const whole = { instrument: "ETH-USDT-SWAP", bid: "1050.4", ask: "1050.6", mark: "1050.5" };
  expect(await quote(ticker({}))).toEqual({ ...whole, at: "2026-01-02T03:04:05.678Z" });
  expect(await quote(ticker({ bidPx: "" }))).toMatchObject({ ...whole, bid: "0" });
  expect(await quote(ticker({ bidPx: "", askPx: "" }))).toMatchObject({ bid: "0", ask: "0" });
  for (const wrong of ["NaN", "Infinity", "1e3", null])
    await expect(quote(ticker({ askPx: wrong }))).rejects.toThrow(/ticker.*askPx/);
  for (const wrong of ["NaN", ""]) await expect(quote(ticker({}), wrong)).rejects.toThrow(/mark.*markPx/);
});

test("an instrument that the venue does not list has no listing", async () => {
  const sent = wire({});
  expect(await okxExchange(DEMO).listing("ETH-USDT-SWAP")).toBeNull();
  expect(sent.at(-1)?.url).toMatch(/public\/instruments\?instType=SWAP&instId=ETH-USDT-SWAP$/);
});

test("bills are asked for after the one that was seen, in pages back to it; those of a week ago in the archive", async () => {
  const rows = Array.from({ length: 100 }, (_, i) => billed(String(1200 - i)));
  const sent = wire({});
  const replies = [ok(...rows), ok(billed("1100"), billed("1101"))];
  vi.stubGlobal("fetch", async (url: string, init: Sent["init"]) => {
    sent.push({ url, init });
    return new Response(JSON.stringify(replies.shift() ?? ok()), { status: 200 });
  });
  const exchange = okxExchange(DEMO);
  const ago = (days: number) => instantOf(new Date(Date.now() - days * 86_400_000).toISOString());
  const found = await exchange.bills({ billId: "1099", at: ago(1) });
  expect(found.map(({ billId }) => Number(billId))).toEqual(Array.from({ length: 101 }, (_, i) => 1100 + i));
  expect(found[0]).toEqual({
    ...{ billId: "1100", type: "2", subType: "1", asset: "USDT", instrument: "ETH-USDT-SWAP" },
    ...{ at: "2026-01-02T03:04:00.000Z", change: "-0.021933823221", balance: "8694.2179403378290202" },
    ...{ pnl: "0", fee: "0.02", venueOrderId: "2510789768709120", tradeId: "58" },
  });
  await exchange.bills(null);
  await exchange.bills({ billId: "5", at: ago(7) });
  expect(sent.map(({ url }) => url.replace("https://www.okx.com/api/v5/", ""))).toEqual([
    "account/bills?before=1099&limit=100",
    "account/bills?before=1099&limit=100&after=1101",
    "account/bills?limit=100",
    "account/bills-archive?before=5&limit=100",
  ]);
});

test("a bill that is not one is refused by name; a transfer is about no instrument", async () => {
  wire({
    "account/bills": ok(billed("7", { instId: "", ordId: "", tradeId: "", type: "1", subType: "12", fee: "0" })),
  });
  expect(await okxExchange(DEMO).bills(null)).toMatchObject([{ instrument: null, venueOrderId: null, tradeId: null }]);
  wire({ "account/bills": ok(billed("x7")) });
  await expect(okxExchange(DEMO).bills(null)).rejects.toThrow(/bills: .*billId/);
});

test("the market needs no key and reports the venue's clock", async () => {
  const sent = wire({ "public/time": ok({ ts: "1655769600123" }) });
  const market = okxMarket({ venue: "okx", mode: "demo", url: "https://www.okx.com", rateLimit: false });
  expect(await market.now()).toBe("2022-06-21T00:00:00.123Z");
  expect(sent[0]?.init.headers).not.toHaveProperty("x-simulated-trading");
});

// OKX's payloads as nautilus_trader keeps them (hand-edited captures, LGPL-3.0); not part of this repository.
const folder = sharedPath("data/okx/nautilus");
const golden = test.skipIf(!existsSync(folder));
const fixture = (name: string): { data: unknown[] } => JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8"));

golden("golden: instruments", () => {
  const rows = fixture("http_get_instruments_swap").data.map(instrumentOf);
  expect(rows.filter((row) => row?.id === "ETH-USDT-SWAP")).toEqual([
    {
      ...{ id: "ETH-USDT-SWAP", asset: "ETH", contractSize: "0.1", lotSize: "0.01", minSize: "0.01", tickSize: "0.01" },
      maxLeverage: "100",
    },
  ]);
  expect(rows[0]).toBeNull(); // BTC-USD-SWAP is inverse
});

golden("golden: an instrument as it is listed", () => {
  const row = fixture("http_get_instruments_swap").data.find((one) => instrumentOf(one)?.id === "ETH-USDT-SWAP");
  const upcChg = [{ param: "tickSz", newValue: "0.1", effTime: "1780000000000" }];
  expect(listingOf(row)).toMatchObject({ state: "live", terms: instrumentOf(row), changes: [] });
  expect(listingOf({ ...(row as object), state: "suspend", upcChg })).toMatchObject({
    ...{ state: "suspend", changes: [{ what: "tickSz", to: "0.1", at: "2026-05-28T20:26:40.000Z" }] },
  });
  expect(() => listingOf({ ...(row as object), upcChg: [{ ...upcChg[0], effTime: "soon" }] })).toThrow(
    /instrument.*effTime/,
  );
});

golden("golden: orders, balance, positions, fills, candles", () => {
  expect(orderOf(fixture("http_get_orders_history").data[0])).toEqual({
    ...{
      clientOrderId: null,
      venueOrderId: "2497956918703120384",
      instrument: "BTC-USDT-SWAP",
      side: "buy",
      state: "filled",
    },
    ...{ size: "0.03", filledSize: "0.03", averagePrice: "103698.9", updatedAt: "2025-05-11T07:08:37.402Z" },
  });
  expect(orderOf(fixture("http_get_orders_pending").data[0])).toMatchObject({
    state: "open",
    averagePrice: null,
    size: "0.1",
  });
  expect(balanceOf(fixture("http_get_account_balance").data[0])).toEqual({
    ...{ equity: "99.89469657000001", cash: "94.42612990333333", available: "94.42612990333333" },
  });
  expect(() => positionOf(fixture("http_get_positions").data[0])).toThrow(VenueShapeError); // a hedge-mode account
  const bars = fixture("http_get_candlesticks_full").data.map(candleOf);
  expect(bars.length).toBeGreaterThan(0);
  expect(fixture("http_get_candlesticks").data.map(candleOf)).toEqual([null, null]); // confirm 0
  const fill = JSON.parse(readFileSync(join(folder, "http_transaction_detail.json"), "utf8"));
  expect(fillOf(fill)).toMatchObject({
    tradeId: "123456789",
    fee: "-0.042",
    liquidity: "taker",
    filledAt: "2021-07-01T00:00:00.000Z",
  });
  // What the venue does by itself is told by the kind of its bill, or by a trade id below 0.
  const causes = [
    ["1", "5", undefined],
    ["102", "-5", "liquidation"],
    ["", "-5", "liquidation"],
    ["112", "-5", "delivery"],
    ["126", "-5", "adl"],
  ] as const;
  for (const [subType, tradeId, cause] of causes) expect(fillOf({ ...fill, subType, tradeId }).cause).toBe(cause);
});
