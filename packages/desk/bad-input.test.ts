/** What a venue may say that is not so, in replies over HTTP: each is found by name before anything is sent, and is kept. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { orderEvents, protections } from "#db/schema";
import { sqlStore } from "#db/trading/store";
import { okxExchange } from "#runtime/okx/exchange";
import { deskTests } from "#testing/desk-tests";
import { ETH_SWAP } from "#testing/instruments";
import { type PaperDesk, paperDesk } from "#testing/paper-desk";
import { policyFrom } from "#trading/plans/policy";
import { decimalOf } from "#units/decimal";
import { reconcileAccount } from "./reconcile-account.ts";

const tests = deskTests();
const stage = async () => {
  const desk = await paperDesk(tests.db);
  tests.closeAfter(desk.close);
  return desk;
};

type Row = Readonly<Record<string, string>>;
/** By the end of an address: what its rows are instead. Null = the venue is not asked, and the row is all of the answer. */
const bent = new Map<string, { readonly row: Row; readonly isAsked: boolean }>();
const posted: string[] = [];
const real = globalThis.fetch;
beforeEach(() => {
  bent.clear();
  posted.length = 0;
  vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
    const { pathname } = new URL(url);
    const bend = [...bent].find(([path]) => pathname.endsWith(path))?.[1];
    if (init.method === "POST") posted.push(pathname);
    if (bend !== undefined && !bend.isAsked) return Response.json({ code: "0", msg: "", data: [bend.row] });
    const response = await real(url, init);
    if (bend === undefined) return response;
    const { data, ...reply } = (await response.json()) as { data: object[] };
    return Response.json({ ...reply, data: data.map((row) => ({ ...row, ...bend.row })) });
  });
});
afterEach(() => vi.unstubAllGlobals());
const bend = (path: string, row: Row): unknown => bent.set(path, { row, isAsked: true });
const answer = (path: string, row: Row): unknown => bent.set(path, { row, isAsked: false });

const bias = (desk: PaperDesk) => desk.lean(decimalOf("0.6"));
const TICKER = "/market/ticker";
const MARK = "/public/mark-price";

test.each([
  ["a bid of NaN", TICKER, { bidPx: "NaN" }, /^ticker: .*bidPx/],
  ["an ask without end", TICKER, { askPx: "Infinity" }, /^ticker: .*askPx/],
  ["a price as a float is written", TICKER, { askPx: "1e3" }, /^ticker: .*askPx/],
  ["a mark of NaN", MARK, { markPx: "NaN" }, /^mark: .*markPx/],
  ["no mark", MARK, { markPx: "" }, /^mark: .*markPx/],
  ["a time that is none", TICKER, { ts: "soon" }, /^ticker: .*ts/],
])("%s fails the plan and the claim by its name, and nothing is sent", async (_, path, row, says) => {
  const desk = await stage();
  await bias(desk);
  bend(path, row);
  await expect(desk.plan()).rejects.toThrow(says);
  expect(await desk.orders()).toEqual([]);
  bent.clear();
  const planned = await desk.plan();
  expect(planned.order).toMatchObject({ status: "approved" });
  bend(path, row);
  await expect(desk.submit(planned.order!.id)).rejects.toThrow(says);
  expect(await desk.orders()).toMatchObject([{ status: "approved" }]);
  expect(posted).toEqual([]);
});

const [LATE, EARLY] = [-3600_000, 3600_000];
test.each([
  ["a negative bid", { bidPx: "-5" }, "prices_missing", /^voided: a side of the book has no price: -5 bid/],
  ["a negative ask", { askPx: "-5" }, "prices_missing", /^voided: a side of the book has no price: .*, -5 asked$/],
  ["no bid", { bidPx: "" }, "prices_missing", /^voided: a side of the book has no price: 0 bid/],
  ["no ask", { askPx: "" }, "prices_missing", /^voided: a side of the book has no price: .*, 0 asked$/],
  ["a bid over the ask", { bidPx: "1003", askPx: "1002" }, "crossed_bps", /^voided: the quote is crossed/],
  ["a bid at the ask", { bidPx: "1002", askPx: "1002" }, "crossed_bps", /^voided: the quote is crossed/],
  ["a quote of an hour ago", LATE, "quote_age_seconds", /^voided: the quote is 3600 s old/],
  ["a quote of the next hour", EARLY, "quote_ahead_seconds", /^voided: the quote is 3600 s in the future/],
] as const)("%s denies the plan and voids the claim, each kept by name", async (_, change, codes, voided) => {
  const desk = await stage();
  const row = () => (typeof change === "number" ? { ts: String(desk.clock.now() + change) } : change);
  await bias(desk);
  bend(TICKER, row());
  expect((await desk.plan()).order).toMatchObject({ status: "denied", errorMessage: expect.stringContaining(codes) });
  desk.pass(1);
  bent.clear();
  await desk.reconcile();
  desk.pass(1);
  await bias(desk);
  const { order } = await desk.plan();
  bend(TICKER, row());
  expect((await desk.submit(order!.id)).order).toMatchObject({
    ...{ status: "canceled", errorMessage: expect.stringMatching(voided) },
  });
  expect(posted).toEqual([]);
});

