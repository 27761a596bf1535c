import { expect, test } from "vitest";
import { ACCOUNT, ETH, handDesk, START } from "#testing/hand/desk";
import { POLICY } from "#trading/plans/policy";
import type { OpenPosition } from "#trading/positions/position-row";
import type { Exchange, Submission, SubmitReply } from "#trading/venue";
import { type Decimal, decimalOf } from "#units/decimal";
import { idOf } from "#units/ids";
import { instant } from "#units/time";
import { closeAtMarket, watchStop } from "./watch-stops.ts";

// Closing at market over the books in memory, against a venue of one page; close-at-market.test.ts does so at the paper venue.

const d = decimalOf;
const AT = instant(START);
const OPEN: OpenPosition = {
  ...{ id: idOf("position", "p"), instrument: ETH.id, asset: "ETH", openedAt: AT, contracts: d("4") },
  ...{ stopPrice: d("48"), riskConsumed: d("0.01") },
};
const accepted = (n: number): SubmitReply => ({ kind: "accepted", venueOrderId: `x${n}` });
const rejected = (code: string): SubmitReply => ({ kind: "rejected", code, reason: "no" });

function stage(replies: readonly SubmitReply[] = []) {
  const desk = handDesk();
  desk.trade(ETH.id, d("4"), null);
  const left = [...replies];
  const posted: Submission[] = [];
  desk.exchange.submit = async (order) => {
    posted.push(order);
    return left.shift() ?? accepted(posted.length);
  };
  const run = () => ({ account: ACCOUNT, at: desk.at(), by: "watch", policy: POLICY, barSeconds: 300 });
  const watch = (mark: string, open: OpenPosition | null = OPEN) =>
    watchStop(desk.store, desk.exchange, run(), ETH, open, d(mark));
  const close = (open: OpenPosition = OPEN, ...shown: Parameters<typeof closeAtMarket>[6][]) =>
    closeAtMarket(desk.store, desk.exchange, run(), ETH, open, d("47"), ...shown);
  const stops = async () =>
    (await desk.store.stops("demo", ETH.id, AT)).map(({ side, size, status }) => `${side} ${size} ${status}`);
  return { ...desk, posted, watch, close, stops, sent: () => posted.map(({ type, size }) => `${type} ${size}`) };
}

test("a stop whose price the mark has reached is sent at market, and not before; dust and nothing have none", async () => {
  const desk = stage();
  await desk.watch("48.01");
  await desk.watch("47", null);
  await desk.watch("47", { ...OPEN, contracts: d("0.05") });
  await desk.watch("47", { ...OPEN, stopPrice: null });
  expect([desk.posted, await desk.stops()]).toEqual([[], []]);
  expect(await desk.watch("48")).toBeNull();
  expect(desk.posted).toMatchObject([
    { instrument: ETH.id, side: "sell", type: "market", size: "4", price: null, reduceOnly: true },
  ]);
  expect(await desk.stops()).toEqual(["sell 4 open"]);
  await desk.watch("48"); // it is under way
  expect(desk.posted.length).toBe(1);
});

test("a short's stop buys", async () => {
  const desk = stage();
  desk.held.clear();
  desk.trade(ETH.id, d("-4"), null);
  const short = { ...OPEN, contracts: d("-4"), stopPrice: d("52") };
  await desk.watch("51.99", short);
  expect(desk.posted).toEqual([]);
  await desk.watch("52", short);
  expect(desk.posted).toMatchObject([{ side: "buy", size: "4" }]);
});

const limited = async (most: Decimal | Error, replies: readonly SubmitReply[] = []) => {
  const desk = stage(replies);
  desk.exchange.marketLimit = async () => {
    if (most instanceof Error) throw most;
    return most;
  };
  await desk.close();
  return [desk.sent(), await desk.stops()];
};

