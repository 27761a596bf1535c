import { expect, test } from "vitest";
import { ETH_SWAP } from "#testing/instruments";
import { decimalOf } from "#units/decimal";
import { idOf } from "#units/ids";
import { instantOf } from "#units/time";
import { clientOrderId } from "../orders/client-order-id.ts";
import type { OrderStatus } from "../orders/order.ts";
import { POLICY } from "../plans/policy.ts";
import { type Stopped, type StopStep, stopOrder, stopStep } from "./stop.ts";

const OPENED = instantOf("2022-06-21T02:40:00.000Z");
const BEFORE = instantOf("2022-06-20T02:40:00.000Z");
const AT = instantOf("2022-06-21T03:00:00.000Z");
const LAST = instantOf("2022-06-21T02:59:58.000Z"); // two seconds before AT: the grace of a deadline
const LONG_AGO = instantOf("2022-06-21T02:59:57.999Z");
const stop = (id: string, status: OrderStatus, biasAt = OPENED, expiresAt = LAST) => ({
  ...{ id: idOf("order", id), status, biasAt, expiresAt },
});

const STEPS: readonly (readonly [string, ReturnType<typeof stop>[], StopStep])[] = [
  ["none yet", [], { act: "place", attempt: 0 }],
  ["one that nobody claimed", [stop("a", "approved")], { act: "send", orderId: idOf("order", "a") }],
  [
    "the older of two that nobody claimed",
    [stop("a", "approved"), stop("b", "approved")],
    { act: "send", orderId: idOf("order", "a") },
  ],
  ["one on its way", [stop("a", "submitting")], { act: "wait" }],
  ["one that may be anywhere", [stop("a", "unknown")], { act: "wait" }],
  ["one that never came to be sent", [stop("a", "submitting", OPENED, LONG_AGO)], { act: "place", attempt: 1 }],
  ["one that was lost long ago", [stop("a", "unknown", BEFORE, LONG_AGO)], { act: "place", attempt: 0 }],
  ["one lost and one on its way", [stop("a", "unknown", OPENED, LONG_AGO), stop("b", "submitting")], { act: "wait" }],
  ["one that is there, whatever its deadline", [stop("a", "open", OPENED, LONG_AGO)], { act: "wait" }],
  ["one of an earlier position at the venue", [stop("a", "open", BEFORE)], { act: "wait" }],
  ["one refused", [stop("a", "rejected")], { act: "place", attempt: 1 }],
  ["two that filled in part and expired", [stop("a", "canceled"), stop("b", "expired")], { act: "place", attempt: 2 }],
  ["only those of an earlier position", [stop("a", "filled", BEFORE)], { act: "place", attempt: 0 }],
];

test.each(STEPS)("a stop that is reached, with %s", (_, stops, step) => {
  expect(stopStep(stops, OPENED, AT)).toEqual(step);
});

const stopped = (overrides: Partial<Stopped> = {}): Stopped => ({
  ...{
    account: { mode: "demo", venue: "paper" },
    at: AT,
    by: "reconcile-orders",
    policy: POLICY,
    mark: decimalOf("979"),
    attempt: 0,
  },
  control: { state: "HALTED", epoch: 7 },
  instrument: ETH_SWAP,
  position: { contracts: decimalOf("12.5"), stopPrice: decimalOf("980"), openedAt: OPENED },
  ...overrides,
});

test("a stop closes the whole position, reduce only, under the switch as it is, and says why", () => {
  const fresh = stopOrder(stopped());
  expect(fresh.order).toMatchObject({ side: "sell", type: "stop", size: "12.5", price: "980", reduceOnly: true });
  expect(fresh).toMatchObject({ epoch: 7, verdict: "approved", biasAt: OPENED, policySnapshot: null });
  expect(fresh.detail).toEqual({
    ...{ leg: "stop", mark: "979", stop: "980", contracts: "12.5", control: { state: "HALTED", epoch: 7 } },
  });
  const short = stopOrder(
    stopped({ position: { contracts: decimalOf("-3"), stopPrice: decimalOf("1020"), openedAt: OPENED } }),
  );
  expect(short.order).toMatchObject({ side: "buy", size: "3", price: "1020" });
});

test("each attempt has an id of its own, and the hundredth is the last", () => {
  const idOf = (attempt: number) => stopOrder(stopped({ attempt })).order.clientOrderId;
  const intent = { mode: "demo", venue: "paper", instrument: "ETH-USDT-SWAP", timeframe: "4h", leg: "stop" } as const;
  expect(idOf(0)).toBe(clientOrderId({ ...intent, biasAt: OPENED }));
  expect(new Set([0, 1, 98, 99].map(idOf)).size).toBe(4);
  expect(idOf(500)).toBe(idOf(99));
});
