import { expect, test } from "vitest";
import { decimalOf } from "#units/decimal";
import { instantOf } from "#units/time";
import { InvalidTransition } from "./order.ts";
import {
  birthOf,
  claimMove,
  eventHash,
  isAllowed,
  movementOf,
  type NewOrder,
  NO_HASH,
  orderIdOf,
  verdictOf,
} from "./stored-order.ts";

const AT = instantOf("2022-06-21T02:40:00.000Z");
const CLAIM = { at: AT, by: "submit-order", expiresAt: instantOf("2022-06-21T02:40:04.000Z") };

const fresh = (overrides: Partial<NewOrder> = {}): NewOrder => ({
  ...{ mode: "demo", venue: "paper", asset: "ETH", instrument: "ETH-USDT-SWAP", timeframe: "4h", biasAt: AT },
  ...{ epoch: 3, at: AT, by: "plan-order", verdict: "approved", codes: [], policySnapshot: { hash: "abc" } },
  order: {
    ...{
      clientOrderId: "d1",
      side: "buy",
      type: "ioc",
      size: decimalOf("10"),
      price: decimalOf("1122.34"),
      reduceOnly: false,
    },
    ...{ stopLoss: decimalOf("1104"), riskUsd: decimalOf("312.5"), signal: null },
  },
  ...overrides,
});

test("a move is the next event of the order as it was read, with what it sets", () => {
  const order = { id: orderIdOf("d1"), status: "approved", version: 1 } as const;
  expect(
    movementOf(order, "claimed", { ...CLAIM, change: { expTime: CLAIM.expiresAt }, detail: { why: "x" } }),
  ).toEqual({
    ...{ orderId: order.id, seq: 2, at: AT, fromStatus: "approved", toStatus: "submitting" },
    detail: { event: "claimed", by: "submit-order", set: { expTime: CLAIM.expiresAt }, why: "x" },
  });
  expect(movementOf(order, "voided", CLAIM).detail).toEqual({ event: "voided", by: "submit-order", set: {} });
  expect(() => movementOf(order, "filled", CLAIM)).toThrow(InvalidTransition);
});

test("the first event keeps what the order is born with, and its policy by hash; where there is none it says why", () => {
  const id = orderIdOf("d1");
  const birth = birthOf(id, fresh());
  expect(birth).toMatchObject({ orderId: id, seq: 0, fromStatus: null, toStatus: "proposed" });
  expect(birth.detail).toMatchObject({ event: "proposed", by: "plan-order", policy: "abc" });
  expect(birth.detail.set).toMatchObject({
    clientOrderId: "d1",
    size: "10",
    epoch: 3,
    decidedAt: AT,
    riskUsd: "312.5",
  });
  const stop = birthOf(id, fresh({ policySnapshot: null, detail: { leg: "stop", mark: "980" } }));
  expect(stop.detail).toMatchObject({ policy: null, leg: "stop", mark: "980" });
});

test("a new order goes to its verdict, a denied one with the limits that failed", () => {
  expect(verdictOf(fresh())).toEqual(["approved", { at: AT, by: "plan-order", change: {} }]);
  const denied = fresh({ verdict: "denied", codes: ["daily_loss", "drawdown"] });
  expect(verdictOf(denied)).toEqual([
    "denied",
    { at: AT, by: "plan-order", change: { errorMessage: "daily_loss, drawdown" } },
  ]);
});

test("the hash of an event is that of all its fields and of the hash before it", () => {
  const row = { ...birthOf(orderIdOf("d1"), fresh()), prevHash: NO_HASH };
  const { detail, ...head } = row;
  expect(eventHash({ detail, ...head })).toBe(eventHash(row)); // the order of keys is nothing
  const others = [{ seq: 1 }, { prevHash: "1".repeat(64) }, { toStatus: "denied" }, { detail: { event: "other" } }];
  const hashes = [row, ...others.map((other) => ({ ...row, ...other }))].map(eventHash);
  expect(new Set(hashes).size).toBe(5);
});

// state, epoch, reduce only, type → lets out
const OUT = [
  ["ACTIVE", 3, false, "ioc", true],
  ["ACTIVE", 4, false, "ioc", false],
  ["ACTIVE", 4, true, "stop", false],
  ["REDUCING", 3, false, "ioc", false],
  ["REDUCING", 3, true, "market", true],
  ["HALTED", 3, true, "market", false],
  ["HALTED", 3, true, "stop", true],
] as const;

test.each(OUT)("%s in epoch %i, approved in 3, reduce only %s, %s: %s", (state, epoch, reduceOnly, type, out) => {
  const order = { epoch: 3, reduceOnly, type };
  expect(isAllowed({ state, epoch }, order)).toBe(out);
  const reason = `voided: trading is ${state} in epoch ${epoch}, approved in 3`;
  expect(claimMove(order, { state, epoch }, CLAIM)).toEqual(
    out
      ? ["claimed", { at: AT, by: "submit-order", change: { expTime: CLAIM.expiresAt } }]
      : ["voided", { at: AT, by: "submit-order", change: { errorMessage: reason } }],
  );
});
