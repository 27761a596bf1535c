import { expect, test } from "vitest";
import { ACCOUNT, ETH, handDesk, START } from "#testing/hand/desk";
import { POLICY } from "#trading/plans/policy";
import type { OpenPosition } from "#trading/positions/position-row";
import { legId } from "#trading/protection/leg-id";
import { stopId } from "#trading/protection/stop-id";
import { decimalOf } from "#units/decimal";
import { idOf } from "#units/ids";
import { instant } from "#units/time";
import { adoptFired } from "./adopt-fired.ts";

const d = decimalOf;
const AT = instant(START);
const STOP = stopId(ACCOUNT, ETH.id, AT, 0);
const LEG = legId({ account: ACCOUNT, instrument: ETH.id, openedAt: AT, trigger: d("52") }, 0);
const OPEN: OpenPosition = {
  ...{ id: idOf("position", "p"), instrument: ETH.id, asset: "ETH", openedAt: AT, contracts: d("4") },
  ...{ stopPrice: d("48"), riskConsumed: d("0.01") },
};

function stage() {
  const desk = handDesk();
  const adopt = async (open: OpenPosition | null = OPEN) => {
    const run = { account: ACCOUNT, at: desk.at(), by: "reconcile-orders", policy: POLICY, barSeconds: 300 };
    return adoptFired(desk.store, desk.exchange, run, ETH, open, desk.fills);
  };
  const orders = () => [...desk.books.orders.values()].toSorted((a, b) => (a.type < b.type ? -1 : 1));
  return { ...desk, adopt, orders };
}

test("what a stop and a leg at the venue have placed is the desk's own: written, and open under the venue's id", async () => {
  const desk = stage();
  desk.pass(5000);
  desk.trade(ETH.id, d("-1"), STOP);
  desk.trade(ETH.id, d("-2"), LEG);
  desk.trade(ETH.id, d("-9"), "somebody");
  desk.trade(ETH.id, d("-9"), null);
  await desk.adopt();
  expect(desk.orders()).toMatchObject([
    { clientOrderId: STOP, type: "stop", size: "1", price: "48", status: "open", venueOrderId: "v1", biasAt: AT },
    { clientOrderId: LEG, type: "take_profit", size: "2", price: "50", status: "open", venueOrderId: "v2" },
  ]);
  expect(desk.orders().every(({ side, reduceOnly }) => side === "sell" && reduceOnly)).toBe(true);
  const [first] = desk.books.events.get(idOf("order", STOP)) ?? [];
  expect(first?.detail).toMatchObject({ leg: "stop at the venue", stop: "48" });
  const before = desk.orders();
  await desk.adopt(); // once
  expect(desk.orders()).toEqual(before);
});

test("an order that the venue does not show has the size of its fills, and one of no known position its fill's price and time", async () => {
  const desk = stage();
  desk.pass(5000);
  desk.trade(ETH.id, d("-1"), STOP);
  Object.assign(desk.trade(ETH.id, d("-2"), STOP), { venueOrderId: "v1" });
  desk.exchange.order = async () => null;
  await desk.adopt(null);
  expect(desk.orders()).toMatchObject([{ size: "3", price: "50", biasAt: instant(START + 5000), venueOrderId: "v1" }]);
  const bare = stage();
  bare.trade(ETH.id, d("-1"), STOP);
  await bare.adopt({ ...OPEN, stopPrice: null });
  expect(bare.orders()).toMatchObject([{ price: "50", biasAt: AT }]);
});

test("one that a run wrote and did not claim, or claimed and did not move, is brought to where the venue has it", async () => {
  for (const claims of [false, true]) {
    const desk = stage();
    desk.trade(ETH.id, d("-1"), STOP);
    const { claim, move } = desk.store;
    const dies = () => Promise.reject(new Error("died"));
    Object.assign(desk.store, claims ? { move: dies } : { claim: dies });
    await expect(desk.adopt()).rejects.toThrow("died");
    Object.assign(desk.store, { claim, move });
    expect(desk.orders()).toMatchObject([{ status: claims ? "submitting" : "approved" }]);
    await desk.adopt();
    expect(desk.orders()).toMatchObject([{ status: "open", venueOrderId: "v1" }]);
  }
});

test("one that has come further is left as it is, and a claim that another won too", async () => {
  const desk = stage();
  desk.trade(ETH.id, d("-1"), STOP);
  await desk.adopt();
  const [order] = desk.orders();
  if (order === undefined) throw new Error("nothing was written");
  await desk.store.move(order, "filled", { at: AT, by: "t", change: { filledSize: d("1") } });
  await desk.adopt();
  expect(desk.orders()).toMatchObject([{ status: "filled" }]);
  const late = stage();
  late.trade(ETH.id, d("-1"), STOP);
  Object.assign(late.store, { claim: async () => null });
  await late.adopt();
  expect(late.orders()).toMatchObject([{ status: "approved" }]);
});
