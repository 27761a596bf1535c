import { eq } from "drizzle-orm";
import { expect, test } from "vitest";
import * as z from "zod";
import type { Drizzle } from "#db/drizzle";
import { orderEvents, orderFills, orders, positions } from "#db/schema";
import { judgeByHand } from "#db/trading/by-hand";
import { changeControl, readControl } from "#db/trading/control";
import type { InstrumentRow } from "#recording/candle-source";
import { okxClient } from "#runtime/okx/client";
import { deskTests } from "#testing/desk-tests";
import { ETH_SWAP } from "#testing/instruments";
import { EVENT, paperDesk, WALLET } from "#testing/paper-desk";
import { hashOf, type Json } from "#trading/canonical-json";
import { POLICY } from "#trading/plans/policy";
import { big, type Decimal, decimalOf, text } from "#units/decimal";
import type { OrderId } from "#units/ids";
import { instant } from "#units/time";
import type { Planned } from "./plan-lane.ts";
import { coverOrder } from "./stops/cover-instrument.ts";
import { submitOrder } from "./submit-order.ts";

// The desk's three trading jobs against the paper venue, over HTTP, through ccxt.

const START = Date.parse("2022-06-21T00:00:00.000Z");
const WARM = 20 * 3600_000;
const KEY = { apiKey: "key-0123456789", secret: "secret", passphrase: "phrase" };
const ACCOUNT = { mode: "demo", venue: "paper" } as const;

const tests = deskTests();

const LookedAt = z.object({ looked_at: z.string() });

async function stage(after?: (bar: number) => number, row?: InstrumentRow) {
  const desk = await paperDesk(tests.db, { ...(after && { after }), ...(row && { row }) });
  tests.closeAfter(desk.close);
  return { ...desk, atVenue: () => desk.venue.state().orders.length };
}

const idIn = (planned: Planned): OrderId => {
  if (planned.order === null) throw new Error(planned.reason);
  return planned.order.id;
};

const eventsOf = (db: Drizzle, id: OrderId) =>
  db.select().from(orderEvents).where(eq(orderEvents.orderId, id)).orderBy(orderEvents.seq);

/** Enters a position and reconciles it. */
async function entered(after?: (bar: number) => number, value = decimalOf("0.6")) {
  const desk = await stage(after);
  await desk.reconcile();
  desk.pass(1);
  await desk.lean(value);
  const id = idIn(await desk.plan());
  await desk.submit(id);
  await desk.reconcile();
  return { ...desk, id };
}

test("a denial is written once, and again when the verdict is another", async () => {
  const desk = await stage();
  await desk.reconcile();
  await desk.store.tighten("demo", { state: "REDUCING", reason: "a test", actor: "anna", at: desk.at() });
  const minute = async (lean: string) => {
    desk.pass(1);
    await desk.reconcile();
    await desk.lean(decimalOf(lean));
    return desk.plan();
  };
  expect(await minute("0.6")).toMatchObject({ order: { status: "denied", side: "buy" }, codes: ["trading_state"] });
  for (const lean of ["0.6", "0.7", "0.55"])
    expect(await minute(lean)).toEqual({ order: null, reason: "denied as before: trading_state" });
  expect(await minute("-0.6")).toMatchObject({ order: { status: "denied", side: "sell" } }); // the other way
  expect(await minute("-0.6")).toMatchObject({ order: null });
  expect(await minute("-0.01")).toEqual({ order: null, reason: "flat, and no signal to enter" });
  expect(await minute("-0.6")).toMatchObject({ order: { status: "denied", side: "sell" } }); // it wanted none in between
  const repeated = await desk.plan(); // the same message once more
  expect(repeated).toMatchObject({ order: { status: "denied" }, codes: ["trading_state"] });
  expect((await desk.orders()).map(({ status }) => status)).toEqual(["denied", "denied", "denied"]);
});

const SOON = { param: "tickSz", newValue: "0.1", effTime: String(START + WARM + 40 * 60_000) };
test.each([
  ["instrument_not_live", { state: "suspend" }],
  ["contract_changes", { upcChg: [SOON] }],
  ["contract_changed", { tickSz: "0.05" }],
  ["contract_changed", { ctVal: "1" }],
])("%s: nothing is opened on a contract that is listed with %o, and it is written", async (code, row) => {
  const desk = await stage(() => 1000, row);
  await desk.reconcile();
  desk.pass(1);
  await desk.lean(decimalOf("0.6"));
  expect(await desk.plan()).toMatchObject({ order: { status: "denied", errorMessage: code }, codes: [code] });
  const [order] = await desk.orders();
  const { hash, ...decided } = order!.policySnapshot as Readonly<Record<string, Json>>;
  expect(decided).toMatchObject({ verdict: "denied", codes: [code] });
  expect(hashOf(decided)).toBe(hash);
  expect(desk.atVenue()).toBe(0);
});

