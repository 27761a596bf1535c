import { okx } from "ccxt";
import { afterEach, expect, test } from "vitest";
import { virtualClock } from "#host/clock";
import { instrumentRow } from "#recording/candle-source";
import { ETH_SWAP } from "#testing/instruments";
import { big, decimalOf } from "#units/decimal";
import { instant } from "#units/time";
import { type PaperVenueConfig, paperVenue } from "./venue.ts";

const START = Date.parse("2022-06-21T00:00:00.000Z");
const BAR_MS = 300_000;
const KEY = { apiKey: "key-0123456789", secret: "secret", passphrase: "phrase" };
const SYMBOL = "ETH/USDT:USDT";
const instId = ETH_SWAP.id;

/** One price a bar, so that a test says when it moves. */
const priced = (...prices: number[]) =>
  prices.map((value, i) => {
    const price = decimalOf(String(value));
    const openedAt = instant(START + i * BAR_MS);
    return { openedAt, open: price, high: price, low: price, close: price, volume: decimalOf("10000") };
  });

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

type Row = Record<string, unknown>;

/** A venue whose price is the nth of `prices` in the nth bar, and ccxt as it comes, pointed at it. */
async function stage(prices: number[], config: Partial<PaperVenueConfig> = {}, row: Row = {}) {
  const clock = virtualClock(START + 1000);
  const bars = priced(...prices);
  const source = { barSeconds: 300, instruments: () => [{ ...instrumentRow(ETH_SWAP), ...row }], bars: () => bars };
  const venue = await paperVenue({ clock, source, key: KEY, ...config });
  closing.push(venue.close);
  const client = new okx({ apiKey: KEY.apiKey, secret: KEY.secret, password: KEY.passphrase, enableRateLimit: false });
  client.setSandboxMode(true);
  client.urls.api = { rest: venue.url };
  client.options.createOrder = "privatePostTradeOrder"; // ccxt's default is a batch of one
  client.options.fetchMarkets = { types: ["swap"] };
  client.has.fetchCurrencies = false;
  const to = (ms: number) => {
    clock.set(START + ms);
    client.options.timeDifference = Date.now() - clock.now();
  };
  to(1000);
  await client.loadMarkets();
  const first = async (reply: Promise<unknown>) => ((await reply) as { data: Row[] }).data[0] as Row;
  // ccxt makes these methods from its table of the API at run time, so that its types do not have them.
  const call = client as unknown as Record<string, (fields: unknown) => Promise<unknown>>;
  return {
    ...{ venue, client, clock },
    to: (bar: number, ms = 1000) => to(bar * BAR_MS + ms),
    buy: (amount = 2, params: Row = {}) => client.createOrder(SYMBOL, "market", "buy", amount, undefined, params),
    sell: (amount = 2, params: Row = {}) => client.createOrder(SYMBOL, "market", "sell", amount, undefined, params),
    stop: (fields: Row = {}) =>
      first(
        client.privatePostTradeOrderAlgo({
          ...{ instId, tdMode: "cross", side: "sell", ordType: "conditional", closeFraction: "1", reduceOnly: true },
          ...{ slTriggerPx: "950", slOrdPx: "-1", slTriggerPxType: "mark", algoClOrdId: "s1", ...fields },
        }),
      ),
    amend: (fields: Row) => first(call.privatePostTradeAmendAlgos?.({ instId, ...fields }) as Promise<unknown>),
    cancel: (...rows: Row[]) =>
      call.privatePostTradeCancelAlgos?.(rows.map((row) => ({ instId, ...row }))) as Promise<{ data: Row[] }>,
    algo: (algoClOrdId = "s1") => first(client.privateGetTradeOrderAlgo({ algoClOrdId })),
    position: async () => (await client.privateGetAccountPositions()).data as Row[],
  };
}

