import { eq } from "drizzle-orm";
import { expect, test } from "vitest";
import { orders, protections, tradingControl } from "#db/schema";
import { upsertInstruments } from "#db/trading/instruments";
import { sqlStore } from "#db/trading/store";
import { paperVenue } from "#doubles/venue/venue";
import { virtualClock } from "#host/clock";
import { instrumentRow } from "#recording/candle-source";
import { okxExchange } from "#runtime/okx/exchange";
import { deskTests } from "#testing/desk-tests";
import { emptyTables, TRADING_TABLES } from "#testing/empty-tables";
import { ETH_SWAP } from "#testing/instruments";
import { paperAccess } from "#testing/paper-access";
import type { NewOrder, StoredOrder } from "#trading/orders/stored-order";
import { POLICY } from "#trading/plans/policy";
import type { TradingStore } from "#trading/store";
import type { Exchange, Submission } from "#trading/venue";
import type { Candle } from "#units/candle";
import { type Decimal, decimalOf, text } from "#units/decimal";
import { type Instant, instant } from "#units/time";
import { reconcileAccount } from "../reconcile-account.ts";
import { submitOrder } from "../submit-order.ts";
import { coverInstrument, coverOrder } from "./cover-instrument.ts";

// How long what is held has no stop, against the paper venue, over HTTP, through ccxt.

const START = Date.parse("2022-06-21T00:00:00.000Z");
const BAR = 300;
const KEY = { apiKey: "key-0123456789", secret: "secret", passphrase: "phrase" };
const ACCOUNT = { mode: "demo", venue: "paper" } as const;

const tests = deskTests();

/** Generated bars that open at 1,000; `after` gives the close of each. */
function series(after: (bar: number) => number): Candle[] {
  let open = 1000;
  return Array.from({ length: 200 }, (_, i) => {
    const close = after(i);
    const price = { open, high: Math.max(open, close), low: Math.min(open, close), close };
    open = close;
    const [o, h, l, c] = Object.values(price).map((value) => text(value));
    const bar = { open: o, high: h, low: l, close: c, volume: decimalOf("100000") };
    return { openedAt: instant(START + i * BAR * 1000), ...bar } as Candle;
  });
}

/** An order as planning approves it, to buy 10 contracts with a stop at 950. */
const approved = (clientOrderId: string, at: Instant): NewOrder => ({
  ...{ mode: "demo", venue: "paper", asset: "ETH", instrument: ETH_SWAP.id, timeframe: "4h", biasAt: at, epoch: 1 },
  ...{ at, by: "plan-order", verdict: "approved", codes: [], policySnapshot: null, detail: {} },
  order: {
    ...{ clientOrderId, side: "buy", type: "ioc", size: decimalOf("10"), price: decimalOf("1020"), reduceOnly: false },
    ...{ stopLoss: decimalOf("950"), riskUsd: decimalOf("50"), signal: null },
  },
});

async function stage(after: (bar: number) => number = () => 1000) {
  const { db } = tests;
  await emptyTables(db, TRADING_TABLES);
  await db.update(tradingControl).set({ state: "ACTIVE", epoch: 1 }).where(eq(tradingControl.tradingMode, "demo"));
  const clock = virtualClock(START + 60_000);
  const candles = series(after);
  const source = { barSeconds: BAR, instruments: () => [instrumentRow(ETH_SWAP)], bars: () => candles };
  const venue = await paperVenue({ clock, source, key: KEY });
  tests.closeAfter(venue.close);
  const okx = okxExchange({ ...paperAccess(venue.url, KEY), timeoutMs: 2000 });
  // A venue makes the stop that an order carries once that is filled completely: here it never does.
  const exchange = { ...okx, submit: ({ stop: _, ...order }: Submission) => okx.submit(order) };
  await upsertInstruments(db, [ETH_SWAP], "test", instant(START));
  const store = sqlStore(db);
  const at = () => instant(clock.now());
  const pass = (seconds: number) => clock.set(clock.now() + seconds * 1000);
  const pause = async (ms: number) => pass(ms / 1000);
  const run = (by: string) => ({ account: ACCOUNT, at: at(), by, policy: POLICY, barSeconds: BAR });
  const reconcile = (over: Partial<TradingStore> = {}) =>
    reconcileAccount({ ...store, ...over }, exchange, run("reconcile-orders"), [ETH_SWAP.id], pause);
  await reconcile();
  return {
    ...{ db, store, venue, exchange, at, pass, run, reconcile },
    approve: () => store.insert(approved("d0000000000000000000000000001", at())),
    submit: async (order: StoredOrder) =>
      (await submitOrder(store, exchange, order.id, at(), "submit-order", { policy: POLICY })).order,
    cover: (order: StoredOrder, over: Partial<Exchange> = {}) =>
      coverOrder(store, { ...exchange, ...over }, run("submit-order"), order),
    rows: () =>
      db
        .select()
        .from(protections)
        .where(eq(protections.kind, "stop"))
        .orderBy(protections.wantedAt, protections.stopId),
    stops: () => exchange.stops(),
  };
}