test("from a bias to a settled position, and every digit of equity accounted for", async () => {
  const desk = await entered((bar) => 1000 + bar);
  const [order] = await desk.orders();
  expect(order).toMatchObject({ status: "filled", side: "buy", orderType: "ioc", signalEventId: EVENT, epoch: 1 });
  const { hash, ...decided } = order!.policySnapshot as Readonly<Record<string, Json>>;
  expect(hashOf(decided)).toBe(hash); // as it was when it was made, through jsonb
  const [open] = await desk.positions();
  expect(open).toMatchObject({ side: "long", closedAt: null, stopPrice: order?.stopLoss, signalWalletId: WALLET });
  expect(big(open?.riskConsumed ?? 0).gt(0)).toBe(true);
  desk.pass(30);
  await desk.lean(decimalOf("-0.5"));
  const close = idIn(await desk.plan());
  await desk.submit(close);
  const { closed, breaks, tripped } = await desk.reconcile();
  expect(closed.map(({ id, status }) => [id, status])).toEqual([[close, "filled"]]);
  expect([breaks, tripped]).toEqual([[], null]);
  const [flat] = await desk.positions();
  expect(flat).toMatchObject({
    closedAt: desk.at(),
    contracts: "0",
    riskConsumed: "0",
    unrealizedPnl: "0",
    holdingTime: "00:30:00",
  });
  const { equity } = await desk.exchange.balance();
  const { realizedPnl, feesPaid } = flat!;
  expect(big(equity).minus("100000").toFixed()).toBe(
    big(realizedPnl ?? 0)
      .minus(feesPaid)
      .toFixed(),
  );
  // The other side opens at a later plan, once the cooldown has passed.
  desk.pass(1);
  await desk.lean(decimalOf("-0.5"));
  expect(await desk.plan()).toMatchObject({ order: { status: "denied" }, codes: ["cooldown_seconds"] });
  desk.pass(15);
  await desk.reconcile();
  desk.pass(1);
  await desk.lean(decimalOf("-0.5"));
  expect(await desk.plan()).toMatchObject({ order: { status: "approved", side: "sell", reduceOnly: false } });
});

test("messages delivered again make no second order, here or at the venue", async () => {
  const desk = await entered();
  const again = await desk.plan();
  expect(idIn(again)).toBe(desk.id);
  await Promise.all([desk.submit(desk.id), desk.submit(desk.id)]);
  expect(await desk.orders()).toHaveLength(1);
  expect(desk.atVenue()).toBe(1);
  const before = [await desk.orders(), await desk.positions()];
  await desk.reconcile();
  expect([await desk.orders(), await desk.positions()]).toEqual(before);
});

test("two deliveries at once post once", async () => {
  const desk = await stage();
  await desk.lean(decimalOf("0.6"));
  const id = idIn(await desk.plan());
  const outcomes = await Promise.all([desk.submit(id), desk.submit(id), desk.submit(id)]);
  expect(outcomes.filter(({ outcome }) => outcome === "posted")).toHaveLength(1);
  expect(desk.atVenue()).toBe(1);
});

test("an order that never arrived has its three looks seconds apart in one run, and trips nothing", async () => {
  const desk = await stage();
  await desk.lean(decimalOf("0.6"));
  const id = idIn(await desk.plan());
  desk.venue.faults.set({ path: "trade/order", method: "POST", act: { kind: "late" } });
  await desk.submit(id);
  desk.pass(1);
  const { closed, tripped } = await desk.reconcile();
  expect([closed, tripped]).toMatchObject([[{ id, status: "expired" }], null]);
  const events = await eventsOf(desk.db, id);
  const looks = events.flatMap(({ detail }) => LookedAt.safeParse(detail).data?.looked_at ?? []);
  expect(looks.map((at) => Date.parse(at) - Date.parse(looks[0] ?? ""))).toEqual([0, 1000, 2000]);
});

test("an order whose reply was lost is found and adopted", async () => {
  const desk = await stage();
  await desk.lean(decimalOf("0.6"));
  const id = idIn(await desk.plan());
  desk.venue.faults.set({ path: "trade/order", method: "POST", act: { kind: "reset-after" } });
  expect((await desk.submit(id)).order.status).toBe("unknown");
  expect((await desk.submit(id)).outcome).toBe("left");
  desk.pass(1);
  await desk.reconcile();
  expect(await desk.orders()).toMatchObject([{ status: "filled" }]);
  expect(await desk.positions()).toMatchObject([{ side: "long", closedAt: null }]);
  expect(desk.atVenue()).toBe(1);
});