test.each(["0", "-1000"])("a mark of %s plans nothing, and voids what was planned", async (markPx) => {
  const desk = await stage();
  await bias(desk);
  bend(MARK, { markPx });
  expect(await desk.plan()).toEqual({ order: null, reason: `the venue's mark is ${markPx}` });
  bent.clear();
  const { order } = await desk.plan();
  bend(MARK, { markPx });
  expect((await desk.submit(order!.id)).order).toMatchObject({
    ...{ status: "canceled", errorMessage: `voided: the mark is ${markPx}` },
  });
  expect(posted).toEqual([]);
});

/** A position without a stop: the one that went with its order is ended. */
async function bare() {
  const desk = await stage();
  const id = await desk.trade("0.6");
  for (const { algoId } of await desk.exchange.stops()) await desk.exchange.cancelStop(ETH_SWAP.id, algoId);
  return { ...desk, id };
}

test("a stop's answer of code 0 with a bad sCode is no stop: it is kept as refused, and what is held is closed", async () => {
  const desk = await bare();
  answer("/trade/order-algo", { algoId: "", algoClOrdId: "", sCode: "51000", sMsg: "Parameter error" });
  const { failures } = await desk.cover(desk.id);
  expect(failures).toMatchObject([{ error: { name: "StopNotTaken", message: expect.stringContaining("51000") } }]);
  expect(await desk.db.select().from(protections)).toMatchObject([
    { status: "failed", reason: expect.stringContaining("51000") },
  ]);
  desk.clock.set(desk.clock.now() + 10_000);
  await desk.reconcile();
  expect(await desk.exchange.positions()).toEqual([]);
  expect(await desk.orders()).toMatchObject([{}, { orderType: "stop", reduceOnly: true }]);
});

test.each(["51280", "51053", "51300"])(
  "a stop that is passed already (%s) is a close at market, at once",
  async (sCode) => {
    const desk = await bare();
    answer("/trade/order-algo", { algoId: "", algoClOrdId: "", sCode, sMsg: "passed" });
    expect((await desk.cover(desk.id)).failures).toEqual([]);
    expect(await desk.exchange.positions()).toEqual([]);
    bent.clear();
    desk.pass(1);
    await desk.reconcile();
    expect(await desk.orders()).toMatchObject([{}, { orderType: "stop", status: "filled", reduceOnly: true }]);
  },
);

test("an order's answer of code 0 with a bad sCode is a rejection, kept with its code", async () => {
  const desk = await stage();
  await bias(desk);
  const { order } = await desk.plan();
  answer("/trade/order", { ordId: "", clOrdId: order!.clientOrderId, sCode: "51008", sMsg: "Insufficient balance" });
  expect(await desk.submit(order!.id)).toMatchObject({
    ...{ closed: true, order: { status: "rejected", errorMessage: "51008 Insufficient balance" } },
  });
  const events = await desk.db.select().from(orderEvents).orderBy(orderEvents.seq);
  expect(events.at(-1)?.detail).toMatchObject({ event: "rejected" });
  expect(await desk.exchange.positions()).toEqual([]);
});

test("an upgrade while a position is held: the next release takes it as it is, and sends nothing for it", async () => {
  const desk = await stage();
  await desk.trade("0.6");
  await desk.reconcile();
  const [before, stops, held] = [await desk.orders(), await desk.exchange.stops(), await desk.exchange.positions()];
  desk.pass(1);
  posted.length = 0;
  // A process of the next release: nothing of the last one's memory, and limits of its own.
  const exchange = okxExchange({
    ...{ venue: "paper", mode: "demo", url: desk.venue.url, rateLimit: false, accountId: null, tdMode: "cross" },
    ...{ maxClockSkewSeconds: 2, credentials: desk.credentials },
  });
  const policy = policyFrom({ version: "next", takeProfitLegs: 2, atrMultiple: 3, maxOrderUsd: 100, maxAssetUsd: 200 });
  const next = () =>
    reconcileAccount(sqlStore(desk.db), exchange, { ...desk.run(), policy }, [ETH_SWAP.id], async () => {});
  const found = await next();
  expect(found).toMatchObject({ failures: [], breaks: [], tripped: null, foreign: [], external: [] });
  expect(posted.filter((path) => !path.endsWith("set-leverage"))).toEqual([]);
  expect([await exchange.stops(), (await exchange.positions()).length]).toEqual([stops, held.length]);
  expect(await desk.orders()).toEqual(before);
  expect(await desk.positions()).toMatchObject([{ closedAt: null }]);
});
