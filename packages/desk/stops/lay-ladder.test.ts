import { eq } from "drizzle-orm";
import { expect, test } from "vitest";
import { protections } from "#db/schema";
import { deskTests } from "#testing/desk-tests";
import { ETH_SWAP } from "#testing/instruments";
import { type PaperDesk, type PaperDeskOptions, paperDesk } from "#testing/paper-desk";
import { isLegId } from "#trading/protection/leg-id";
import { big, type Decimal, decimalOf, text } from "#units/decimal";

// Take-profits against the paper venue, through the desk's own use cases.

const tests = deskTests();
/** Enters a long position, and books it. */
async function entered(options: PaperDeskOptions = {}): Promise<PaperDesk> {
  const desk = await paperDesk(tests.db, options);
  tests.closeAfter(desk.close);
  await desk.trade("0.8");
  await desk.reconcile();
  return desk;
}

const legsOf = async (desk: PaperDesk) =>
  (await desk.exchange.takeProfits()).sort((a, b) => Number(a.trigger) - Number(b.trigger));
const stopOf = async (desk: PaperDesk) => (await desk.exchange.stops())[0]?.trigger;

test("the run that books a position lays its legs; nothing is asked for again while they wait", async () => {
  const desk = await entered();
  const [open] = await desk.positions();
  const [entry, stop] = [big(open!.entryPrice ?? 0), big(open!.stopPrice ?? 0)];
  const legs = await legsOf(desk);
  expect(legs).toMatchObject(
    [1, 2].map(() => ({ side: "sell", triggerBy: "mark", isReduceOnly: true, isMarket: true, isWhole: false })),
  );
  expect(legs.every(({ stopId }) => isLegId("demo", stopId))).toBe(true);
  legs.forEach(({ trigger, size }, i) => {
    const r = big(trigger).minus(entry).div(entry.minus(stop));
    expect(Math.abs(r.toNumber() - (i + 1))).toBeLessThan(0.01);
    expect(
      Math.abs(
        big(size ?? 0)
          .div(open!.contracts ?? 1)
          .toNumber() -
          1 / 3,
      ),
    ).toBeLessThan(0.01);
  });
  await desk.minutes(3);
  expect(desk.venue.state().algos.filter(({ state }) => state === "live")).toHaveLength(3); // the stop and two legs
  expect(await legsOf(desk)).toEqual(legs);
});

test("a leg that fires is the desk's own order, the other stays, and the stop goes to the entry with its costs", async () => {
  const desk = await entered({ after: (bar) => (bar < 2 ? 1000 : bar < 4 ? 1009 : 1008) });
  const [before] = await desk.positions();
  const [first, second] = await legsOf(desk);
  const set = await stopOf(desk);
  desk.pass(15);
  const run = await desk.reconcile();
  expect(run).toMatchObject({ breaks: [], external: [], foreign: [], tripped: null, failures: [] });
  expect(await desk.orders()).toMatchObject([
    { orderType: "ioc" },
    ...[
      { orderType: "take_profit", status: "filled", reduceOnly: true, size: first?.size, clientOrderId: first?.stopId },
    ],
  ]);
  expect(await desk.positions()).toMatchObject([
    { closedAt: null, contracts: text(big(before!.contracts ?? 0).minus(first?.size ?? 0)) },
  ]);
  expect(await legsOf(desk)).toEqual([second]);
  const moved = await stopOf(desk);
  expect(big(moved ?? 0).gt(set ?? 0)).toBe(true);
  const costs = big(moved ?? 0)
    .minus(before!.entryPrice ?? 0)
    .div(before!.entryPrice ?? 1);
  expect(costs.times(10_000).toNumber()).toBeCloseTo(20, 0);
  await desk.minutes(2); // later runs leave it there
  expect([await stopOf(desk), await legsOf(desk)]).toEqual([moved, [second]]);
});