test("an order that never arrived expires after three absences; when it arrives late the venue refuses it", async () => {
  const desk = await stage();
  await desk.lean(decimalOf("0.6"));
  const id = idIn(await desk.plan());
  desk.venue.faults.set({ path: "trade/order", method: "POST", act: { kind: "late" } });
  expect((await desk.submit(id)).order.status).toBe("unknown");
  await desk.reconcile(); // before the deadline: no evidence yet
  expect(await desk.orders()).toMatchObject([{ status: "unknown" }]);
  desk.pass(1);
  desk.venue.faults.set({ path: "trade/order", method: "GET", act: { kind: "page", status: 502 } });
  expect((await desk.reconcile()).closed).toEqual([]); // the look that failed did not count
  desk.pass(1);
  const { closed } = await desk.reconcile();
  expect(closed).toMatchObject([{ id, status: "expired" }]);
  expect(await desk.venue.deliverLate()).toBe(1);
  expect(desk.atVenue()).toBe(0);
});

/** An order whose reply was lost, and that the venue cannot be asked for until it needs a person. */
async function quarantined(act: "reset-after" | "late") {
  const desk = await stage();
  await desk.lean(decimalOf("0.6"));
  const id = idIn(await desk.plan());
  desk.venue.faults.set({ path: "trade/order", method: "POST", act: { kind: act } });
  await desk.submit(id);
  const { order, fills } = desk.exchange;
  desk.exchange.order = () => Promise.reject(new Error("no answer"));
  desk.exchange.fills = async () => [];
  desk.pass(17);
  await desk.reconcile();
  expect(await desk.orders()).toMatchObject([{ status: "quarantined" }]);
  Object.assign(desk.exchange, { order, fills });
  const rule = (ruling: "found" | "not-there") =>
    judgeByHand(desk.db, { order: id, ruling, actor: "anna", reason: "looked it up", at: desk.at() }, null);
  return { ...desk, id, rule };
}

test("an order that a person found at the venue is taken as the venue shows it", async () => {
  const desk = await quarantined("reset-after");
  expect(await desk.rule("found")).toMatchObject({ done: true, order: { status: "open" } });
  desk.pass(1);
  await desk.reconcile();
  expect(await desk.orders()).toMatchObject([{ status: "filled" }]);
  expect(await desk.positions()).toMatchObject([{ side: "long", closedAt: null }]);
  expect(desk.atVenue()).toBe(1);
});

test("an order that a person did not find is over: its instrument is free, and what comes late is refused", async () => {
  const desk = await quarantined("late");
  expect(await desk.rule("not-there")).toMatchObject({ done: true, order: { status: "expired" } });
  const { epoch } = await readControl(desk.db, "demo");
  await changeControl(desk.db, "demo", epoch, { state: "ACTIVE", reason: "judged", actor: "anna", at: desk.at() });
  expect(await desk.venue.deliverLate()).toBe(1);
  expect(desk.atVenue()).toBe(0);
  desk.pass(1);
  await desk.lean(decimalOf("0.6"));
  await desk.reconcile();
  const next = idIn(await desk.plan());
  await desk.submit(next);
  await desk.reconcile();
  expect((await desk.orders()).map(({ status }) => status)).toEqual(["expired", "filled"]);
  expect(await desk.positions()).toMatchObject([{ side: "long", closedAt: null }]);
});

test("an order that was there after all: its fills are booked on what a person ended, and it is an alarm", async () => {
  const desk = await quarantined("reset-after");
  await desk.rule("not-there");
  desk.pass(1);
  await desk.reconcile();
  expect(await desk.orders()).toMatchObject([{ status: "filled" }]);
  expect(await desk.positions()).toMatchObject([{ side: "long", closedAt: null }]);
  expect(await readControl(desk.db, "demo")).toMatchObject({ state: "REDUCING" });
});

test("a halt voids what is queued: no request leaves", async () => {
  const desk = await stage();
  await desk.lean(decimalOf("0.6"));
  const id = idIn(await desk.plan());
  await changeControl(desk.db, "demo", 1, { state: "HALTED", reason: "by hand", actor: "test", at: desk.at() });
  expect(await desk.submit(id)).toMatchObject({ closed: true, outcome: "left", order: { status: "canceled" } });
  expect(desk.atVenue()).toBe(0);
});

test("a halt between claim and POST keeps the request back", async () => {
  const desk = await stage();
  await desk.lean(decimalOf("0.6"));
  const id = idIn(await desk.plan());
  const halting = {
    ...desk.exchange,
    now: async () => {
      const now = await desk.exchange.now();
      queueMicrotask(() =>
        changeControl(desk.db, "demo", 1, { state: "HALTED", reason: "by hand", actor: "test", at: desk.at() }),
      );
      return now;
    },
  };
  const submitted = await submitOrder(desk.store, halting, id, desk.at(), "submit-order", { policy: POLICY });
  expect(submitted).toMatchObject({ closed: true, order: { status: "canceled" } });
  expect(desk.atVenue()).toBe(0);
});