/** Enters ten contracts and has their stop placed, as the submit handler does. */
async function entered(after?: (bar: number) => number) {
  const desk = await stage(after);
  const order = await desk.submit(await desk.approve());
  expect(await desk.cover(order)).toEqual({ tripped: null, failures: [] });
  return { ...desk, order };
}

test("a stop is written down before it is sent, and is live from when the venue took it", async () => {
  const desk = await stage();
  const order = await desk.submit(await desk.approve());
  let written: unknown[] = [];
  const placeStop: Exchange["placeStop"] = async (stop) => {
    written = await desk.rows();
    return desk.exchange.placeStop(stop);
  };
  await desk.cover(order, { placeStop });
  expect(written).toMatchObject([{ status: "sending", trigger: "950", side: "sell", episode: null, algoId: null }]);
  const [stop] = await desk.stops();
  const [fill] = await desk.exchange.fills(instant(START));
  desk.pass(30);
  await desk.reconcile();
  expect(await desk.rows()).toMatchObject([
    { stopId: stop?.stopId, status: "live", algoId: stop?.algoId, liveAt: stop?.placedAt, exposedAt: fill?.filledAt },
  ]);
  desk.pass(60);
  await desk.reconcile();
  const [open] = await desk.store.openPositions(ACCOUNT);
  expect(await desk.rows()).toMatchObject([{ status: "live", episode: open?.id, exposedAt: open?.openedAt }]);
});

test("where all is well a look writes nothing", async () => {
  const desk = await entered();
  for (let minute = 0; minute < 2; minute++) {
    desk.pass(60);
    await desk.reconcile();
  }
  let writes = 0;
  const noteProtections: TradingStore["noteProtections"] = async (account, list) => {
    writes += list.length;
    return desk.store.noteProtections(account, list);
  };
  desk.pass(60);
  expect((await desk.reconcile({ noteProtections })).failures).toEqual([]);
  expect(writes).toBe(0);
});

test("a record that cannot be written keeps no stop from being sent, and is told", async () => {
  const desk = await stage();
  await desk.submit(await desk.approve());
  desk.pass(60);
  const noteProtections = () => Promise.reject(new Error("the disk is full"));
  const { failures } = await desk.reconcile({ noteProtections });
  expect(failures).toMatchObject([{ part: "stop at the venue" }, { part: "take-profits" }]);
  expect(await desk.stops()).toMatchObject([{ trigger: "950" }]);
  desk.pass(60);
  expect((await desk.reconcile()).failures).toEqual([]);
  expect(await desk.rows()).toMatchObject([{ status: "live", trigger: "950" }]);
});

test("a stop that fired is effective, with the order that it placed", async () => {
  const desk = await entered((bar) => (bar < 2 ? 1000 : 900));
  await desk.reconcile();
  desk.pass(1200);
  await desk.reconcile();
  const [fired] = await desk.db.select().from(orders).where(eq(orders.orderType, "stop"));
  const [row, ...more] = await desk.rows();
  expect(row).toMatchObject({ status: "effective", childOrderId: fired?.exchangeOrderId });
  // The books knew of the closing later than the venue: what was asked for meanwhile was not needed.
  expect(more.map(({ status }) => status)).toEqual(["gone"]);
  expect(await desk.stops()).toEqual([]);
});

test("a stop that a person ended is made anew, and what is held had none from when it ended", async () => {
  const desk = await entered();
  desk.pass(60);
  await desk.reconcile();
  desk.pass(40);
  const canceledAt = desk.at();
  for (const { instrument, algoId } of await desk.stops()) await desk.exchange.cancelStop(instrument, algoId);
  desk.pass(20);
  await desk.reconcile();
  desk.pass(60);
  await desk.reconcile();
  const [first, second] = await desk.rows();
  expect(first).toMatchObject({ status: "canceled", endedAt: canceledAt });
  expect(second).toMatchObject({ status: "live", exposedAt: canceledAt });
  expect(Date.parse(second?.liveAt ?? "") - Date.parse(canceledAt)).toBe(20_000);
});

test("a stop whose reply was lost is sent again by the same id, and there is one", async () => {
  const desk = await stage();
  const order = await desk.submit(await desk.approve());
  desk.venue.faults.set({ path: "trade/order-algo", method: "POST", act: { kind: "reset-before" }, times: 3 });
  const { failures } = await desk.cover(order);
  expect(failures).toMatchObject([{ error: { name: "StopNotTaken" } }]);
  const [row] = await desk.rows();
  expect(row).toMatchObject({ status: "sending", liveAt: null });
  desk.pass(2);
  expect((await desk.cover(order)).failures).toEqual([]);
  expect(await desk.stops()).toMatchObject([{ stopId: row?.stopId }]);
  expect(await desk.rows()).toHaveLength(1);
});