test("a leg that fires as its run asks, so that no answer but its absence shows it, is not laid again", async () => {
  const desk = await entered({ after: (bar) => (bar < 2 ? 1000 : 1009) });
  const { positions, fills } = desk.exchange;
  const before = await positions();
  desk.pass(15);
  Object.assign(desk.exchange, { positions: async () => before, fills: async () => [] });
  await desk.reconcile();
  expect(await legsOf(desk)).toHaveLength(1);
  Object.assign(desk.exchange, { positions, fills });
  await desk.minutes(2);
  expect(desk.venue.state().orders).toHaveLength(2);
  expect((await desk.orders()).map(({ orderType }) => orderType)).toEqual(["ioc", "take_profit"]);
});

test("all legs fire while no job runs, then the price falls: the books account for every contract", async () => {
  const desk = await entered({ after: (bar) => (bar < 1 ? 1000 : bar < 4 ? 1030 : 900) });
  desk.pass(15);
  expect(await desk.reconcile()).toMatchObject({ breaks: [], foreign: [], failures: [] });
  expect((await desk.orders()).map(({ orderType, status }) => `${orderType} ${status}`)).toEqual([
    ...["ioc filled", "take_profit filled", "take_profit filled"],
  ]);
  desk.pass(15);
  expect(await desk.reconcile()).toMatchObject({ breaks: [], foreign: [], failures: [] });
  expect((await desk.orders()).at(-1)).toMatchObject({ orderType: "stop", status: "filled" });
  const [flat] = await desk.positions();
  expect(flat).toMatchObject({ contracts: "0" });
  const { equity } = await desk.exchange.balance();
  expect(big(equity).minus("100000").toFixed()).toBe(
    big(flat?.realizedPnl ?? 0)
      .minus(flat?.feesPaid ?? 0)
      .toFixed(),
  );
});

test("legs are swept once the position is closed, by its stop or by the desk", async () => {
  const desk = await entered({ after: (bar) => (bar < 2 ? 1000 : 880) });
  expect(await legsOf(desk)).toHaveLength(2);
  desk.pass(35);
  await desk.reconcile();
  expect(await desk.positions()).toMatchObject([{ contracts: "0" }]);
  expect([await legsOf(desk), await desk.exchange.stops()]).toEqual([[], []]);
  const other = await entered();
  other.pass(30);
  await other.trade("-0.5");
  await other.reconcile();
  other.pass(1);
  await other.reconcile();
  expect(await other.positions()).toMatchObject([{ contracts: "0" }]);
  expect([await legsOf(other), await other.exchange.stops()]).toEqual([[], []]);
});

test("a position that grows has its legs laid anew: none of the earlier entry waits, and they close no more than is held", async () => {
  const desk = await entered({ after: (bar) => (bar < 2 ? 1000 : 1004) });
  const before = await legsOf(desk);
  const contracts = (await desk.positions())[0]?.contracts ?? decimalOf("0");
  const more = { instrument: ETH_SWAP.id, side: "buy", type: "market", price: null, reduceOnly: false } as const;
  desk.pass(15);
  const submitted = { ...more, size: text(big(contracts).times(2)), clientOrderId: "byhand" };
  await desk.exchange.submit({ ...submitted, expiresAt: desk.at() });
  await desk.minutes(2);
  const after = await legsOf(desk);
  expect(after.map(({ trigger }) => trigger)).not.toEqual(before.map(({ trigger }) => trigger));
  expect(after).toHaveLength(2);
  expect(
    after.map(({ size }) =>
      big(size ?? 0)
        .div(contracts)
        .toNumber(),
    ),
  ).toEqual([1, 1]);
});

test("a leg whose price has passed before it was laid is closed at market at once, its size and no more", async () => {
  const desk = await paperDesk(tests.db, { after: (bar) => (bar < 2 ? 1000 : 1009) });
  tests.closeAfter(desk.close);
  const id = await desk.trade("0.8");
  await desk.cover(id);
  desk.pass(16);
  await desk.reconcile();
  await desk.minutes(2);
  const all = await desk.orders();
  expect(all.map(({ orderType, status }) => `${orderType} ${status}`)).toEqual(["ioc filled", "take_profit filled"]);
  expect(
    big(all[1]?.size ?? 0)
      .times(3)
      .toNumber(),
  ).toBeCloseTo(Number(all[0]?.filledSize), 0);
  expect(isLegId("demo", all[1]?.clientOrderId ?? null)).toBe(true);
  expect(await legsOf(desk)).toHaveLength(1);
});

