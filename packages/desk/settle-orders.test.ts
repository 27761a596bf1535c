import { expect, test } from "vitest";
import { ACCOUNT, handDesk, ETH as LISTED, START } from "#testing/hand/desk";
import { handVenue, PRICE } from "#testing/hand/venue";
import type { StoredOrder } from "#trading/orders/stored-order";
import { POLICY } from "#trading/plans/policy";
import type { VenueOrder } from "#trading/venue";
import { decimalOf } from "#units/decimal";
import { idOf } from "#units/ids";
import { instant } from "#units/time";
import { lookUp, settleInstrument, type Told } from "./settle-orders.ts";

const NOW = instant(START);
const ETH = LISTED.id;
const order = (clientOrderId: string, instrument = ETH) =>
  ({ id: idOf("order", clientOrderId), clientOrderId, instrument }) as StoredOrder;
const shown = (clientOrderId: string, instrument = ETH): VenueOrder => ({
  ...{ clientOrderId, venueOrderId: `v${clientOrderId}`, instrument, side: "buy", state: "open", size: decimalOf("1") },
  ...{ filledSize: decimalOf("0"), averagePrice: PRICE, updatedAt: NOW },
});

/** A venue that has these orders, and what it was asked. */
function venueWith(has: readonly VenueOrder[], isListed: boolean) {
  const { exchange } = handVenue(() => START);
  const asked: string[] = [];
  exchange.openOrders = async () => {
    asked.push("all");
    if (!isListed) throw new Error("no list");
    return [...has];
  };
  exchange.order = async (instrument, clientOrderId) => {
    asked.push(clientOrderId);
    if (clientOrderId === "silent") throw new Error("no answer");
    return has.find((one) => one.instrument === instrument && one.clientOrderId === clientOrderId) ?? null;
  };
  return { exchange, asked };
}

test("each of a few orders is asked for: a question that fails is no absence", async () => {
  const { exchange, asked } = venueWith([shown("a")], true);
  const answers = await lookUp(exchange, [order("a"), order("b"), order("silent")], NOW);
  expect(answers.map(({ order, outcome, found, now }) => [order.clientOrderId, outcome, found, now])).toEqual([
    ["a", "found", shown("a"), NOW],
    ["b", "missing", null, NOW],
    ["silent", "failed", null, NOW],
  ]);
  expect(asked).toEqual(["a", "b", "silent"]);
});

test("of more than twenty only those are asked for that the list of the open ones has not, each by its instrument", async () => {
  const many = Array.from({ length: 20 }, (_, i) => order(`n${i}`));
  const few = venueWith([], true);
  await lookUp(few.exchange, many, NOW);
  expect(few.asked).not.toContain("all");
  const all = [...many, order("elsewhere")];
  const has = [...many.map(({ clientOrderId }) => shown(clientOrderId)), shown("elsewhere", "BTC-USDT-SWAP")];
  const { exchange, asked } = venueWith(has, true);
  const answers = await lookUp(exchange, all, NOW);
  expect(asked).toEqual(["all", "elsewhere"]);
  expect(answers.slice(0, 20)).toEqual(
    many.map((one) => ({ order: one, now: NOW, outcome: "found", found: shown(one.clientOrderId) })),
  );
  expect(answers[20]).toMatchObject({ outcome: "missing", found: null });
  const unlisted = venueWith(has, false);
  expect((await lookUp(unlisted.exchange, all, NOW)).map(({ outcome }) => outcome)).toEqual(
    answers.map(({ outcome }) => outcome),
  );
  expect(unlisted.asked.length).toBe(22);
});

test("what the venue said of an instrument moves each of its orders, and those of a fill that nobody looked up", async () => {
  const desk = handDesk();
  const { store, exchange } = desk;
  for (const clientOrderId of ["seen", "silent", "absent"]) {
    await store.insert({
      ...{
        ...ACCOUNT,
        asset: "ETH",
        instrument: ETH,
        timeframe: "4h",
        biasAt: NOW,
        epoch: 1,
        at: NOW,
        by: "plan-order",
      },
      ...{ verdict: "approved", codes: [], policySnapshot: null },
      order: {
        ...{ clientOrderId, side: "buy", type: "ioc", size: decimalOf("2"), price: PRICE, reduceOnly: false },
        ...{ stopLoss: null, riskUsd: decimalOf("1"), signal: null },
      },
    });
    await store.claim(idOf("order", clientOrderId), { at: NOW, by: "submit-order", expiresAt: NOW });
    if (clientOrderId !== "absent") desk.trade(ETH, decimalOf("2"), clientOrderId);
  }
  desk.pass(10_000);
  const run = { account: ACCOUNT, at: desk.at(), by: "reconcile-orders", policy: POLICY, barSeconds: 300 };
  const all = await store.ordersAtVenue("demo");
  const looked = await lookUp(
    exchange,
    all.filter(({ clientOrderId }) => clientOrderId !== "silent"),
    desk.at(),
  );
  const [position = null] = await exchange.positions();
  const told: Told = {
    ...{
      instrument: ETH,
      listed: LISTED,
      looked,
      fills: await exchange.fills(NOW),
      feePrices: [],
      since: null,
      position,
    },
    equity: decimalOf("1000"),
  };
  const booked = await settleInstrument(store, run, told);
  expect(booked).toMatchObject({ held: "4", open: { instrument: ETH, contracts: "4" }, impossibleFills: 0 });
  const now = await store.ordersByClientId(["seen", "silent", "absent"]);
  expect([...now.values()].map(({ clientOrderId, status }) => `${clientOrderId} ${status}`).sort()).toEqual([
    ...["absent unknown", "seen filled", "silent filled"],
  ]);
  expect([...desk.books.positions.values()]).toMatchObject([{ markPrice: "50", entryPrice: "50" }]);
  // Flat at the venue: there is no mark.
  desk.trade(ETH, decimalOf("-4"), null);
  const after = { ...told, since: NOW, looked: [], fills: await exchange.fills(NOW), position: null };
  expect(await settleInstrument(store, run, after)).toMatchObject({ held: "0", open: null });
});
