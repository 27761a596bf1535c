import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { type VirtualClock, virtualClock } from "#host/clock";
import { type CandleSource, instrumentRow } from "#recording/candle-source";
import { okxClient } from "#runtime/okx/client";
import { type OkxExchangeConfig, okxExchange } from "#runtime/okx/exchange";
import { paperAccess } from "#testing/paper-access";
import type { Submission, SubmitReply } from "#trading/venue";
import type { Candle } from "#units/candle";
import { big, decimalOf } from "#units/decimal";
import { instant } from "#units/time";
import type { FaultAct } from "./faults.ts";
import { PaperStateError } from "./store.ts";
import { type PaperVenue, type PaperVenueConfig, paperVenue } from "./venue.ts";

const START = Date.parse("2022-06-21T00:00:00.000Z");
const BAR = 300;
const KEY = { apiKey: "key-0123456789", secret: "sEcr3t/with+odd=chars", passphrase: 'pass "phrase"&x' };
const ETH = "ETH-USDT-SWAP";

/** Generated bars: 1,000 at the start, five up per bar; a gap of a bar at index 20. */
function bars(count = 200): Candle[] {
  return Array.from({ length: count }, (_, i) => {
    const open = 1000 + i * 5;
    return {
      openedAt: instant(START + i * BAR * 1000),
      open: decimalOf(String(open)),
      high: decimalOf(String(open + 7)),
      low: decimalOf(String(open - 3)),
      close: decimalOf(String(open + 5)),
      volume: decimalOf("10000"),
    };
  }).filter((_, i) => i !== 20);
}

const ethRow = instrumentRow({
  ...{
    id: ETH,
    asset: "ETH",
    contractSize: decimalOf("0.1"),
    lotSize: decimalOf("0.01"),
    minSize: decimalOf("0.01"),
    tickSize: decimalOf("0.01"),
  },
  maxLeverage: decimalOf("100"),
});

function market(candles = bars()): CandleSource {
  return { barSeconds: BAR, instruments: () => [ethRow], bars: () => candles };
}

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

async function traded(overrides: Partial<PaperVenueConfig> = {}, adapter: Partial<OkxExchangeConfig> = {}) {
  const clock: VirtualClock = virtualClock(START + 10 * BAR * 1000);
  const seen: { method: string; target: string; headers: Record<string, unknown>; body: string }[] = [];
  const observe = (request: (typeof seen)[number]) => seen.push(request);
  const config = { clock, source: market(), key: KEY, observe, ...overrides };
  const venue: PaperVenue = await paperVenue(config);
  open.push(venue.close);
  const exchange = okxExchange({ ...paperAccess(venue.url, KEY), ...adapter });
  return { clock, venue, exchange, seen };
}

let serial = 0;
function order(clock: VirtualClock, overrides: Partial<Submission> = {}): Submission {
  serial += 1;
  return {
    ...{
      clientOrderId: `d${String(serial).padStart(4, "0")}`,
      instrument: ETH,
      side: "buy",
      type: "market",
      size: decimalOf("2"),
    },
    ...{ price: null, reduceOnly: false, expiresAt: instant(clock.now() + 4000) },
    ...overrides,
  };
}

test("a market order fills at once: fill, position and balance agree to the last digit", async () => {
  const { clock, exchange } = await traded();
  const wanted = order(clock);
  const reply = await exchange.submit(wanted);
  expect(reply).toMatchObject({ kind: "accepted" });
  const [fill] = await exchange.fills(instant(clock.now()));
  // mid 1050, half a spread of 1 bp up to the tick, impact 10 bps × 2 / 1000
  expect(fill).toMatchObject({ size: "2", price: "1050.12", fee: "0.105012", feeAsset: "USDT", liquidity: "taker" });
  expect(fill).toMatchObject({ clientOrderId: wanted.clientOrderId, side: "buy", filledAt: instant(clock.now()) });
  const [position] = await exchange.positions();
  expect(position).toEqual({
    ...{ instrument: ETH, contracts: "2", averagePrice: "1050.12", markPrice: "1050", unrealizedPnl: "-0.024" },
    updatedAt: fill?.filledAt,
  });
  const { equity, available } = await exchange.balance();
  expect(equity).toBe(big(decimalOf("100000")).minus("0.105012").minus("0.024").toFixed());
  expect(big(available).lt(equity)).toBe(true);
  expect(await exchange.order(ETH, wanted.clientOrderId)).toMatchObject({ state: "filled", averagePrice: "1050.12" });
  expect(await exchange.openOrders()).toEqual([]);
});

