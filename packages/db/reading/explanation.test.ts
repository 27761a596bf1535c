import { afterAll, beforeAll, expect, test } from "vitest";
import { explainText } from "#reporting/explain-text";
import type { Explanation } from "#reporting/explanation";
import { type TestDatabase, testDatabase } from "#testing/database";
import { LANE, laneWriter, minute, START, snapshotWith } from "#testing/lane-orders";
import { POLICY } from "#trading/plans/policy";
import type { Protection } from "#trading/protection/protection";
import { decimalOf } from "#units/decimal";
import { idOf } from "#units/ids";
import { type Instant, instant, millis } from "#units/time";
import * as s from "../schema.ts";
import { noteProtections } from "../trading/protections.ts";
import { explained } from "./explanation.ts";

const OPENED = instant(millis(minute(20)) + 1000);
const CLOSED = instant(millis(minute(40)) + 1000);
const after = (at: Instant, ms: number): Instant => instant(millis(at) + ms);
let database: TestDatabase;

const told = async (name: string): Promise<Explanation> => {
  const answer = await explained(database.db, name, POLICY);
  if (!answer.found) throw new Error(answer.why);
  return answer.explanation;
};

beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

test("a desk without an order says so", async () =>
  expect(await explained(database.db, "anything", POLICY)).toEqual({
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
  const { mode, venue } = { mode: LANE.tradingMode, venue: LANE.exchange };
  const stop: Protection = {
    ...{ stopId: "dstop1", instrument: LANE.instrument, episode: idOf("position", "over"), kind: "stop", side: "sell" },
    ...{ trigger: decimalOf("1100"), size: null, status: "effective", algoId: "1", childOrderId: null, reason: null },
    ...{ exposedAt: OPENED, wantedAt: OPENED, liveAt: after(OPENED, 1400), endedAt: CLOSED, version: 0 },
  };
  const again = { ...stop, stopId: "dstop2", exposedAt: after(OPENED, 1000), liveAt: after(OPENED, 2000) };
  const refused = { ...stop, stopId: "dstop3", status: "failed", reason: "51280", liveAt: null } as const;
  const late = {
    ...refused,
    exposedAt: after(OPENED, 9000),
    wantedAt: after(OPENED, 9000),
    endedAt: after(OPENED, 9500),
  };
  const leg: Protection = {
    ...{ ...stop, stopId: "dleg1", kind: "tp", trigger: decimalOf("1150"), size: decimalOf("4"), status: "failed" },
    ...{ reason: "51280 passed", wantedAt: after(OPENED, 5000), liveAt: null },
  };
  const other = {
    ...stop,
    stopId: "dother",
    episode: idOf("position", "another"),
    status: "live",
    endedAt: null,
  } as const;
  await noteProtections(database.db, { mode, venue }, [stop, again, leg, late, other]);

  const cut = await told("decut");
  expect(cut.text).toMatch(/^CUT long ETH 15 → 9 ct \(1\.5 → 0\.9 ETH, /);
  expect(cut).toMatchObject({ mode: "demo", venue: "paper", venueOrderId: "venue-decut", limitsApply: true });
  expect(cut.decision).toMatchObject({ signal: 0.28, signalBefore: 0.4, thresholds: { enter: "0.25", exit: "0.1" } });
  expect(cut.decision?.thresholds).not.toHaveProperty("maxOrderUsd");
  expect(cut).toMatchObject({ modelVersion: "bias-1", steps: null });
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
  expect(
    cut.protections.map(({ id, kind, size, status, reason, liveAt }) => [id, kind, size, status, reason, liveAt]),
  ).toEqual([
    ["dstop1", "stop", null, "effective", null, after(OPENED, 1400)],
    ["dstop2", "stop", null, "effective", null, after(OPENED, 2000)],
    ["dleg1", "take-profit", "4", "failed", "51280 passed", null],
    ["dstop3", "stop", null, "failed", "51280", null],
  ]);
  expect(cut.unprotectedSeconds).toBe(2.5); // 1.4 s, 0.6 s more of the second, which overlaps, and 0.5 s of one that was refused
  const text = explainText(cut);
  expect(text).toContain("stop at 1,100 of all that is held: effective, waits since 2026-01-02 03:20:02.400, ended ");
  expect(text).toContain("take-profit at 1,150 of 4 ct: failed (51280 passed), ended ");
  expect(text).toContain("unprotected 2.5 s");
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
  expect(await explained(database.db, "nothing", POLICY)).toMatchObject({
    ...{ found: false, why: "no order has it; the newest are" },
    candidates: [{ clientOrderId: "destop" }, { clientOrderId: "decut" }, { clientOrderId: "deopen" }],
  });
  expect(await explained(database.db, "de", POLICY)).toMatchObject({
    why: "give 4 letters of it at least; the newest are",
  });
  const [row] = await database.db.select().from(s.orders);
  if (row === undefined) throw new Error("there are three");
  await database.db.insert(s.orders).values({
    ...{ ...row, id: idOf("order", "decut2"), clientOrderId: "decut2", exchangeOrderId: null, decidedAt: minute(50) },
    ...{ status: "denied", filledSize: decimalOf("0"), avgFillPrice: null },
  });
  expect((await told("decut")).clientOrderId).toBe("decut"); // a whole name is no beginning
  expect(await explained(database.db, "decu", POLICY)).toMatchObject({
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
  await noteProtections(database.db, { mode: "demo", venue: "paper" }, [
    {
      ...{ stopId: "dbare", instrument: "OLD-USDT-SWAP", episode: idOf("position", "bare"), kind: "stop", side: "buy" },
      ...{ trigger: decimalOf("9"), size: null, status: "sending", algoId: null, childOrderId: null, reason: null },
      ...{ exposedAt: START, wantedAt: START, liveAt: null, endedAt: null, version: 0 },
    },
  ]);
  expect(await told("bare")).toMatchObject({
    ...{ protections: [{ id: "dbare", status: "sending", endedAt: null }], unprotectedSeconds: null },
    waiting: ["ALARM: no stop at the venue for what is held"],
    ...{ decision: null, limits: [], limitsApply: false, stop: { before: null, after: null }, events: [], episode: [] },
    edge: { state: "off", costBps: null },
    result: { side: "short", closedAt: null, realizedUsd: null, markPrice: null, netUsd: null },
    ...{ resultR: null, ownRealizedUsd: null, venueOrderId: null },
  });
});
