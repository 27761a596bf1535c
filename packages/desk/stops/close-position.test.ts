import { expect, test } from "vitest";
import { upsertInstruments } from "#db/trading/instruments";
import { deskTests } from "#testing/desk-tests";
import { ETH_SWAP } from "#testing/instruments";
import { type PaperDesk, type PaperDeskOptions, paperDesk } from "#testing/paper-desk";
import { decimalOf } from "#units/decimal";
import { instant } from "#units/time";

// What the venue is asked to close by itself: dust, and what orders could not close. Once per position, through the real adapter.

const tests = deskTests();
const CLOSE = { path: "trade/close-position", method: "POST" } as const;
const ORDER = { path: "trade/order", method: "POST" } as const;

/** A lot below the least order, which is 0.1: less than one order may be left. */
const lotSize = decimalOf("0.01");

/** Returns a desk and the requests to close a position that reached its venue. */
async function watched(after: (bar: number) => number = () => 1000, policy: PaperDeskOptions["policy"] = {}) {
  const asked: unknown[] = [];
  const observe: NonNullable<PaperDeskOptions["venue"]>["observe"] = ({ target }) => {
    if (target.endsWith(CLOSE.path)) asked.push(target);
  };
  const listed = { policy: { takeProfitLegs: 0, ...policy }, row: { lotSz: lotSize }, venue: { observe } };
  const desk = await paperDesk(tests.db, { ...listed, after });
  tests.closeAfter(desk.close);
  await upsertInstruments(desk.db, [{ ...ETH_SWAP, lotSize }], "test", desk.at());
  return { ...desk, asked };
}

const stopsOf = async (desk: PaperDesk) => (await desk.orders()).filter(({ orderType }) => orderType === "stop");
const fates = async (desk: PaperDesk) => (await stopsOf(desk)).map(({ size, status }) => `${size} ${status}`).sort();

/** A person closes all but so many contracts of 250. */
async function closedTo(desk: PaperDesk, contracts: string) {
  expect(await desk.exchange.positions()).toMatchObject([{ contracts: "250" }]);
  const size = decimalOf(String(250 - Number(contracts)));
  const mine = { instrument: ETH_SWAP.id, side: "sell", type: "market", size, price: null, reduceOnly: true } as const;
  await desk.exchange.submit({ ...mine, clientOrderId: "byhand1", expiresAt: instant(desk.clock.now() + 4000) });
  expect(await desk.exchange.positions()).toMatchObject([{ contracts }]);
}

/** Leaves so many contracts of 250, of which 0.1 are the least order. */
async function left(contracts: string) {
  const desk = await watched();
  await desk.cover(await desk.trade("0.8"));
  await desk.minutes(1);
  await closedTo(desk, contracts);
  return desk;
}

test("dust is closed by the venue itself, and its books are closed with it", async () => {
  const desk = await left("0.05");
  await desk.minutes(2);
  expect(await desk.exchange.positions()).toEqual([]);
  expect(await fates(desk)).toEqual(["0.05 filled"]);
  expect(await desk.positions()).toMatchObject([{ contracts: "0", closedAt: expect.any(String) }]);
  await desk.minutes(2);
  expect(desk.asked).toHaveLength(1);
});

test("dust that the venue will not close is asked for once, and then left alone", async () => {
  const desk = await left("0.05");
  desk.venue.faults.set({ ...CLOSE, act: { kind: "code", code: "51132" }, times: 9 });
  await desk.minutes(4);
  expect(desk.asked).toHaveLength(1);
  expect(await fates(desk)).toEqual(["0.05 rejected"]);
  expect(await desk.exchange.positions()).toMatchObject([{ contracts: "0.05" }]);
  expect((await desk.store.control("demo")).state).toBe("ACTIVE");
});

test("what is below the least order and worth more than dust is not closed for its size", async () => {
  const desk = await left("0.09");
  await desk.minutes(2);
  expect(desk.asked).toHaveLength(0);
  expect(await desk.exchange.positions()).toMatchObject([{ contracts: "0.09" }]);
});

/** Enters 250 contracts whose level is passed before anything covers them. */
async function passed(policy: PaperDeskOptions["policy"] = {}) {
  const desk = await watched((bar) => (bar < 1 ? 1000 : 900), policy);
  const submit = desk.exchange.submit;
  desk.exchange.submit = ({ stop: _, ...order }) => submit(order); // it would fire by itself
  const id = await desk.trade("0.8");
  desk.pass(10);
  return { ...desk, id };
}

test("what the policy's tries could not close is closed by the venue itself, in the same invocation", async () => {
  const desk = await passed();
  desk.venue.faults.set({ ...ORDER, act: { kind: "code", code: "51006" }, times: 9 });
  expect(await desk.cover(desk.id)).toEqual({ tripped: null, failures: [] });
  expect(desk.asked).toHaveLength(1);
  expect(await desk.exchange.positions()).toEqual([]);
  expect(await fates(desk)).toEqual(["250 open", ...Array.from({ length: 4 }, () => "250 rejected")]);
  await desk.minutes(2);
  expect((await fates(desk))[0]).toBe("250 filled");
  expect(await desk.positions()).toMatchObject([{ contracts: "0" }]);
});

test("it is the last resort once: where the venue refuses that too, orders go on", async () => {
  const desk = await passed();
  desk.venue.faults.set(
    { ...ORDER, act: { kind: "code", code: "51006" }, times: 5 },
    { ...CLOSE, act: { kind: "code", code: "51134" }, times: 9 },
  );
  await desk.cover(desk.id);
  expect(desk.asked).toHaveLength(1);
  expect(await desk.exchange.positions()).toMatchObject([{ contracts: "250" }]);
  await desk.minutes(3);
  expect(desk.asked).toHaveLength(1);
  expect(await desk.exchange.positions()).toEqual([]);
});

test("a close that the venue calls too small an order for is left to the venue at once", async () => {
  const desk = await passed();
  desk.venue.faults.set({ ...ORDER, act: { kind: "code", code: "51132" } });
  await desk.cover(desk.id);
  await desk.minutes(1);
  expect(desk.asked).toHaveLength(1);
  expect(await desk.exchange.positions()).toEqual([]);
});

test("what the venue calls too small, and is worth no more than dust, is asked for once and left alone", async () => {
  const desk = await passed({ maxDustUsd: "100" });
  await closedTo(desk, "1"); // worth 90 USD
  desk.venue.faults.set(
    { ...ORDER, act: { kind: "code", code: "51132" }, times: 9 },
    { ...CLOSE, act: { kind: "code", code: "51132" }, times: 9 },
  );
  await desk.minutes(1);
  // Its stop is seen to before its fill is booked: once for what no position has yet, once for the position.
  expect(await fates(desk)).toEqual(Array.from({ length: 4 }, () => "1 rejected"));
  expect(desk.asked).toHaveLength(2);
  await desk.minutes(3);
  expect(desk.asked).toHaveLength(2);
  expect(await stopsOf(desk)).toHaveLength(4);
  expect(await desk.exchange.positions()).toMatchObject([{ contracts: "1" }]);
});

test.each(["reset-after", "reset-before"] as const)(
  "no reply says nothing: the close is looked up by its id, and never sent twice (%s)",
  async (kind) => {
    const desk = await left("0.05");
    desk.venue.faults.set({ ...CLOSE, act: { kind } });
    await desk.minutes(1);
    expect(await fates(desk)).toEqual(["0.05 unknown"]);
    await desk.minutes(3);
    expect(await fates(desk)).toEqual([kind === "reset-after" ? "0.05 filled" : "0.05 expired"]);
    expect(desk.asked).toHaveLength(1);
  },
);