test("an IOC order fills what its limit allows and is canceled for the rest", async () => {
  const { clock, exchange } = await traded();
  const partial = order(clock, { type: "ioc", price: decimalOf("1050.52"), size: decimalOf("900") });
  expect((await exchange.submit(partial)).kind).toBe("accepted");
  const found = await exchange.order(ETH, partial.clientOrderId);
  expect(found?.state).toBe("canceled");
  expect(Number(found?.filledSize)).toBeGreaterThan(0);
  expect(Number(found?.filledSize)).toBeLessThan(900);
  expect(Number(found?.averagePrice)).toBeLessThanOrEqual(1050.52);
  const none = order(clock, { type: "ioc", price: decimalOf("1049") });
  expect((await exchange.submit(none)).kind).toBe("accepted");
  expect(await exchange.order(ETH, none.clientOrderId)).toMatchObject({
    state: "canceled",
    filledSize: "0",
    averagePrice: null,
  });
});

test("a market order takes no more than its share of the bar", async () => {
  const { clock, exchange } = await traded({ balance: decimalOf("10000000") });
  const large = order(clock, { size: decimalOf("5000") });
  await exchange.submit(large);
  expect(await exchange.order(ETH, large.clientOrderId)).toMatchObject({ state: "canceled", filledSize: "1000" });
});

test("a flip closes and opens; equity moves by price and fees alone", async () => {
  const { clock, venue, exchange } = await traded();
  await exchange.submit(order(clock, { size: decimalOf("3") }));
  clock.set(clock.now() + 150_000);
  await exchange.submit(order(clock, { side: "sell", size: decimalOf("5") }));
  const [position] = await exchange.positions();
  expect(position?.contracts).toBe("-2");
  const fills = await exchange.fills(instant(START));
  expect(fills.map((fill) => fill.side)).toEqual(["buy", "sell"]);
  const cash = fills.reduce(
    (sum, { side, size, price, fee }) => {
      const value = big(size)
        .times("0.1")
        .times(price)
        .times(side === "buy" ? -1 : 1);
      return sum.plus(value).minus(fee);
    },
    big(decimalOf("100000")),
  );
  const mark = big(position?.markPrice ?? decimalOf("0"));
  expect((await exchange.balance()).equity).toBe(cash.plus(mark.times("-2").times("0.1")).toFixed());
  const [opened, closed] = venue.state().fills;
  expect(closed?.fillPnl).toBe(big(closed!.fillPx).minus(opened!.fillPx).times("0.3").toFixed());
});

test("reduce-only never opens", async () => {
  const { clock, exchange } = await traded();
  await exchange.submit(order(clock, { size: decimalOf("3") }));
  expect(await exchange.submit(order(clock, { reduceOnly: true }))).toMatchObject({ kind: "flat", code: "51169" });
  expect(await exchange.submit(order(clock, { side: "sell", size: decimalOf("9"), reduceOnly: true }))).toMatchObject({
    kind: "accepted",
  });
  expect(await exchange.positions()).toEqual([]);
});

test.each<[string, Partial<Submission>, Partial<SubmitReply>]>([
  ["past its deadline", { expiresAt: instant(START) }, { kind: "expired", code: "50037" }],
  ["below the minimum", { size: decimalOf("0.001") }, { kind: "rejected", code: "51020" }],
  ["off the lot", { size: decimalOf("0.015") }, { kind: "rejected", code: "51121" }],
  ["beyond the margin", { size: decimalOf("5000") }, { kind: "rejected", code: "51008" }],
  ["beyond the tiers", { size: decimalOf("100000") }, { kind: "rejected", code: "51004" }],
  ["an unknown instrument", { instrument: "DOGE-USDT-SWAP" }, { kind: "rejected", code: "51001" }],
])("%s", async (_, overrides, expected) => {
  const { clock, exchange, venue } = await traded();
  expect(await exchange.submit(order(clock, overrides))).toMatchObject(expected);
  expect(venue.state().orders).toEqual([]);
});