test.each([
  ["a refused key halts the desk", "50113", "HALTED"],
  ["a set-up that is not what the desk assumes halts it", "51155", "HALTED"],
  ["a venue that freezes the account lets it only reduce", "50012", "REDUCING"],
])("%s, and the order is rejected", async (_, code, state) => {
  const desk = await stage();
  await desk.lean(decimalOf("0.6"));
  const id = idIn(await desk.plan());
  desk.venue.faults.set({ path: "trade/order", method: "POST", act: { kind: "code", code } });
  expect(await desk.submit(id)).toMatchObject({ closed: true, order: { status: "rejected" }, tripped: { state } });
});

test("nothing to reduce ends the order, and trips nothing", async () => {
  const desk = await stage();
  await desk.lean(decimalOf("0.6"));
  const id = idIn(await desk.plan());
  desk.venue.faults.set({ path: "trade/order", method: "POST", act: { kind: "code", code: "51169" } });
  const submitted = await desk.submit(id);
  expect(submitted).toMatchObject({ closed: true, tripped: null });
  expect(submitted.order).toMatchObject({ status: "rejected", errorMessage: "51169 injected" });
});

const stopsOf = (db: Drizzle) => db.select().from(orders).where(eq(orders.orderType, "stop"));

test("a stop whose run ended before it was sent is sent by the next run, once", async () => {
  const { lean, plan, submit, reconcile, pass, db, exchange, venue } = await stage((bar) => 1000 - bar * 3);
  await lean(decimalOf("0.8"));
  const planned = await plan();
  await submit(planned.order!.id);
  await reconcile();
  for (const { instrument, algoId } of await exchange.stops()) await exchange.cancelStop(instrument, algoId);
  pass(60);
  // The run ends after the stop was stored and before it is claimed: the venue's clock is read in between.
  const now = exchange.now;
  exchange.now = () => Promise.reject(new Error("the machine went away"));
  const { failures } = await reconcile();
  expect(failures).toMatchObject([
    { part: "stop at the venue", instrument: ETH_SWAP.id, error: { message: "the machine went away" } },
    { part: "stop", instrument: ETH_SWAP.id, error: { message: "the machine went away" } },
    { part: "time without a stop", instrument: null, error: { message: "the machine went away" } },
  ]);
  exchange.now = now;
  expect(await stopsOf(db)).toMatchObject([{ status: "approved" }]);
  await reconcile();
  pass(1);
  await reconcile();
  expect(await stopsOf(db)).toMatchObject([{ status: "filled" }]);
  expect(venue.state().orders.map((order) => order.side)).toEqual(["buy", "sell"]);
});

test("a mark at the stop closes the position with a reduce-only order, even when halted", async () => {
  const desk = await entered((bar) => Math.max(900, 1000 - bar * 4));
  const { epoch } = await readControl(desk.db, "demo");
  await changeControl(desk.db, "demo", epoch, { state: "HALTED", reason: "by hand", actor: "test", at: desk.at() });
  for (let minute = 0; minute < 60 && (await desk.positions())[0]?.closedAt === null; minute++) {
    desk.pass(1);
    await desk.reconcile();
  }
  const [position] = await desk.positions();
  const all = await desk.orders();
  expect(all).toMatchObject([
    { orderType: "ioc" },
    { orderType: "stop", status: "filled", reduceOnly: true, price: position?.stopPrice },
  ]);
  expect(position).toMatchObject({ riskConsumed: "0", contracts: "0" });
  expect(big(position?.exitPrice ?? 0).lte(position?.stopPrice ?? 0)).toBe(true);
  expect(big(position?.maxDrawdown ?? 0).gt(0)).toBe(true);
  // What was lost is about what was reserved: half a per cent of equity at most, with the minute's slip.
  expect(big(position?.realizedPnl ?? 0).gt(-700)).toBe(true);
});

test("F2: the venue closes a position at its stop while no job runs for 35 minutes, and the books take it for ours", async () => {
  const desk = await entered((bar) => (bar < 2 ? 1000 : 880));
  const [open] = await desk.positions();
  expect(await desk.exchange.stops()).toMatchObject([
    { side: "sell", trigger: open?.stopPrice, triggerBy: "mark", isWhole: true, isReduceOnly: true, isMarket: true },
  ]);
  desk.pass(35);
  expect(await desk.exchange.positions()).toEqual([]); // before any job of the desk
  expect(await desk.reconcile()).toMatchObject({ breaks: [], external: [], tripped: null, failures: [] });
  expect(await stopsOf(desk.db)).toMatchObject([
    { status: "filled", reduceOnly: true, size: text(open?.contracts ?? 0) },
  ]);
  expect(await desk.positions()).toMatchObject([{ contracts: "0" }]);
  expect(await desk.exchange.stops()).toEqual([]);
  expect(desk.venue.state().orders.map(({ side }) => side)).toEqual(["buy", "sell"]);
});