test("a stop of the whole position waits, is reached and closes what is held then", async () => {
  const { buy, stop, to, algo, client, position, venue } = await stage([1000, 1000, 940, 940], {
    triggerLatencyMs: 1020,
  });
  await buy(2);
  expect(await stop()).toMatchObject({ sCode: "0", algoClOrdId: "s1" });
  await buy(3); // the stop follows
  const waiting = await algo();
  expect(waiting).toMatchObject({ state: "live", closeFraction: "1", sz: "", reduceOnly: "true", ordIdList: [] });
  expect(await position()).toMatchObject([
    { pos: "5", closeOrderAlgo: [{ algoId: waiting.algoId, slTriggerPx: "950", slTriggerPxType: "mark" }] },
  ]);
  to(2);
  expect(await algo()).toMatchObject({ state: "live", triggerTime: String(START + 2 * BAR_MS) });
  to(2, 1060); // past the latency
  const done = await algo();
  expect(done).toMatchObject({ state: "effective", actualSide: "sl", actualSz: "5", failCode: "" });
  const [ordId] = done.ordIdList as string[];
  const child = (await client.privateGetTradeOrder({ instId, ordId })).data[0];
  expect(child).toMatchObject({ source: "7", algoId: done.algoId, algoClOrdId: "s1", clOrdId: "", state: "filled" });
  expect(child).toMatchObject({
    accFillSz: "5",
    reduceOnly: "true",
    side: "sell",
    cTime: String(START + 2 * BAR_MS + 1020),
  });
  expect(Number(child.avgPx)).toBeLessThan(940);
  expect(await position()).toEqual([]);
  expect(venue.state().fills.at(-1)).toMatchObject({ ordId, clOrdId: "" });
});

test("ccxt's own createOrder, editOrder, fetchOrder, fetchOpenOrders and cancelOrder drive it", async () => {
  const { client, buy } = await stage([1000]);
  await buy(2);
  const made = await client.createOrder(SYMBOL, "oco", "sell", 2, undefined, {
    ...{ stopLossPrice: 950, takeProfitPrice: 1100, reduceOnly: true, tdMode: "cross", clientOrderId: "o1" },
  });
  const pending = await client.fetchOpenOrders(SYMBOL, undefined, undefined, { ordType: "oco" });
  expect(pending).toMatchObject([
    { id: made.id, type: "oco", stopLossPrice: 950, takeProfitPrice: 1100, status: "open" },
  ]);
  await client.editOrder(String(made.id), SYMBOL, "oco", "sell", undefined, undefined, {
    ...{ algoId: made.id, stopLossPrice: 960, newSlOrdPx: "-1" },
  });
  expect(await client.fetchOrder("", SYMBOL, { trigger: true, algoId: made.id })).toMatchObject({ stopLossPrice: 960 });
  await client.cancelOrder(String(made.id), SYMBOL, { trigger: true });
  expect(await client.fetchOpenOrders(SYMBOL, undefined, undefined, { ordType: "oco" })).toEqual([]);
  expect(await client.fetchCanceledOrders(SYMBOL, undefined, undefined, { ordType: "oco" })).toMatchObject([
    { id: made.id, status: "canceled" },
  ]);
});

test("an OCO order takes its profit and its stop is gone with it", async () => {
  const { buy, stop, to, algo, position } = await stage([1000, 1110, 900]);
  await buy(3);
  await stop({ ordType: "oco", closeFraction: undefined, sz: "2", tpTriggerPx: "1100", tpOrdPx: "-1" });
  to(1);
  await algo();
  to(1, 2000);
  expect(await algo()).toMatchObject({ state: "effective", actualSide: "tp", actualSz: "2" });
  to(2);
  expect(await position()).toMatchObject([{ pos: "1" }]);
});

test("mark, last and index are apart: a stop watches its own", async () => {
  const { buy, stop, to, algo, venue, client } = await stage([1000, 1000, 1000]);
  await buy(2);
  await stop();
  await stop({ algoClOrdId: "last", slTriggerPxType: "last", closeFraction: undefined, sz: "1" });
  await stop({ algoClOrdId: "index", slTriggerPxType: "index", closeFraction: undefined, sz: "1" });
  venue.part(instId, decimalOf("0.94"), decimalOf("1.05"));
  expect((await client.publicGetPublicMarkPrice({ instType: "SWAP", instId })).data[0]).toMatchObject({
    markPx: "940",
  });
  to(0, 5000);
  await algo();
  expect(await algo("last")).toMatchObject({ state: "live", triggerTime: "" });
  expect(await algo("index")).toMatchObject({ state: "live", triggerTime: "" });
  expect(await algo()).toMatchObject({ state: "effective", actualSz: "2" });
  expect(Number((await algo()).actualPx)).toBeGreaterThan(999); // traded at the last price
});