test.each([
  ["a busy venue", "50011", 3, "wanted"],
  ["a refusal", "51000", 1, "failed"],
])("%s leaves a row that says so", async (_, code, times, status) => {
  const desk = await stage();
  const order = await desk.submit(await desk.approve());
  desk.venue.faults.set({ path: "trade/order-algo", method: "POST", act: { kind: "code", code }, times });
  const { failures } = await desk.cover(order);
  expect(failures).toMatchObject([{ error: { name: "StopNotTaken" } }]);
  expect(await desk.rows()).toMatchObject([{ status, reason: expect.stringContaining(code) }]);
  desk.pass(2);
  expect((await desk.cover(order)).failures).toEqual([]);
  expect(await desk.stops()).toHaveLength(1);
});

test("a trigger that is moved is sent, then as the venue has it, and stays live since it came", async () => {
  const desk = await entered();
  desk.pass(60);
  await desk.reconcile();
  const [before] = await desk.rows();
  const nearer: Decimal = decimalOf("960");
  const accountFacts: TradingStore["accountFacts"] = async (query) => {
    const facts = await desk.store.accountFacts(query);
    return { ...facts, open: facts.open.map((open) => ({ ...open, stopPrice: nearer })) };
  };
  desk.pass(60);
  await desk.reconcile({ accountFacts });
  expect(await desk.rows()).toMatchObject([{ status: "sending", trigger: nearer, liveAt: before?.liveAt }]);
  desk.pass(60);
  await desk.reconcile({ accountFacts });
  expect(await desk.rows()).toMatchObject([{ status: "live", trigger: nearer, liveAt: before?.liveAt }]);
});

test("two looks at once keep one stop", async () => {
  const desk = await stage();
  const order = await desk.submit(await desk.approve());
  await Promise.all([desk.cover(order), desk.cover(order), desk.cover(order)]);
  expect(await desk.stops()).toHaveLength(1);
  desk.pass(60);
  await desk.reconcile();
  const rows = await desk.rows();
  expect(rows.filter(({ status }) => status === "live")).toHaveLength(1);
  expect(rows).toHaveLength(1);
});

test("the time without a stop is from the fill to the stop, by the venue's clock, and goes on while there is none", async () => {
  const desk = await stage();
  const order = await desk.submit(await desk.approve());
  desk.venue.faults.set({ path: "trade/order-algo", method: "POST", act: { kind: "code", code: "50011" }, times: 3 });
  await desk.cover(order);
  desk.pass(8);
  desk.venue.faults.set({ path: "trade/order-algo", method: "POST", act: { kind: "code", code: "50011" }, times: 3 });
  expect(await desk.reconcile()).toMatchObject({ unprotected: 8 });
  desk.pass(12);
  await desk.cover(order);
  desk.pass(28);
  expect(await desk.reconcile()).toMatchObject({ unprotected: 20 });
  desk.pass(120);
  expect(await desk.reconcile()).toMatchObject({ unprotected: 0 });
});

/** Another client of the account buys ten contracts. */
const byHand = (desk: Awaited<ReturnType<typeof stage>>) =>
  desk.exchange.submit({
    ...{ clientOrderId: "byhand", instrument: ETH_SWAP.id, side: "buy", type: "market", size: decimalOf("10") },
    ...{ price: null, reduceOnly: false, expiresAt: instant(Date.parse(desk.at()) + 4000) },
  });

test("what another client opens on an instrument of the desk has a stop by the next run, at the policy's distance", async () => {
  const desk = await stage();
  await byHand(desk);
  desk.pass(60);
  expect((await desk.reconcile()).failures).toEqual([]);
  expect(await desk.stops()).toMatchObject([{ side: "sell", trigger: "980", isWhole: true, isReduceOnly: true }]);
  desk.pass(60);
  await desk.reconcile();
  const [open] = await desk.store.openPositions(ACCOUNT);
  expect(open).toMatchObject({ contracts: "10", stopPrice: null });
  expect(await desk.rows()).toMatchObject([{ status: "live", trigger: "980", episode: open?.id }]);
});