/** Enters, and covers the order as its handler does, before any reconciliation. */
async function sentAndCovered(
  after: (bar: number) => number = () => 1000,
  prepare: (desk: Awaited<ReturnType<typeof stage>>) => void = () => {},
) {
  const desk = await stage(after);
  await desk.lean(decimalOf("0.8"));
  const { order } = await desk.submit(idIn(await desk.plan()));
  prepare(desk);
  const cover = () => coverOrder(desk.store, desk.exchange, { ...desk.run(), by: "submit-order" }, order);
  return { desk, order, cover };
}

test("a stop stands as soon as an order was sent, once however often its message comes", async () => {
  const { desk, order, cover } = await sentAndCovered();
  for (let delivery = 0; delivery < 2; delivery++) expect(await cover()).toEqual({ tripped: null, failures: [] });
  expect(await desk.exchange.stops()).toMatchObject([{ side: "sell", trigger: order.stopLoss, isWhole: true }]);
  // The one that went out with the order is ended by then.
  expect(desk.venue.state().algos.map(({ sz, state }) => [sz === "", state])).toEqual([
    ...[
      [false, "canceled"],
      [true, "live"],
    ],
  ]);
});

test("what an order says is filled is covered while the list of fills is empty for 20 minutes", async () => {
  const { desk, cover } = await sentAndCovered(
    (bar) => (bar < 2 ? 1000 : 880),
    ({ exchange }) => {
      exchange.fills = async () => [];
      exchange.fillsOf = async () => [];
    },
  );
  await cover();
  for (let minute = 0; minute < 20; minute++) {
    desk.pass(1);
    expect((await desk.reconcile()).failures).toEqual([]);
  }
  expect(await desk.positions()).toEqual([]); // the books know nothing of it
  expect(await desk.exchange.positions()).toEqual([]); // and the venue's stop has ended it
});

test("a venue that does not tell its positions for 20 minutes keeps the stop, and nothing is opened meanwhile", async () => {
  const { desk, cover } = await sentAndCovered();
  await cover();
  await desk.reconcile();
  desk.exchange.positions = () => Promise.reject(new Error("no answer"));
  for (let minute = 0; minute < 20; minute++) {
    desk.pass(1);
    expect((await desk.reconcile()).failures).toMatchObject([{ part: "positions" }]);
  }
  expect(await desk.exchange.stops()).toMatchObject([{ side: "sell", isWhole: true }]);
  await desk.lean(decimalOf("0.95"));
  expect(await desk.plan()).toMatchObject({ order: { status: "denied" } });
  expect(desk.atVenue()).toBe(1);
});

test("a process that died before it laid the stop is made up for by the next run, in a halt too", async () => {
  const { desk, order } = await sentAndCovered();
  expect((await desk.exchange.stops()).filter(({ isWhole }) => isWhole)).toEqual([]);
  const halt = { state: "HALTED", reason: "a test", actor: "anna", at: desk.at() } as const;
  await desk.store.tighten("demo", halt);
  desk.pass(1);
  expect((await desk.reconcile()).failures).toEqual([]);
  expect(await desk.exchange.stops()).toMatchObject([{ side: "sell", trigger: order.stopLoss, isWhole: true }]);
});

test("an order that a halt holds back is voided though the venue tells no price", async () => {
  const desk = await stage();
  await desk.lean(decimalOf("0.8"));
  const id = idIn(await desk.plan());
  await desk.store.tighten("demo", { state: "HALTED", reason: "a test", actor: "anna", at: desk.at() });
  desk.exchange.quote = () => Promise.reject(new Error("no such instrument"));
  const { order } = await desk.submit(id);
  expect(order).toMatchObject({ status: "canceled", errorMessage: expect.stringContaining("trading is HALTED") });
});

test("a stop that the venue freezes is told: the run says that the desk only reduces now", async () => {
  const { lean, plan, submit, reconcile, pass, venue, exchange } = await stage((bar) => 1000 - bar * 3);
  await lean(decimalOf("0.8"));
  await submit(idIn(await plan()));
  await reconcile();
  // Without the venue's own stop it is the desk that has to close.
  for (const { instrument, algoId } of await exchange.stops()) await exchange.cancelStop(instrument, algoId);
  pass(60);
  venue.faults.set({ path: "trade/order", method: "POST", act: { kind: "code", code: "54012" } });
  expect(await reconcile()).toMatchObject({ tripped: { state: "REDUCING", reason: "venue: 54012 injected" } });
});