test("what is more than one order may close is written in slices before the first is sent", async () => {
  expect(await limited(d("1.5"))).toEqual([
    ["market 1.5", "market 1.5", "market 1.5"], // each is of what is held, up to the most: the venue takes what is left
    ["sell 1.5 open", "sell 1.5 open", "sell 1.5 open"],
  ]);
  expect((await limited(new Error("no answer")))[0]).toEqual(["market 4"]);
});

test("one that is too large is sent in halves, and one that meets the price limit within it, in the same look", async () => {
  for (const code of ["51202", "51108", "51207"])
    expect((await limited(d("99"), [rejected(code)]))[0]).toEqual(["market 4", "market 2", "market 2"]);
  for (const code of ["51006", "51116", "51137", "51138"])
    expect((await limited(d("99"), [rejected(code)]))[0]).toEqual(["market 4", "optimal 4"]);
  // Whatever else it is refused for is not mended by another.
  expect(await limited(d("99"), [rejected("51000")])).toEqual([["market 4"], ["sell 4 rejected"]]);
});

test("an order is written anew so often and no more, the last of them for the venue to close the position itself", async () => {
  const [sent] = await limited(
    d("99"),
    Array.from({ length: 9 }, () => rejected("51006")),
  );
  expect(sent).toEqual(["market 4", "optimal 4", "optimal 4", "optimal 4", "whole 4"]); // then the venue is to close it
});

test("what the venue canceled is followed by one within the price limit", async () => {
  const desk = stage();
  await desk.close();
  const [order] = await desk.store.stops("demo", ETH.id, AT);
  if (order === undefined) throw new Error("nothing was written");
  await desk.store.move(order, "canceled", { at: AT, by: "t" });
  await desk.close();
  expect(desk.sent()).toEqual(["market 4", "optimal 4"]);
});

test("one that the venue has shown as over is waited for no longer, though the books do not have its fills", async () => {
  const desk = stage();
  await desk.close();
  const [order] = await desk.store.stops("demo", ETH.id, AT);
  if (order === undefined) throw new Error("nothing was written");
  const found = { state: "canceled" } as NonNullable<Awaited<ReturnType<Exchange["order"]>>>;
  await desk.close(OPEN, [{ order, found: { ...found, state: "open" } }]);
  expect(desk.posted.length).toBe(1);
  await desk.close(OPEN, [{ order, found }]);
  expect(desk.posted.length).toBe(2);
});

test("one that nobody has heard of is waited for until its deadline is over by the venue's clock", async () => {
  const desk = stage([{ kind: "unknown", reason: "no answer" }]);
  await desk.close();
  desk.pass(6000);
  await desk.close();
  expect([desk.posted.length, await desk.stops()]).toEqual([1, ["sell 4 unknown"]]);
  desk.pass(1);
  await desk.close();
  expect([desk.posted.length, await desk.stops()]).toEqual([2, ["sell 4 unknown", "sell 4 open"]]);
});

test.each([
  ["halt", "HALTED"],
  ["frozen", "REDUCING"],
] as const)("a reply of %s makes the desk %s, which the look says", async (kind, state) => {
  const desk = stage([{ kind, code: "50114", reason: "who" }]);
  expect(await desk.close()).toMatchObject({ state, reason: "venue: 50114 who" });
});

test("a stop that cannot be claimed is left to whoever looks next", async () => {
  const desk = stage();
  Object.assign(desk.store, { claim: async () => null });
  expect(await desk.close()).toBeNull();
  expect([desk.posted, await desk.stops()]).toEqual([[], ["sell 4 approved"]]);
});

test("the order says what was reached and by what", async () => {
  const desk = stage();
  await desk.close();
  const [order] = await desk.store.stops("demo", ETH.id, AT);
  expect(order).toMatchObject({ type: "stop", price: "48", reduceOnly: true, biasAt: AT, asset: "ETH", epoch: 1 });
  const [first] = desk.books.events.get(order?.id ?? idOf("order", "")) ?? [];
  expect(first?.detail).toMatchObject({ leg: "stop", mark: "47", stop: "48", contracts: "4", by: "watch" });
});