const REFUSED: [string, Row, string][] = [
  ["a second one of the position", { algoClOrdId: "s2" }, "51088"],
  ["an id that was used", {}, "51065"],
  [
    "a stop above the price of a long",
    { algoClOrdId: "a", closeFraction: undefined, sz: "1", slTriggerPx: "1000" },
    "51280",
  ],
  [
    "a take-profit below the price of a long",
    {
      ...{ algoClOrdId: "a", closeFraction: undefined, sz: "1", slTriggerPx: undefined, slOrdPx: undefined },
      ...{ tpTriggerPx: "999", tpOrdPx: "-1" },
    },
    "51279",
  ],
  ["no position that way", { algoClOrdId: "a", side: "buy", slTriggerPx: "1100" }, "51058"],
  ["more than one stop may close", { algoClOrdId: "a", closeFraction: undefined, sz: "5000" }, "51275"],
  ["size and fraction", { algoClOrdId: "a", sz: "1" }, "51000"],
  ["a fraction of a half", { algoClOrdId: "a", closeFraction: "0.5" }, "51000"],
  ["a fraction that is not reduce-only", { algoClOrdId: "a", reduceOnly: false }, "51000"],
  ["OCO with one leg", { algoClOrdId: "a", ordType: "oco", closeFraction: undefined, sz: "1" }, "51000"],
  ["a trigger off the tick", { algoClOrdId: "a", closeFraction: undefined, sz: "1", slTriggerPx: "950.001" }, "51000"],
  ["a stop without its order price", { algoClOrdId: "a", slOrdPx: undefined }, "50014"],
  ["a limit take-profit alone", { algoClOrdId: "a", tpTriggerPx: "1100", tpOrdPx: "-1", tpOrdKind: "limit" }, "51096"],
  ["off the lot", { algoClOrdId: "a", closeFraction: undefined, sz: "1.001" }, "51121"],
  ["an instrument that is not listed", { algoClOrdId: "a", instId: "NO-USDT-SWAP" }, "51001"],
];
test.each(REFUSED)("order-algo refuses %s in its row", async (_, fields, code) => {
  const { buy, stop, venue } = await stage([1000], {}, { maxStopSz: "1000" });
  await buy(2);
  await stop();
  const reply = await stop(fields).catch((error: Error) => error);
  if (code === "50014") expect(String(reply)).toContain("50014");
  else expect(reply).toMatchObject({ sCode: code, algoId: "" });
  expect(venue.state().algos.length).toBe(1);
});

test("a closed short has its own codes, and a stop without a position none to close", async () => {
  const { sell, stop, buy } = await stage([1000]);
  expect(await stop()).toMatchObject({ sCode: "51058" });
  await sell(2);
  const short = { side: "buy", closeFraction: undefined, sz: "1" };
  expect(await stop({ ...short, slTriggerPx: "990" })).toMatchObject({ sCode: "51278" });
  const profit = { ...short, slTriggerPx: undefined, slOrdPx: undefined, tpTriggerPx: "1010", tpOrdPx: "-1" };
  expect(await stop(profit)).toMatchObject({ sCode: "51277" });
  await buy(2);
});