test("F1: a position's first fill seen after a later one is booked by the run that sees it", async () => {
  const desk = await stage();
  await desk.reconcile();
  desk.pass(1);
  await desk.lean(decimalOf("0.6"));
  await desk.submit(idIn(await desk.plan()));
  const fills = desk.exchange.fills;
  const [whole] = await fills(instant(START));
  const half = (tradeId: string) => ({ ...whole!, tradeId, size: text(big(whole!.size).div(2)) });
  const [first, second] = [half("1"), half("2")];
  desk.exchange.fills = () => Promise.resolve([second]);
  desk.exchange.fillsOf = () => Promise.resolve([second]);
  await desk.reconcile();
  expect(await desk.positions()).toMatchObject([{ contracts: second.size, closedAt: null }]);
  desk.pass(1);
  desk.exchange.fills = () => Promise.resolve([first, second]);
  expect(await desk.reconcile()).toMatchObject({ breaks: [] });
  expect(await desk.positions()).toMatchObject([{ contracts: whole!.size, closedAt: null }]);
  // Nothing is left over: the run after it finds the same.
  desk.pass(1);
  await desk.reconcile();
  expect(await desk.positions()).toMatchObject([{ contracts: whole!.size, closedAt: null }]);
});

/** Another client of the account takes `size` contracts off its long position. */
async function reduceByHand(desk: Awaited<ReturnType<typeof stage>>, size: Decimal): Promise<void> {
  const by = { venue: "paper", mode: "demo", url: desk.venue.url, rateLimit: false } as const;
  const other = okxClient({ ...by, credentials: { mode: "demo", ...KEY } });
  other.options.timeDifference = Date.now() - desk.clock.now();
  const wanted = { instId: ETH_SWAP.id, tdMode: "cross", side: "sell", ordType: "market", sz: size, clOrdId: "hand" };
  await other.privatePostTradeOrder({ ...wanted, expTime: String(desk.clock.now() + 1000) });
}

test("F6: a closing order that the venue makes smaller ends when that is filled, and its instrument is free", async () => {
  const desk = await entered();
  const contracts = await desk.store.held(ACCOUNT, ETH_SWAP.id);
  const left = text(big(contracts).times("0.6"));
  desk.pass(30);
  await desk.lean(decimalOf("-0.5"));
  const close = idIn(await desk.plan());
  const { submit } = desk.exchange;
  desk.exchange.submit = async (order) => {
    await reduceByHand(desk, text(big(contracts).minus(left))); // after the claim has looked at what is held
    return submit(order);
  };
  await desk.submit(close);
  const { closed } = await desk.reconcile();
  expect(closed).toMatchObject([{ id: close, status: "filled", filledSize: left }]);
  const events = await eventsOf(desk.db, close);
  expect(events.at(-1)?.detail).toMatchObject({ event: "filled", placed: left, asked: contracts });
  expect(await desk.store.ordersAtVenue("demo")).toEqual([]);
});

test("a closing order is sent with what the venue holds when it is claimed, and is void when that is nothing", async () => {
  const desk = await entered();
  const contracts = await desk.store.held(ACCOUNT, ETH_SWAP.id);
  const left = text(big(contracts).times("0.6"));
  desk.pass(30);
  await desk.lean(decimalOf("-0.5"));
  const close = idIn(await desk.plan());
  await reduceByHand(desk, text(big(contracts).minus(left)));
  expect((await desk.submit(close)).order).toMatchObject({ id: close, size: left });
  const events = await eventsOf(desk.db, close);
  expect(events[0]?.detail).toMatchObject({ set: { size: contracts } }); // what was asked for is kept
  expect(events[2]?.detail).toMatchObject({ event: "claimed", set: { size: left } });
  await desk.reconcile();
  expect(await desk.orders()).toMatchObject([{}, { id: close, status: "filled", filledSize: left }]);
  const again = await entered();
  again.pass(30);
  await again.lean(decimalOf("-0.5"));
  const late = idIn(await again.plan());
  await reduceByHand(again, await again.store.held(ACCOUNT, ETH_SWAP.id));
  expect((await again.submit(late)).order).toMatchObject({
    ...{ status: "canceled", errorMessage: "voided: nothing is held to reduce" },
  });
});