test("a leg's order whose run ended before it was sent is sent by the next run, once", async () => {
  const desk = await paperDesk(tests.db, { after: (bar) => (bar < 2 ? 1000 : 1009) });
  tests.closeAfter(desk.close);
  await desk.cover(await desk.trade("0.8"));
  desk.pass(16);
  const { claim } = desk.store;
  desk.store.claim = () => Promise.reject(new Error("the machine went away"));
  expect((await desk.reconcile()).failures).toMatchObject([{ part: "take-profits" }]);
  desk.store.claim = claim;
  const legs = async () =>
    (await desk.orders()).flatMap(({ orderType, status }) => (orderType === "ioc" ? [] : status));
  expect(await legs()).toEqual(["approved"]);
  await desk.minutes(3);
  expect(await legs()).toEqual(["filled"]);
  expect(desk.venue.state().orders).toHaveLength(2);
});

test("what the venue says to a leg leaves the stop alone, and the next run lays it", async () => {
  const desk = await paperDesk(tests.db);
  tests.closeAfter(desk.close);
  await desk.cover(await desk.trade("0.8"));
  const stop = await desk.exchange.stops();
  for (const code of ["50011", "51020", "50004"]) {
    const act = { kind: "code", code } as const;
    desk.venue.faults.set({ path: "trade/order-algo", method: "POST", act, times: 9 });
    const { failures } = await desk.reconcile();
    expect(failures).toMatchObject([{ part: "take-profits", instrument: ETH_SWAP.id, error: { name: "LegNotTaken" } }]);
    expect([await desk.exchange.stops(), await legsOf(desk)]).toEqual([stop, []]);
    desk.venue.faults.clear();
    desk.pass(1);
  }
  expect((await desk.reconcile()).failures).toEqual([]);
  expect(await legsOf(desk)).toHaveLength(2);
});

test("legs are off where the policy has none, and those that wait are ended", async () => {
  const desk = await entered({ policy: { takeProfitLegs: 0 } });
  expect(await legsOf(desk)).toEqual([]);
  expect(await desk.exchange.stops()).toHaveLength(1);
});

test("a halt lays no legs, and those that wait stay", async () => {
  const desk = await paperDesk(tests.db);
  tests.closeAfter(desk.close);
  await desk.cover(await desk.trade("0.8"));
  const halt = { state: "HALTED", reason: "by hand", actor: "test", at: desk.at() } as const;
  await desk.store.tighten("demo", halt);
  await desk.reconcile();
  expect([(await legsOf(desk)).length, (await desk.exchange.stops()).length]).toEqual([0, 1]);
  const other = await entered();
  await other.store.tighten("demo", { ...halt, at: other.at() });
  await other.minutes(2);
  expect([(await legsOf(other)).length, (await other.exchange.stops()).length]).toEqual([2, 1]);
});

test("in a halt legs are made smaller with what is held, and none larger", async () => {
  const desk = await entered();
  const before = await legsOf(desk);
  await desk.store.tighten("demo", { state: "HALTED", reason: "by hand", actor: "test", at: desk.at() });
  const [held] = await desk.exchange.positions();
  const most = big(held?.contracts ?? 0);
  const sum = (legs: readonly { readonly size: Decimal | null }[]) =>
    legs.reduce((all, { size }) => all.plus(size ?? 0), big(0));
  desk.venue.trade({ instId: ETH_SWAP.id, side: "sell", size: most.times("0.6").round(0), cause: "adl" });
  await desk.minutes(2);
  const [left] = await desk.exchange.positions();
  const after = await legsOf(desk);
  expect(sum(after).lte(left?.contracts ?? 0)).toBe(true);
  expect(after.map(({ algoId }) => algoId)).toEqual(before.map(({ algoId }) => algoId));
  // What somebody adds is covered by the stop; no leg takes more of it.
  desk.venue.trade({ instId: ETH_SWAP.id, side: "buy", size: most, cause: "trade" });
  await desk.minutes(2);
  expect(sum(await legsOf(desk)).lte(sum(after))).toBe(true);
});

