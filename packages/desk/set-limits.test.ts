import { expect, test } from "vitest";
import { deskTests } from "#testing/desk-tests";
import { ETH_SWAP } from "#testing/instruments";
import { type PaperDesk, type PaperDeskOptions, paperDesk } from "#testing/paper-desk";
import { quietDesk } from "#testing/quiet-desk";
import { decimalOf } from "#units/decimal";
import type { OrderId } from "#units/ids";
import { instant } from "#units/time";

// What a desk waits for, and for how long, is what its policy says: each over books and paper venue, at another value than
// the default and on both sides of it.

const tests = deskTests();
async function stage(policy: NonNullable<PaperDeskOptions["policy"]>) {
  const desk = await paperDesk(tests.db, { policy });
  tests.closeAfter(desk.close);
  return desk;
}

const at = (desk: PaperDesk, seconds: number) => desk.clock.set(desk.clock.now() + seconds * 1000);
async function planned(desk: PaperDesk): Promise<OrderId> {
  await desk.lean(decimalOf("0.6"));
  const { order } = await desk.plan();
  if (order === null) throw new Error("nothing was planned");
  return order.id;
}

/** Has the venue's quotes be as old as `seconds`, from now on; negative = from the future. */
function quotesOf(desk: PaperDesk): (seconds: number) => void {
  const { quote } = desk.exchange;
  return (seconds) => {
    desk.exchange.quote = async (id) => ({ ...(await quote(id)), at: instant(desk.clock.now() - seconds * 1000) });
  };
}

test.each([
  ["default", {}, 10, 2],
  ["5 s and 1 s", { maxQuoteAgeSeconds: 5, maxQuoteAheadSeconds: 1 }, 5, 1],
  ["120 s and none", { maxQuoteAgeSeconds: 120, maxQuoteAheadSeconds: 0 }, 120, 0],
])("one age of a quote holds where it is planned and where it is sent: %s", async (_, policy, old, ahead) => {
  for (const [most, beyond, code, says] of [
    [old, old + 1, "quote_age_seconds", `the quote is ${old + 1} s old`],
    [-ahead, -ahead - 1, "quote_ahead_seconds", `the quote is ${ahead + 1} s in the future`],
  ] as const) {
    const desk = await stage(policy);
    const quoteIs = quotesOf(desk);
    quoteIs(beyond);
    await desk.lean(decimalOf("0.6"));
    expect((await desk.plan()).order).toMatchObject({ status: "denied", errorMessage: code });
    at(desk, 60);
    await desk.reconcile();
    quoteIs(most);
    const id = await planned(desk);
    expect(await desk.store.order(id)).toMatchObject({ status: "approved" });
    quoteIs(beyond);
    expect((await desk.submit(id)).order).toMatchObject({ status: "canceled", errorMessage: `voided: ${says}` });
    expect(desk.venue.state().orders).toEqual([]);
    at(desk, 60);
    await desk.reconcile();
    quoteIs(most);
    expect((await desk.submit(await planned(desk))).order).toMatchObject({ status: "open" });
  }
});

test("the plan's own time, which may be long ago, makes no quote of the future", async () => {
  const desk = await stage({});
  await desk.lean(decimalOf("0.6"));
  const { now } = desk.exchange;
  const { quote } = desk.exchange;
  const late = (time: string) => instant(Date.parse(time) + 90_000);
  desk.exchange.quote = async (id) => ({ ...(await quote(id)), at: late(await now()) });
  desk.exchange.now = async () => late(await now());
  expect((await desk.plan()).order).toMatchObject({ status: "approved" });
});

test("an order whose message was lost is sent for, and voided, when the policy says", async () => {
  const desk = await stage({ unsentSeconds: 10, decisionTtlSeconds: 80 });
  const id = await planned(desk);
  at(desk, 9);
  expect((await desk.reconcile()).unsent).toEqual([]);
  at(desk, 1);
  expect((await desk.reconcile()).unsent).toMatchObject([{ id }]);
  at(desk, 70);
  expect(await desk.reconcile()).toMatchObject({ unsent: [], closed: [] });
  at(desk, 1);
  expect((await desk.reconcile()).closed).toMatchObject([{ id, status: "canceled", errorMessage: "voided: stale" }]);
});

test("a decision lives as long as the policy says when it is claimed", async () => {
  const desk = await stage({ decisionTtlSeconds: 300 });
  const id = await planned(desk);
  at(desk, 301);
  expect((await desk.submit(id)).order.errorMessage).toBe("voided: stale: decided 301 s ago");
  await desk.reconcile();
  at(desk, 1);
  const next = await planned(desk);
  at(desk, 300);
  expect((await desk.submit(next)).order.status).toBe("open");
});

test("an order of which the venue says nothing is left to a person when the policy says", async () => {
  const desk = await stage({ quarantineSeconds: 120 });
  const id = await planned(desk);
  desk.venue.faults.set({ path: "trade/order", method: "POST", act: { kind: "late" } });
  expect((await desk.submit(id)).order.status).toBe("unknown");
  desk.exchange.order = () => Promise.reject(new Error("no answer"));
  at(desk, 4 + 2 + 118); // its deadline, the grace after it, and the limit, which the third look of this run reaches
  await desk.reconcile();
  expect(await desk.store.order(id)).toMatchObject({ status: "unknown" });
  at(desk, 1);
  await desk.reconcile();
  expect(await desk.store.order(id)).toMatchObject({ status: "quarantined" });
});

test("what can have no stop is closed at market when the policy says", async () => {
  const desk = await quietDesk(tests.db, { policy: { maxUncoveredSeconds: 30 } });
  tests.closeAfter(desk.venue.close);
  const refused = {
    path: "trade/order-algo",
    method: "POST",
    act: { kind: "code", code: "51000" },
    times: 99,
  } as const;
  await desk.trade("buy", "10", decimalOf("900"));
  for (const [seconds, held] of [
    [0, 1],
    [29, 1],
    [1, 0],
  ] as const) {
    desk.pass(seconds * 1000);
    desk.venue.faults.clear();
    desk.venue.faults.set(refused);
    // What was filled with a stop of its own attached has that until then: it is ended here.
    for (const { algoId } of await desk.exchange.stops()) await desk.exchange.cancelStop(ETH_SWAP.id, algoId);
    await desk.reconcile();
    expect((await desk.exchange.positions()).length, `${seconds} s later`).toBe(held);
  }
});