test("F4: an approved order whose message was lost is sent once more, then voided, and its lane is free", async () => {
  const desk = await stage();
  await desk.lean(decimalOf("0.6"));
  const id = idIn(await desk.plan());
  desk.clock.set(desk.clock.now() + 30_000);
  expect((await desk.reconcile()).unsent).toMatchObject([{ id }]);
  desk.pass(1);
  expect(await desk.reconcile()).toMatchObject({ unsent: [], closed: [] });
  desk.pass(1);
  const { unsent, closed } = await desk.reconcile();
  expect([unsent, closed]).toMatchObject([[], [{ id, status: "canceled", errorMessage: "voided: stale" }]]);
  await desk.lean(decimalOf("0.6"));
  const next = idIn(await desk.plan());
  expect(next).not.toBe(id);
  expect((await desk.submit(next)).order.status).toBe("open");
  expect((await desk.submit(id)).outcome).toBe("done"); // the message that was lost comes after all
  expect(desk.atVenue()).toBe(1);
});

test("F5: a decision that is claimed three hours after is not sent, and says why", async () => {
  const desk = await stage();
  await desk.lean(decimalOf("0.6"));
  const id = idIn(await desk.plan());
  desk.pass(180);
  expect(await desk.submit(id)).toMatchObject({
    ...{ closed: true, outcome: "left" },
    order: { status: "canceled", errorMessage: "voided: stale: decided 10800 s ago" },
  });
  expect(desk.atVenue()).toBe(0);
});

test("F5: what has come between a decision and its claim voids it by name", async () => {
  const desk = await stage();
  const { quote } = desk.exchange;
  const voided = async (change: (now: Awaited<ReturnType<typeof quote>>, stop: number) => object) => {
    desk.pass(1);
    await desk.reconcile();
    await desk.lean(decimalOf("0.6"));
    const planned = await desk.plan();
    const [now, stop] = [await quote(ETH_SWAP.id), Number(planned.order?.stopLoss)];
    desk.exchange.quote = async () => ({ ...now, ...change(now, stop) });
    const { order } = await desk.submit(idIn(planned));
    desk.exchange.quote = quote;
    expect(order.status).toBe("canceled");
    return order.errorMessage;
  };
  const ago = (seconds: number) => ({ at: instant(desk.clock.now() - seconds * 1000) });
  expect(await voided(() => ago(11))).toBe("voided: the quote is 11 s old");
  expect(await voided(() => ago(-3))).toBe("voided: the quote is 3 s in the future");
  expect(await voided(({ ask }) => ({ bid: ask }))).toMatch(/^voided: the quote is crossed/);
  expect(await voided(() => ({ mark: "0" }))).toBe("voided: the mark is 0");
  expect(await voided((_, stop) => ({ mark: String(stop) }))).toMatch(/^voided: the mark .* is beyond the stop/);
  expect(await voided(({ mark }, stop) => ({ mark: String(Number(mark) * 0.49 + stop * 0.51) }))).toMatch(
    /^voided: the mark moved from .* over half the way to the stop$/,
  );
  expect(desk.atVenue()).toBe(0);
});

test("F3: a fill that the venue shows late is asked for by its order, however old it is by then", async () => {
  const desk = await stage();
  await desk.reconcile();
  desk.pass(1);
  await desk.lean(decimalOf("0.6"));
  const id = idIn(await desk.plan());
  await desk.submit(id);
  // The order says that it is filled; the fills do not show it, and later only newer ones are asked for.
  const { fills, fillsOf } = desk.exchange;
  const [whole] = await fills(instant(START));
  desk.exchange.fills = () => Promise.resolve([]);
  desk.exchange.fillsOf = () => Promise.resolve([]);
  await desk.reconcile();
  expect(await desk.orders()).toMatchObject([{ status: "open", filledSize: "0" }]);
  desk.pass(20);
  desk.exchange.fillsOf = fillsOf;
  expect(await desk.reconcile()).toMatchObject({ breaks: [] });
  expect(await desk.orders()).toMatchObject([{ status: "filled", filledSize: whole!.size }]);
  expect(await desk.positions()).toMatchObject([{ contracts: whole!.size, closedAt: null }]);
});

test("nothing is opened where books and venue were not compared for three minutes; what is held may be closed", async () => {
  const desk = await stage();
  desk.pass(3);
  await desk.lean(decimalOf("0.6"));
  expect(await desk.plan()).toEqual({ order: null, reason: "books and venue were not compared for 180 s" });
  await desk.reconcile();
  desk.pass(1);
  await desk.lean(decimalOf("0.6"));
  await desk.submit(idIn(await desk.plan()));
  await desk.reconcile();
  desk.pass(30);
  await desk.lean(decimalOf("-0.5"));
  expect(await desk.plan()).toMatchObject({ order: { status: "approved", reduceOnly: true } });
});

