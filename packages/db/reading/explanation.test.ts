import { afterAll, beforeAll, expect, test } from "vitest";
import type { Explanation } from "#reporting/explanation";
import { type TestDatabase, testDatabase } from "#testing/database";
import { LANE, laneWriter, minute, START, snapshotWith } from "#testing/lane-orders";
import { decimalOf } from "#units/decimal";
import { idOf } from "#units/ids";
import { instant, millis } from "#units/time";
import * as s from "../schema.ts";
import { explained } from "./explanation.ts";

const OPENED = instant(millis(minute(20)) + 1000);
const CLOSED = instant(millis(minute(40)) + 1000);
let database: TestDatabase;

const told = async (name: string): Promise<Explanation> => {
  const answer = await explained(database.db, name);
  if (!answer.found) throw new Error(answer.why);
  return answer.explanation;
};

beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

test("a desk without an order says so", async () =>
  expect(await explained(database.db, "anything")).toEqual({
    ...{ found: false, why: "no order has it, and this desk has none", candidates: [] },
  }));

test("an order is told with its stop, its limits, its events and what its position came to", async () => {
  const { order, external } = await laneWriter(database.db);
  const limits = [
    { name: "drawdown", limit: "0.08", used: "0.01", headroom: "0.07", ok: true },
    { name: "trade_risk", limit: "0.005", used: "0.004", headroom: "0.001", ok: true },
    { name: "trading_state", limit: "0", used: "0", headroom: "0", ok: true },
    { name: "cooldown", limit: "0", used: "5", headroom: "-5", ok: false },
  ];
  const two = [
    ["8", "1121"],
    ["4", "1124"],
  ] as const;
  const snapshot = { ...snapshotWith(0.4, "0", "h2"), limits, equity: { now: "10000" } };
  await order("deopen", { at: 20, side: "buy", size: "12", fills: two, stopLoss: "1100", policySnapshot: snapshot });
  await external(25, "buy", "3");
  await order("decut", {
    at: 30,
    side: "sell",
    size: "6",
    fills: [["6", "1130"]],
    policySnapshot: snapshotWith(0.28, "15", "h2"),
  });
  await order("destop", { at: 40, side: "sell", size: "9", fills: [["9", "1090"]], type: "stop", biasAt: OPENED });
  const position = { ...LANE, id: idOf("position", "over"), asset: "ETH", side: "long", openedAt: OPENED } as const;
  await database.db.insert(s.positionsArchive).values({
    ...{
      ...position,
      closedAt: CLOSED,
      updatedAt: CLOSED,
      realizedPnl: decimalOf("-20.6"),
      unrealizedPnl: decimalOf("0"),
    },
    ...{ feesPaid: decimalOf("0.4"), fundingPaid: decimalOf("0.25"), markPrice: decimalOf("1090") },
  });
  await database.db.insert(s.orderEvents).values({
    ...{ orderId: idOf("order", "decut"), seq: 0, at: minute(30), toStatus: "open", prevHash: "0".repeat(64) },
    ...{ hash: "1".repeat(64), detail: { event: "accepted", by: "submit-order", set: { exchangeOrderId: "7" } } },
  });

  const cut = await told("decut");
  expect(cut.text).toMatch(/^CUT long ETH 15 → 9 ct \(1\.5 → 0\.9 ETH, /);
  expect(cut).toMatchObject({ mode: "demo", venue: "paper", venueOrderId: "venue-decut", limitsApply: true });
  expect(cut.decision).toMatchObject({ signal: 0.28, signalBefore: 0.4, thresholds: { enter: "0.25", exit: "0.1" } });
  expect(cut.decision?.thresholds).not.toHaveProperty("maxOrderUsd");
  expect(cut.events).toEqual([
    { at: minute(30), by: "submit-order", event: "accepted", status: "open", text: "reply: accepted as 7", code: null },
  ]);
  // 15 × 0.1 cost 8 × 112.1 + 4 × 112.4 + 3 × 112 = 1,682.4, an average of 1,121.6; at the stop they are worth 1,650.
  expect(cut.stop.before).toEqual({ price: "1100", entryPrice: "1121.6", riskUsd: "32.4", lossUsd: "34.875" });
  expect(cut.stop.after).toEqual({ price: "1100", entryPrice: "1121.6", riskUsd: "19.44", lossUsd: "20.925" });
  expect(cut.ownRealizedUsd).toBe("5.04"); // 6 × 0.1 × (1,130 − 1,121.6)
  // In and out: twice 5 fee, 8.9286 half spread and 10 slippage.
  expect(cut.edge).toEqual({ state: "off", expectedBps: null, costBps: 47.8571, costUsd: "3.22174286" });
  expect(cut.episode.map(({ act, before, after, cause }) => [act, before, after, cause])).toEqual([
    ["open", "0", "12", null],
    ["external", "12", "15", "hand"],
    ["cut", "15", "9", null],
    ["stop", "9", "0", null],
  ]);
  expect(cut.result).toMatchObject({ closedAt: CLOSED, realizedUsd: "-20.6", fundingUsd: "0.25", netUsd: "-21.25" });
  // At risk once the first order had filled: 1,346.4 − 1,320 = 26.4.
  expect(cut.resultR).toBe(-0.8049);
  expect(cut.protections).toMatchObject([
    { kind: "stop", trigger: "1120", size: "9", status: "filled", from: minute(40) },
  ]);
});

test("limits stand with those in the way first, then by what is left of each", async () => {
  const open = await told("deopen");
  expect(open.limits.map(({ name, headroomPercent }) => [name, headroomPercent])).toEqual([
    ["cooldown", null],
    ["trade_risk", 20],
    ["drawdown", 87.5],
    ["trading_state", null],
  ]);
  expect(open.stop.before).toBeNull();
});

test("an order is found by its id, its client order id, and the beginning of either", async () => {
  const id = idOf("order", "decut");
  for (const name of [id, id.toUpperCase(), "decut", "decu", id.slice(0, 8), ` ${id.slice(0, 13)} `])
    expect((await told(name)).order.id).toBe(id);
});

test("what several orders begin with, what none has and what is too short comes with those it could mean", async () => {
  expect(await explained(database.db, "nothing")).toMatchObject({
    ...{ found: false, why: "no order has it; the newest are" },
    candidates: [{ clientOrderId: "destop" }, { clientOrderId: "decut" }, { clientOrderId: "deopen" }],
  });
  expect(await explained(database.db, "de")).toMatchObject({ why: "give 4 letters of it at least; the newest are" });
  const [row] = await database.db.select().from(s.orders);
  if (row === undefined) throw new Error("there are three");
  await database.db.insert(s.orders).values({
    ...{ ...row, id: idOf("order", "decut2"), clientOrderId: "decut2", exchangeOrderId: null, decidedAt: minute(50) },
    ...{ status: "denied", filledSize: decimalOf("0"), avgFillPrice: null },
  });
  expect((await told("decut")).clientOrderId).toBe("decut"); // a whole name is no beginning
  expect(await explained(database.db, "decu")).toMatchObject({
    ...{ found: false, why: "2 orders begin with it: give more of one" },
    candidates: [{ clientOrderId: "decut2", text: expect.stringMatching(/ asked /) }, { clientOrderId: "decut" }],
  });
});

test("an order that nothing is known of but itself is told as far as it goes", async () => {
  const bare = { ...LANE, instrument: "OLD-USDT-SWAP", asset: "OLD", id: idOf("order", "bare"), clientOrderId: "bare" };
  await database.db.insert(s.orders).values({
    ...{ ...bare, side: "buy", orderType: "market", size: decimalOf("2"), status: "unknown" },
    ...{ decidedAt: START, updatedAt: START },
  });
  const open = {
    ...LANE,
    instrument: "OLD-USDT-SWAP",
    asset: "OLD",
    side: "short",
    openedAt: START,
    updatedAt: START,
  } as const;
  await database.db.insert(s.positions).values({ ...open, id: idOf("position", "bare") });
  expect(await told("bare")).toMatchObject({
    ...{ decision: null, limits: [], limitsApply: false, stop: { before: null, after: null }, events: [], episode: [] },
    edge: { state: "off", costBps: null },
    result: { side: "short", closedAt: null, realizedUsd: null, markPrice: null, netUsd: null },
    ...{ resultR: null, ownRealizedUsd: null, venueOrderId: null },
  });
});