test("an amendment moves triggers; what of a whole-position stop is fixed is refused", async () => {
  const { buy, stop, amend, algo, to } = await stage([1000, 955]);
  await buy(2);
  await stop();
  expect(await amend({ algoClOrdId: "s1", newSlTriggerPx: "960", reqId: "r1" })).toMatchObject({
    sCode: "0",
    reqId: "r1",
  });
  expect(await algo()).toMatchObject({ slTriggerPx: "960" });
  const refused = async (fields: Row) => {
    const error = await amend({ algoClOrdId: "s1", ...fields }).catch((reason: Error) => reason);
    return String(error);
  };
  expect(await refused({ newSz: "1" })).toContain("51524");
  expect(await refused({ newSlOrdPx: "940" })).toContain("51523");
  expect(await refused({ newSlTriggerPx: "1001" })).toContain("51280");
  expect(await refused({ reqId: "r2" })).toContain("51500");
  expect(await refused({ algoClOrdId: "none", newSlTriggerPx: "970" })).toContain("51503");
  expect(await algo()).toMatchObject({ slTriggerPx: "960", state: "live" });
  to(1);
  await algo();
  expect(await refused({ newSlTriggerPx: "900" })).toContain("51503"); // reached already
});

test("cancel-algos answers by row, and the envelope says whether all or some failed", async () => {
  const { buy, stop, cancel, client } = await stage([1000]);
  await buy(2);
  const { algoId } = await stop();
  const both = cancel({ algoId }, { algoClOrdId: "none" });
  const reply = await both.catch((error: Error) => JSON.parse(error.message.replace(/^okx /, "")));
  expect(reply).toMatchObject({
    code: "2",
    data: [
      { algoId, sCode: "0" },
      { algoClOrdId: "none", sCode: "51400" },
    ],
  });
  await expect(cancel({ algoId })).rejects.toThrow("51400");
  await expect(client.privateGetTradeOrdersAlgoHistory({ ordType: "conditional" })).rejects.toThrow("51000");
  const ended = await client.privateGetTradeOrdersAlgoHistory({ ordType: "conditional", state: "canceled" });
  expect(ended.data).toMatchObject([{ algoId, state: "canceled" }]);
  expect((await client.privateGetTradeOrdersAlgoPending({ ordType: "conditional" })).data).toEqual([]);
});

test("a stop outlives its position unless it goes with it, and fails where nothing is left to close", async () => {
  const { buy, sell, stop, algo, to } = await stage([1000, 940, 940]);
  await buy(2);
  await stop();
  await stop({ algoClOrdId: "with", closeFraction: undefined, sz: "1", cxlOnClosePos: true });
  await sell(2);
  expect(await algo()).toMatchObject({ state: "live" });
  expect(await algo("with")).toMatchObject({ state: "canceled" });
  to(1);
  await algo();
  to(1, 2000);
  expect(await algo()).toMatchObject({ state: "order_failed", failCode: "51169", ordIdList: [] });
});

test("an attached stop comes to be when its order is filled completely, and outlives the position", async () => {
  const { buy, sell, client, venue, algo, to, position } = await stage([1000, 940, 940], {
    balance: decimalOf("1000000"),
  });
  const attachAlgoOrds = [{ attachAlgoClOrdId: "at1", slTriggerPx: "950", slOrdPx: "-1", slTriggerPxType: "mark" }];
  const { id } = await buy(2, { attachAlgoOrds, tdMode: "cross" });
  const parent = (await client.privateGetTradeOrder({ instId, ordId: id })).data[0];
  expect(parent.attachAlgoOrds).toMatchObject([{ attachAlgoClOrdId: "at1", slTriggerPx: "950" }]);
  expect(await algo("at1")).toMatchObject({ state: "live", sz: "2", side: "sell", reduceOnly: "false" });
  await buy(500, { attachAlgoOrds: [{ ...attachAlgoOrds[0], attachAlgoClOrdId: "at2" }], tdMode: "cross" });
  expect(venue.state().orders.at(-1)).toMatchObject({ state: "canceled", accFillSz: "100" }); // filled in part
  await expect(algo("at2")).rejects.toThrow("51603");
  await sell(100);
  await sell(2);
  to(1);
  await position();
  to(1, 2000);
  expect(await algo("at1")).toMatchObject({ state: "effective" });
  expect(await position()).toMatchObject([{ pos: "-2" }]); // nothing closed it: it opened a short
});