test("a client order id is unique among pending orders only, as on OKX", async () => {
  const { clock, venue, exchange, seen } = await traded();
  const wanted = order(clock, { type: "ioc", price: decimalOf("900") });
  // The desk sends no resting order; another client of the account does.
  const other = okxClient({
    venue: "paper",
    mode: "demo",
    url: venue.url,
    rateLimit: false,
    credentials: { mode: "demo", ...KEY },
  });
  await exchange.now();
  other.options.timeDifference = Date.now() - clock.now();
  const fields = { instId: ETH, tdMode: "isolated", side: "buy", ordType: "limit", sz: "1", px: "900" };
  await other.privatePostTradeOrder({ ...fields, clOrdId: wanted.clientOrderId, expTime: String(clock.now() + 1000) });
  expect(await exchange.submit(wanted)).toEqual({ kind: "exists" });
  expect(await exchange.openOrders()).toMatchObject([
    { clientOrderId: wanted.clientOrderId, state: "open", size: "1" },
  ]);
  expect(await exchange.cancel(ETH, wanted.clientOrderId)).toBe(true);
  expect(await exchange.submit(wanted)).toMatchObject({ kind: "accepted" }); // free again: it is no idempotency key
  expect(await exchange.submit(wanted)).toMatchObject({ kind: "accepted" });
  expect(venue.state().orders.length).toBe(3);
  const posts = seen.filter(({ method, target }) => method === "POST" && target.endsWith("trade/order"));
  expect(posts.every(({ headers }) => headers["x-simulated-trading"] === "1" && Number(headers.exptime) > 0)).toBe(
    true,
  );
});

test("a resting order fills at its limit when the market comes to it", async () => {
  const { clock, venue, exchange } = await traded();
  const other = okxClient({
    venue: "paper",
    mode: "demo",
    url: venue.url,
    rateLimit: false,
    credentials: { mode: "demo", ...KEY },
  });
  other.options.timeDifference = Date.now() - clock.now();
  const fields = { instId: ETH, tdMode: "isolated", side: "sell", ordType: "limit", sz: "1", px: "1060" };
  await other.privatePostTradeOrder({ ...fields, clOrdId: "rest1", expTime: String(clock.now() + 1000) });
  clock.set(clock.now() + 3 * BAR * 1000);
  expect(await exchange.fills(instant(START))).toMatchObject([{ price: "1060", liquidity: "maker", fee: "0.0212" }]);
});

const SUBMIT_FAULTS: [string, FaultAct, SubmitReply["kind"], number][] = [
  ["reset before", { kind: "reset-before" }, "unknown", 0],
  ["reset after", { kind: "reset-after" }, "unknown", 1],
  ["hang before", { kind: "hang-before" }, "unknown", 0],
  ["hang after", { kind: "hang-after" }, "unknown", 1],
  ["body that stalls", { kind: "stall" }, "unknown", 1],
  ["half a body", { kind: "garble" }, "unknown", 1],
  ["502 page", { kind: "page", status: 502, after: true }, "unknown", 1],
  ["429 page", { kind: "page", status: 429 }, "unknown", 0],
  ["every header echoed", { kind: "echo" }, "rejected", 0],
  ["50004", { kind: "code", code: "50004", after: true }, "unknown", 1],
  ["a code that nobody knows", { kind: "code", code: "59999" }, "unknown", 0],
  ["50011", { kind: "code", code: "50011", status: 429 }, "busy", 0],
  ["50061", { kind: "code", code: "50061" }, "busy", 0],
  ["50037", { kind: "code", code: "50037" }, "expired", 0],
  ["51016", { kind: "code", code: "51016" }, "exists", 0],
  ["50071", { kind: "code", code: "50071" }, "exists", 0],
  ["51155", { kind: "code", code: "51155" }, "halt", 0],
  ["51169", { kind: "code", code: "51169" }, "flat", 0],
  ["54012", { kind: "code", code: "54012" }, "frozen", 0],
  ["50113", { kind: "code", code: "50113", status: 401 }, "halt", 0],
  ["50101", { kind: "code", code: "50101", status: 401 }, "halt", 0],
];