test("a person's own stop of such a position stays when it is nearer, and is moved nearer when it is not", async () => {
  for (const [theirs, then] of [
    ["990", "990"],
    ["900", "980"],
  ] as const) {
    const desk = await stage();
    await byHand(desk);
    const stop = { stopId: "byhand", instrument: ETH_SWAP.id, side: "sell", trigger: decimalOf(theirs) } as const;
    expect(await desk.exchange.placeStop(stop)).toEqual({ kind: "accepted" });
    for (let minute = 0; minute < 2; minute++) {
      desk.pass(60);
      expect((await desk.reconcile()).failures).toEqual([]);
    }
    expect(await desk.stops()).toMatchObject([{ stopId: "byhand", trigger: then }]);
    expect(await desk.rows()).toMatchObject([{ stopId: "byhand", status: "live", trigger: then }]);
  }
});

test.each([
  ["a venue that is busy", "50011"],
  ["a venue that refuses it", "51000"],
])("what can have no stop for ten seconds is closed at market: %s", async (_, code) => {
  const desk = await stage();
  const order = await desk.submit(await desk.approve());
  const refused = { path: "trade/order-algo", method: "POST", act: { kind: "code", code }, times: 9 } as const;
  desk.venue.faults.set(refused);
  expect((await desk.cover(order)).failures).toMatchObject([{ error: { name: "StopNotTaken" } }]);
  expect(await desk.exchange.positions()).toHaveLength(1);
  desk.pass(10);
  desk.venue.faults.clear();
  desk.venue.faults.set(refused);
  expect((await desk.cover(order)).failures).toEqual([]);
  expect(await desk.exchange.positions()).toEqual([]);
  expect(desk.venue.state().orders).toMatchObject([{ side: "buy" }, { side: "sell", reduceOnly: true }]);
});

/** A position whose stop was triggered while the venue took no order, at a mark that is back at 1,000 when it takes them again. */
async function triggeredInVain() {
  const desk = await entered((bar) => (bar === 2 ? 940 : 1000));
  desk.pass(60);
  await desk.reconcile();
  desk.venue.relist(ETH_SWAP.id, { state: "suspend" });
  desk.pass(900);
  expect(await desk.stops()).toEqual([]);
  desk.venue.relist(ETH_SWAP.id, { state: "live" });
  desk.pass(300);
  expect(await desk.exchange.positions()).toMatchObject([{ contracts: "10", markPrice: "1000" }]);
  return desk;
}

test("a stop whose order was refused is closed at market by the look that sees it, though the mark is back: by the job of stops", async () => {
  const desk = await triggeredInVain();
  const seen = await coverInstrument(desk.store, desk.exchange, desk.run("protect-position"), ETH_SWAP.id);
  expect(seen).toEqual({ tripped: null, isClosing: true, failures: [] });
  expect(await desk.rows()).toMatchObject([{ status: "failed", reason: "51022" }]);
  expect(await desk.exchange.positions()).toEqual([]);
});

test("a stop whose order was refused is closed at market by the look that sees it: by the reconciler, once", async () => {
  const desk = await triggeredInVain();
  expect((await desk.reconcile()).failures).toEqual([]);
  expect(await desk.exchange.positions()).toEqual([]);
  desk.pass(60);
  await desk.reconcile();
  const sent = await desk.db.select().from(orders).where(eq(orders.orderType, "stop"));
  expect(sent).toMatchObject([{ side: "sell", reduceOnly: true, status: "filled" }]);
  expect(await desk.stops()).toEqual([]);
});

test("what is opened after a stop was triggered in vain has a stop of its own", async () => {
  const desk = await triggeredInVain();
  await desk.reconcile();
  desk.pass(60);
  await desk.reconcile();
  const again = { ...approved("d0000000000000000000000000002", desk.at()) };
  const order = await desk.submit(await desk.store.insert(again));
  expect(await desk.cover(order)).toEqual({ tripped: null, failures: [] });
  desk.pass(60);
  await desk.reconcile();
  expect(await desk.exchange.positions()).toMatchObject([{ contracts: "10" }]);
  expect(await desk.stops()).toMatchObject([{ trigger: "950" }]);
});

test.each([
  ["the venue shows it now", true],
  ["the venue does not answer now", false],
])(
  "a look that stood still since it saw nothing held leaves the stop of what was opened meanwhile: %s",
  async (_, answers) => {
    const desk = await stage();
    let looks = 0;
    const positions: Exchange["positions"] = async () => {
      if (looks++ === 0) {
        await desk.cover(await desk.submit(await desk.approve()));
        return [];
      }
      if (!answers) throw new Error("no answer");
      return desk.exchange.positions();
    };
    const run = desk.run("protect-position");
    const look = await coverInstrument(desk.store, { ...desk.exchange, positions }, run, ETH_SWAP.id);
    expect(look.failures).toMatchObject(
      answers ? [] : [{ part: "stop at the venue", error: { message: "no answer" } }],
    );
    expect(looks).toBe(2);
    expect(await desk.stops()).toMatchObject([{ trigger: "950" }]);
  },
);