test.each([
  ["a reduce-only order", "sell", { reduceOnly: true }, { slTriggerPx: "1100", slOrdPx: "-1" }, "51100"],
  ["a buyer's stop above the ask", "buy", {}, { slTriggerPx: "1001", slOrdPx: "-1" }, "51051"],
  ["a buyer's take-profit below the ask", "buy", {}, { tpTriggerPx: "999", tpOrdPx: "-1" }, "51050"],
  ["a seller's stop below the bid", "sell", {}, { slTriggerPx: "999", slOrdPx: "-1" }, "51053"],
  ["a seller's take-profit above the bid", "sell", {}, { tpTriggerPx: "1001", tpOrdPx: "-1" }, "51052"],
] as const)("an order with a TP/SL is refused: %s", async (_, side, params, leg, code) => {
  const { buy, client, venue } = await stage([1000]);
  await buy(2);
  const wanted = client.createOrder(SYMBOL, "market", side, 1, undefined, {
    ...params,
    attachAlgoOrds: [{ attachAlgoClOrdId: "x", ...leg }],
  });
  await expect(wanted).rejects.toThrow(code);
  expect(venue.state().orders.length).toBe(1);
});

test("the market lies between trigger and order: a close by hand meanwhile leaves nothing to close", async () => {
  const { buy, sell, stop, algo, to } = await stage([1000, 940, 940], { triggerLatencyMs: 2000 });
  await buy(2);
  await stop();
  to(1);
  await algo();
  await sell(2);
  to(1, 4000);
  expect(await algo()).toMatchObject({ state: "order_failed", failCode: "51169" });
});

test("a person's trade, a liquidation and an ADL are orders without our id", async () => {
  const { buy, venue, client, position } = await stage([1000]);
  await buy(10);
  const hand = venue.trade({ instId, side: "sell", size: big(decimalOf("1")), cause: "trade" });
  expect(hand).toMatchObject({ clOrdId: "", category: "normal", accFillSz: "1" });
  const rest = await client.createOrder(SYMBOL, "limit", "buy", 1, 900, { tdMode: "cross" });
  venue.trade({ instId, side: "sell", size: big(decimalOf("2")), cause: "adl" });
  venue.trade({ instId, side: "sell", size: big(decimalOf("3")), cause: "partial_liquidation" });
  expect(await position()).toMatchObject([{ pos: "4" }]);
  const { ordId } = venue.trade({ instId, side: "sell", size: big(decimalOf("99")), cause: "liquidation" });
  expect(await position()).toEqual([]);
  const row = async (id: unknown) => (await client.privateGetTradeOrder({ instId, ordId: id })).data[0];
  expect(await row(ordId)).toMatchObject({ category: "full_liquidation", clOrdId: "", sz: "4", state: "filled" });
  expect(await row(rest.id)).toMatchObject({ state: "canceled", cancelSource: "3" });
  const made = (await client.privateGetTradeFills({ instId })).data as Row[];
  expect(made.map(({ tradeId }) => Number(tradeId) < 0)).toEqual([true, true, true, false, false]); // newest first
  expect(venue.state().bills.map(({ type, subType }) => `${type}/${subType}`)).toEqual([
    ...["2/1", "2/2", "9/128", "5/103", "5/107"],
  ]);
  expect(() => venue.trade({ instId, side: "sell", size: big(decimalOf("1")), cause: "adl" })).toThrow(RangeError);
});

test("a reduce-only order above the position is made smaller, says so and ends", async () => {
  const { buy, sell, client, position } = await stage([1000]);
  await buy(3);
  const { id } = await sell(9, { reduceOnly: true });
  const [row] = (await client.privateGetTradeOrder({ instId, ordId: id })).data;
  expect(row).toMatchObject({ sz: "3", accFillSz: "3", amendSource: "3", state: "filled" });
  expect(await position()).toEqual([]);
});

test("a market order and a stop are of at most maxMktSz", async () => {
  const { buy, stop, to, algo } = await stage([1000, 940, 940], {}, { maxMktSz: "5" });
  await expect(buy(6)).rejects.toThrow("51202");
  await buy(5);
  await buy(1);
  await stop();
  to(1);
  expect(await algo()).toMatchObject({ state: "order_failed", failCode: "51202" });
});