const secretsIn = (value: unknown): string[] => {
  const shown =
    value instanceof Error ? `${value.stack} ${JSON.stringify(value)} ${String(value.cause)}` : JSON.stringify(value);
  const forms = [KEY.apiKey, KEY.secret, KEY.passphrase, JSON.stringify(KEY.passphrase).slice(1, -1)];
  return forms.filter((form) => shown.includes(form));
};

test.each(SUBMIT_FAULTS)("submit, %s", async (_, act, kind, placed) => {
  const { clock, venue, exchange, seen } = await traded({}, { timeoutMs: 400 });
  venue.faults.set({ path: "trade/order", method: "POST", act });
  const wanted = order(clock);
  const reply = await exchange.submit(wanted);
  expect(reply.kind).toBe(kind);
  expect(secretsIn(reply)).toEqual([]);
  const signature = seen.at(-1)?.headers["ok-access-sign"];
  expect(JSON.stringify(reply)).not.toContain(signature);
  expect(venue.state().orders.length).toBe(placed);
  expect(seen.filter(({ method }) => method === "POST").length).toBe(1); // never sent twice
  expect((await exchange.order(ETH, wanted.clientOrderId)) === null).toBe(placed === 0);
});

test("a late arrival is refused past its deadline, taken before it", async () => {
  const { clock, venue, exchange } = await traded();
  venue.faults.set({ path: "trade/order", method: "POST", times: 2, act: { kind: "late" } });
  const [slow, slower] = [order(clock), order(clock)];
  expect((await exchange.submit(slow)).kind).toBe("unknown");
  clock.set(clock.now() + 3000);
  expect(await venue.deliverLate()).toBe(1);
  expect(await exchange.order(ETH, slow.clientOrderId)).toMatchObject({ state: "filled" });
  expect((await exchange.submit(slower)).kind).toBe("unknown");
  clock.set(clock.now() + 3000);
  expect(await venue.deliverLate()).toBe(1);
  expect(await exchange.order(ETH, slower.clientOrderId)).toBeNull();
});

test("a duplicated delivery makes two orders of one market order, which a reader of fills sees", async () => {
  const { clock, venue, exchange } = await traded();
  venue.faults.set({ path: "trade/order", method: "POST", act: { kind: "duplicate" } });
  const wanted = order(clock);
  expect((await exchange.submit(wanted)).kind).toBe("accepted");
  expect((await exchange.fills(instant(START))).length).toBe(2);
});

test.each<FaultAct>([
  { kind: "reset-before" },
  { kind: "hang-before" },
  { kind: "stall" },
  { kind: "garble" },
  { kind: "page", status: 503 },
  { kind: "code", code: "50001" },
  { kind: "code", code: "50113", status: 401 },
  { kind: "echo" },
])("a query that fails throws and shows no secret: %j", async (act) => {
  const { venue, exchange } = await traded({}, { timeoutMs: 300 });
  const calls: [string, () => Promise<unknown>][] = [
    ["account/positions", () => exchange.positions()],
    ["account/balance", () => exchange.balance()],
    ["trade/fills-history", () => exchange.fills(instant(START))],
    ["trade/orders-pending", () => exchange.openOrders()],
    ["trade/order", () => exchange.order(ETH, "d1")],
    ["trade/cancel-order", () => exchange.cancel(ETH, "d1")],
    ["market/ticker", () => exchange.quote(ETH)],
    ["public/time", () => exchange.now()],
  ];
  for (const [path, call] of calls) {
    venue.faults.set({ path, act, times: 9 });
    const error = await call().then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error, path).toBeInstanceOf(Error);
    expect((error as Error).name).toBe("VenueError");
    expect(secretsIn(error)).toEqual([]);
    venue.faults.clear();
  }
});

test.each([
  ["50111", { apiKey: "another-key" }],
  ["50105", { passphrase: "another" }],
  ["50113", { secret: "another-secret" }],
])("a wrong credential halts with %s", async (code, wrong) => {
  const { clock, exchange, venue } = await traded({}, { credentials: { mode: "demo", ...KEY, ...wrong } });
  expect(await exchange.submit(order(clock))).toMatchObject({ kind: "halt", code });
  expect(venue.state().orders).toEqual([]);
});