test("what a leg has closed is not bought back while the signal stands", async () => {
  const desk = await paperDesk(tests.db, {
    policy: { stopFloor: decimalOf("0.02") },
    after: (bar) => (bar < 2 ? 1000 : 1021),
  });
  tests.closeAfter(desk.close);
  await desk.trade("0.45"); // all that it wants, in one order
  await desk.reconcile();
  const whole = (await desk.positions())[0]?.contracts ?? "0";
  desk.pass(15);
  await desk.reconcile();
  const left = (await desk.positions())[0]?.contracts ?? "0";
  expect(Number(left)).toBeLessThan(Number(whole) * 0.7);
  for (let hour = 0; hour < 2; hour++) {
    desk.pass(20); // longer than the pause between orders
    await desk.minutes(1);
    desk.pass(1);
    await desk.lean(decimalOf("0.45"));
    expect(await desk.plan()).toMatchObject({ order: null, reason: "enter at target" });
  }
  expect((await desk.positions())[0]?.contracts).toBe(left);
});

const written = (desk: PaperDesk) =>
  desk.db.select().from(protections).where(eq(protections.kind, "tp")).orderBy(protections.trigger);

test("a leg is written down before it is sent; then as the venue has it, and a look at what has not changed writes nothing", async () => {
  const desk = await paperDesk(tests.db);
  tests.closeAfter(desk.close);
  await desk.trade("0.8");
  const before: unknown[] = [];
  const { placeTakeProfit } = desk.exchange;
  desk.exchange.placeTakeProfit = async (leg) => {
    before.push(...(await written(desk)).filter(({ stopId }) => stopId === leg.stopId));
    return placeTakeProfit(leg);
  };
  await desk.reconcile();
  expect(before).toMatchObject([1, 2].map(() => ({ status: "sending", algoId: null, side: "sell" })));
  await desk.minutes(1);
  const [legs, [open]] = [await legsOf(desk), await desk.positions()];
  const rows = await written(desk);
  expect(rows).toMatchObject(
    legs.map(({ stopId, trigger, size, algoId, placedAt }) => ({
      ...{ stopId, trigger, size, algoId, liveAt: placedAt, status: "live", episode: open?.id },
    })),
  );
  await desk.minutes(2);
  expect(await written(desk)).toEqual(rows);
});

test("a leg that fired is effective with the order that it placed; the others are canceled when the position is closed", async () => {
  const desk = await entered({ after: (bar) => (bar < 2 ? 1000 : bar < 4 ? 1009 : 900) });
  await desk.minutes(1);
  desk.pass(14);
  await desk.reconcile();
  const [first] = await written(desk);
  const [, leg] = await desk.orders();
  expect(first).toMatchObject({ status: "effective", childOrderId: leg?.exchangeOrderId });
  desk.pass(30);
  await desk.reconcile();
  await desk.minutes(1);
  expect(await desk.positions()).toMatchObject([{ contracts: "0" }]);
  expect((await written(desk)).map(({ status }) => status)).toEqual(["effective", "canceled"]);
});

test("a leg whose record cannot be written is not sent, and that is told; its stop stands", async () => {
  const desk = await paperDesk(tests.db);
  tests.closeAfter(desk.close);
  await desk.cover(await desk.trade("0.8"));
  const { noteProtections } = desk.store;
  desk.store.noteProtections = async (account, list) => {
    if (list.some(({ kind }) => kind === "tp")) throw new Error("the disk is full");
    return noteProtections(account, list);
  };
  expect((await desk.reconcile()).failures).toMatchObject([{ part: "take-profits" }]);
  expect([await legsOf(desk), await desk.exchange.stops()]).toMatchObject([[], [{ isWhole: true }]]);
  desk.store.noteProtections = noteProtections;
  await desk.minutes(1);
  expect(await legsOf(desk)).toHaveLength(2);
});
