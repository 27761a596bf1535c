import { expect, test } from "vitest";
import { deskTests } from "#testing/desk-tests";
import { type PaperDesk, type PaperDeskOptions, paperDesk } from "#testing/paper-desk";
import { decimalOf } from "#units/decimal";

// How what has no stop any more is closed, against the paper venue, through the desk's own use cases.

const tests = deskTests();

/** Enters 250 contracts whose level is passed before anything covers them. */
async function passed(options: PaperDeskOptions = {}) {
  const after = (bar: number) => (bar < 1 ? 1000 : 900);
  const desk = await paperDesk(tests.db, { policy: { takeProfitLegs: 0 }, after, ...options });
  tests.closeAfter(desk.close);
  const submit = desk.exchange.submit;
  // The stop that goes out with the order would fire by itself.
  desk.exchange.submit = ({ stop: _, ...order }) => submit(order);
  const id = await desk.trade("0.8");
  desk.pass(10);
  expect(await desk.exchange.positions()).toMatchObject([{ contracts: "250", markPrice: "900" }]);
  return { ...desk, id };
}

const stopsOf = async (desk: PaperDesk) => (await desk.orders()).filter(({ orderType }) => orderType === "stop");
const sent = (desk: PaperDesk) =>
  desk.venue
    .state()
    .orders.filter(({ reduceOnly }) => reduceOnly)
    .map(({ ordType, sz }) => `${ordType} ${sz}`);

test("what is larger than one market order is closed in slices, each with an id and a deadline of its own, in one invocation", async () => {
  const desk = await passed({ row: { maxMktSz: "100" } });
  expect(await desk.cover(desk.id)).toEqual({ tripped: null, failures: [] });
  expect(sent(desk)).toEqual(["market 100", "market 100", "market 50"]);
  expect(await desk.exchange.positions()).toEqual([]);
  const orders = await stopsOf(desk);
  expect(new Set(orders.map(({ clientOrderId }) => clientOrderId)).size).toBe(3);
  expect(orders.every(({ expTime }) => expTime !== null && expTime > desk.at())).toBe(true);
  await desk.minutes(2);
  expect((await stopsOf(desk)).map(({ status }) => status)).toEqual(["filled", "filled", "filled"]);
  expect(await desk.positions()).toMatchObject([{ contracts: "0" }]);
});

test.each(["51202", "51108", "51207"])(
  "what the venue calls too large, and names no bound for, is sent in halves: %s",
  async (code) => {
    const desk = await passed();
    desk.venue.faults.set({ path: "trade/order", method: "POST", act: { kind: "code", code } });
    expect(await desk.cover(desk.id)).toEqual({ tripped: null, failures: [] });
    expect(sent(desk)).toEqual(["market 125", "market 125"]);
    expect((await stopsOf(desk)).map(({ size, status }) => `${size} ${status}`).sort()).toEqual([
      ...["125 open", "125 open", "250 rejected"],
    ]);
    expect(await desk.exchange.positions()).toEqual([]);
  },
);

test.each(["51006", "51138"])(
  "what meets the price limit is sent within it, in the same invocation: %s",
  async (code) => {
    const desk = await passed();
    desk.venue.faults.set({ path: "trade/order", method: "POST", act: { kind: "code", code } });
    expect((await desk.cover(desk.id)).failures).toEqual([]);
    expect(sent(desk)).toEqual(["optimal_limit_ioc 250"]);
    expect(await desk.exchange.positions()).toEqual([]);
  },
);

test("a run that dies between two slices leaves the others to the next, which sends each once", async () => {
  const desk = await passed({ row: { maxMktSz: "100" } });
  const { submit } = desk.exchange;
  let calls = 0;
  desk.exchange.submit = (order) => (++calls === 2 ? Promise.reject(new Error("killed")) : submit(order));
  expect((await desk.cover(desk.id)).failures).toMatchObject([{ error: { message: "killed" } }]);
  expect((await stopsOf(desk)).map(({ status }) => status).sort()).toEqual(["approved", "open", "submitting"]);
  desk.exchange.submit = submit;
  await desk.minutes(3);
  expect(await desk.exchange.positions()).toEqual([]);
  expect(await desk.positions()).toMatchObject([{ contracts: "0" }]);
  expect(desk.venue.state().orders.reduce((sum, { accFillSz }) => sum + Number(accFillSz), 0)).toBe(500);
});

test("what a close left over is closed by the next look, however late its fills are shown", async () => {
  const desk = await passed();
  const { submit, fills, fillsOf } = desk.exchange;
  desk.exchange.submit = (order) => submit({ ...order, size: decimalOf("100") }); // the book takes no more
  await desk.cover(desk.id);
  expect(await desk.exchange.positions()).toMatchObject([{ contracts: "150" }]);
  Object.assign(desk.exchange, { submit, fills: async () => [], fillsOf: async () => [] });
  await desk.minutes(1);
  expect(await desk.exchange.positions()).toEqual([]);
  expect((await stopsOf(desk)).map(({ status }) => status)).toEqual(["open", "open"]);
  Object.assign(desk.exchange, { fills, fillsOf });
  await desk.minutes(2);
  expect((await stopsOf(desk)).map(({ status }) => status)).toEqual(["filled", "filled"]);
  expect(await desk.positions()).toMatchObject([{ contracts: "0" }]);
});