test("another account's key halts before the first order", async () => {
  const { clock, exchange, venue } = await traded({}, { accountId: "1" });
  expect(await exchange.submit(order(clock))).toMatchObject({ kind: "halt", code: "uid" });
  expect(venue.state().orders).toEqual([]);
});

test("the signature follows the venue's clock when it jumps", async () => {
  const { clock, exchange } = await traded();
  expect(await exchange.positions()).toEqual([]);
  clock.set(clock.now() + 3_600_000);
  expect(await exchange.positions()).toEqual([]);
  expect(await exchange.now()).toBe(instant(clock.now()));
});

test("a cancel of what is closed or absent is false", async () => {
  const { clock, exchange } = await traded();
  const wanted = order(clock);
  await exchange.submit(wanted);
  expect(await exchange.cancel(ETH, wanted.clientOrderId)).toBe(false);
  expect(await exchange.cancel(ETH, "absent")).toBe(false);
});

test("fills are paged: 250 of them, each once, in order", async () => {
  const { clock, exchange } = await traded();
  for (let i = 0; i < 250; i += 1) {
    clock.set(clock.now() + (i % 3) * 7);
    await exchange.submit(order(clock, { size: decimalOf("0.01"), side: i % 2 ? "sell" : "buy" }));
  }
  const fills = await exchange.fills(instant(START));
  expect(new Set(fills.map((fill) => fill.tradeId)).size).toBe(250);
  expect(fills.map((fill) => fill.filledAt)).toEqual(fills.map((fill) => fill.filledAt).sort());
  expect((await exchange.fills(fills[200]!.filledAt)).length).toBeLessThan(55);
});

test("bars end at the clock: closed ones only, whatever lies ahead", async () => {
  const { clock, exchange, venue } = await traded();
  clock.set(START + 30 * BAR * 1000 + 100_000);
  const found = await exchange.candles(ETH, BAR, instant(START + 15 * BAR * 1000), 300);
  expect(found.length).toBe(14); // 15 to 29 without the gap at 20
  expect(found.at(-1)?.openedAt).toBe(instant(START + 29 * BAR * 1000));
  expect(found.map((bar) => bar.openedAt)).toEqual(found.map((bar) => bar.openedAt).sort());
  const wide = await exchange.candles(ETH, 900, instant(START), 300);
  expect(wide.length).toBe(10);
  expect(wide[0]).toMatchObject({ open: "1000", close: "1015", high: "1017", low: "997", volume: "30000" });
  const reply = await fetch(`${venue.url}/api/v5/market/candles?instId=${ETH}&bar=5m&limit=2`);
  const { data } = (await reply.json()) as { data: string[][] };
  // Of the unfinished bar its open is known.
  expect(data[0]?.slice(0, 6)).toEqual([String(START + 30 * BAR * 1000), "1150", "1150", "1150", "1150", "0"]);
  expect(data.map((row) => row.at(-1))).toEqual(["0", "1"]);
});

test("a paper account outlives its process; a damaged file is named", async () => {
  const folder = mkdtempSync(join(tmpdir(), "paper-"));
  const file = join(folder, "account.json");
  const { clock, exchange, venue } = await traded({ file });
  await exchange.submit(order(clock));
  const before = venue.state();
  const second = await traded({ file });
  expect(second.venue.state()).toEqual(before);
  expect((await second.exchange.positions()).length).toBe(1);
  writeFileSync(file, "{");
  await expect(traded({ file })).rejects.toThrow(PaperStateError);
  rmSync(folder, { recursive: true });
});

test("ids do not depend on which order of an instant came first", async () => {
  const ids = async (sizes: string[]) => {
    const { clock, exchange } = await traded();
    const sent: Record<string, unknown> = {};
    for (const size of sizes)
      sent[size] = await exchange.submit({ ...order(clock), clientOrderId: `o${size}`, size: decimalOf(size) });
    return sent;
  };
  expect(await ids(["1", "2", "3"])).toEqual(await ids(["3", "1", "2"]));
});