test("a fill can be shown later than its order shows it, and its record's time is then not the fill's", async () => {
  const { buy, client, to } = await stage([1000], { fillLagMs: 3000 });
  const { id } = await buy(2);
  expect((await client.privateGetTradeOrder({ instId, ordId: id })).data[0]).toMatchObject({ accFillSz: "2" });
  expect((await client.privateGetTradeFills({ ordId: id })).data).toEqual([]);
  to(0, 5000);
  const [fill] = (await client.privateGetTradeFills({ ordId: id })).data as Row[];
  expect(fill).toMatchObject({ fillTime: String(START + 1000), ts: String(START + 4000) });
});

test("a suspended instrument takes no order and fires no stop; a change to come is announced in its row", async () => {
  const { buy, stop, venue, client, algo, to } = await stage([1000, 940, 940]);
  await buy(2);
  await stop();
  venue.relist(instId, { state: "suspend", upcChg: [{ param: "tickSz", newValue: "0.1", effTime: "1655800000000" }] });
  await expect(buy(1)).rejects.toThrow("51022");
  const [row] = (await client.publicGetPublicInstruments({ instType: "SWAP" })).data;
  expect(row).toMatchObject({ state: "suspend", upcChg: [{ param: "tickSz", newValue: "0.1" }] });
  to(1);
  expect(await algo()).toMatchObject({ state: "order_failed", failCode: "51022" });
});

test("a price outside the limit around the index is refused", async () => {
  const { client, venue } = await stage([1000]);
  const limit = (side: "buy" | "sell", price: number) =>
    client.createOrder(SYMBOL, "limit", side, 1, price, { tdMode: "cross", timeInForce: "IOC" });
  const [row] = (await client.publicGetPublicPriceLimit({ instId })).data;
  expect(row).toMatchObject({ buyLmt: "1020", sellLmt: "980" });
  await expect(limit("buy", 1020.01)).rejects.toThrow("51006");
  await expect(limit("sell", 979.99)).rejects.toThrow("51006");
  await limit("buy", 1020);
  expect(venue.state().orders).toMatchObject([{ state: "filled" }]);
  // The premium of the last price over the index moves it: not past the index, and no further from it than 5 %.
  const limitAt = async (index: string) => {
    venue.part(instId, decimalOf("1"), decimalOf(index));
    const { buyLmt, sellLmt } = (await client.publicGetPublicPriceLimit({ instId })).data[0] ?? {};
    return [buyLmt, sellLmt];
  };
  expect(await limitAt("0.98")).toEqual(["1019.6", "980"]);
  expect(await limitAt("0.9")).toEqual(["945", "900"]);
  expect(await limitAt("1.1")).toEqual(["1100", "1045"]);
  expect((await client.publicGetSystemStatus()).data).toEqual([]);
});

test("close-position closes at market, and cancels what closes it too when it is told to", async () => {
  const { buy, stop, client, position, algo } = await stage([1000]);
  await expect(client.closePosition(SYMBOL, "buy", { mgnMode: "cross" })).rejects.toThrow("51023");
  await client.setLeverage(5, SYMBOL, { mgnMode: "cross" });
  expect(await client.fetchLeverage(SYMBOL, { marginMode: "cross" })).toMatchObject({ longLeverage: 5 });
  await buy(2);
  await stop();
  await expect(client.closePosition(SYMBOL, "buy", { mgnMode: "cross" })).rejects.toThrow("51115");
  await client.closePosition(SYMBOL, "buy", { mgnMode: "cross", autoCxl: true });
  expect(await position()).toEqual([]);
  expect(await algo()).toMatchObject({ state: "canceled" });
});

test("a stale read answers what it answered before, by endpoint", async () => {
  const { buy, venue, position, client } = await stage([1000]);
  expect(await position()).toEqual([]);
  await buy(2);
  venue.faults.set({ path: "account/positions", act: { kind: "stale" } });
  expect(await position()).toEqual([]); // the order is filled, its position is not there yet
  expect((await client.privateGetTradeFills({ instId })).data).toHaveLength(1);
  expect(await position()).toMatchObject([{ pos: "2" }]);
});