test("F7: a position that is closed by hand is booked as that: books and venue agree, and nothing is traded for it", async () => {
  const desk = await entered();
  const size = (await desk.orders())[0]?.filledSize ?? decimalOf("0");
  const mine = { instrument: ETH_SWAP.id, side: "sell", type: "market", size, price: null, reduceOnly: false } as const;
  await desk.exchange.submit({ ...mine, clientOrderId: "byhand1", expiresAt: instant(desk.clock.now() + 4000) });
  desk.pass(1);
  const { breaks, tripped, foreign } = await desk.reconcile();
  expect([breaks, tripped]).toEqual([[], null]);
  expect(foreign).toMatchObject([{ instrument: ETH_SWAP.id, cause: "hand", side: "sell", size, orderId: null }]);
  expect(await desk.orders()).toHaveLength(1);
  expect(await desk.positions()).toMatchObject([{ contracts: "0", closedAt: foreign[0]?.filledAt }]);
  const { equity } = await desk.exchange.balance();
  const [{ realizedPnl, feesPaid }] = (await desk.positions()) as [typeof positions.$inferSelect];
  expect(big(equity).minus("100000").toFixed()).toBe(
    big(realizedPnl ?? 0)
      .minus(feesPaid)
      .toFixed(),
  );
});

test("F7: what another client opens on an instrument of the desk counts, and nothing is added to it", async () => {
  const desk = await stage();
  const mine = { instrument: ETH_SWAP.id, side: "buy", type: "market", price: null, reduceOnly: false } as const;
  const opened = { ...mine, size: decimalOf("10"), clientOrderId: "byhand3" };
  await desk.exchange.submit({ ...opened, expiresAt: instant(desk.clock.now() + 4000) });
  desk.pass(1);
  expect((await desk.reconcile()).foreign).toMatchObject([{ cause: "hand", side: "buy", size: "10" }]);
  desk.pass(1);
  await desk.lean(decimalOf("0.6"));
  expect(await desk.plan()).toEqual({
    order: null,
    reason: "some of the position is not the desk's: nothing is added to it",
  });
  desk.pass(15); // a younger position is not closed by its signal
  await desk.lean(decimalOf("-0.5"));
  expect(await desk.plan()).toMatchObject({
    order: { status: "approved", reduceOnly: true, side: "sell", size: "10" },
  });
});

test("F12: dust is planned as if it were not there: no order that the venue must refuse", async () => {
  const desk = await stage();
  desk.store.held = async () => decimalOf("0.05"); // below the least order of 0.1, worth 5 USD
  await desk.lean(decimalOf("-0.01"));
  expect(await desk.plan()).toEqual({ order: null, reason: "what is left is dust: too small to close" });
  desk.pass(1);
  await desk.lean(decimalOf("-0.6"));
  expect(await desk.plan()).toMatchObject({ order: { status: "approved", reduceOnly: false, side: "sell" } });
});

test("an instrument with an order under way is not judged: what moved it may be that order", async () => {
  const desk = await stage();
  await desk.lean(decimalOf("0.6"));
  const id = idIn(await desk.plan());
  desk.venue.faults.set({ path: "trade/order", method: "POST", act: { kind: "reset-before" } });
  expect((await desk.submit(id)).order.status).toBe("unknown");
  const size = (await desk.orders())[0]?.size ?? decimalOf("0");
  const mine = { instrument: ETH_SWAP.id, side: "buy", type: "market", size, price: null, reduceOnly: false } as const;
  await desk.exchange.submit({ ...mine, clientOrderId: "byhand2", expiresAt: instant(desk.clock.now() + 4000) });
  let seen = await desk.reconcile();
  for (let minute = 0; minute < 4 && seen.closed.length === 0; minute++) {
    expect(seen.breaks).toEqual([]);
    desk.pass(1);
    seen = await desk.reconcile();
  }
  expect(await desk.orders()).toMatchObject([{ status: "expired" }]);
  expect(await desk.positions()).toMatchObject([{ contracts: size, closedAt: null }]);
});

test("position rows come from the fills alone", async () => {
  const desk = await entered();
  const before = await desk.positions();
  await desk.db.delete(positions);
  await desk.db.delete(orderFills);
  for (let again = 0; again < 2; again++) {
    expect((await desk.reconcile()).failures).toEqual([]);
    expect(await desk.positions()).toEqual(before);
  }
});

test("a venue that does not answer is not a flat account", async () => {
  const desk = await entered();
  const before = await desk.positions();
  desk.pass(1);
  desk.venue.faults.set({ path: "account/positions", act: { kind: "page", status: 502 }, times: 9 });
  const { breaks, failures } = await desk.reconcile();
  expect(breaks).toEqual([]);
  expect(failures).toMatchObject([{ part: "positions", instrument: null }]);
  expect((await desk.positions()).map(({ contracts }) => contracts)).toEqual(before.map(({ contracts }) => contracts));
  expect((await readControl(desk.db, "demo")).state).toBe("ACTIVE");
});
