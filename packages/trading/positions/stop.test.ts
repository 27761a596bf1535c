import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ETH_SWAP } from "#testing/instruments";
import { big, decimalOf } from "#units/decimal";
import { idOf } from "#units/ids";
import { instantOf } from "#units/time";
import { clientOrderId } from "../orders/client-order-id.ts";
import type { OrderStatus } from "../orders/order.ts";
import { POLICY } from "../plans/policy.ts";
import type { VenueOrderState } from "../venue.ts";
import {
  asShown,
  closingOf,
  isLastResort,
  type Stopped,
  type StopStep,
  stopOrder,
  stopStep,
  wholeIn,
  wholeOrder,
} from "./stop.ts";

const OPENED = instantOf("2022-06-21T02:40:00.000Z");
const BEFORE = instantOf("2022-06-20T02:40:00.000Z");
const AT = instantOf("2022-06-21T03:00:00.000Z");
const LAST = instantOf("2022-06-21T02:59:58.000Z"); // two seconds before AT: the grace of a deadline
const LONG_AGO = instantOf("2022-06-21T02:59:57.999Z");
const stop = (id: string, status: OrderStatus, biasAt = OPENED, expiresAt = LAST) => ({
  ...{ id: idOf("order", id), status, biasAt, expiresAt, filledSize: decimalOf("0") },
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

test("a stop that the venue shows as over is under way no more, whatever the books wait for", () => {
  const [a, b] = [stop("a", "open"), stop("b", "approved")];
  const shown = (order: ReturnType<typeof stop>, state: VenueOrderState | null) =>
    ({ order, found: state && { state, filledSize: decimalOf("7") } }) as never;
  const statuses = (...of: readonly never[]) => asShown([a, b], of).map(({ status }) => status);
  expect(statuses(shown(a, "canceled"))).toEqual(["canceled", "approved"]);
  expect(statuses(shown(a, "filled"))).toEqual(["filled", "approved"]);
  expect(asShown([a, b], [shown(a, "canceled")]).map(({ filledSize }) => filledSize)).toEqual(["7", "0"]);
  for (const state of ["open", "partially_filled", null] as const)
    expect(statuses(shown(a, state))).toEqual(["open", "approved"]);
  expect(statuses(shown(stop("c", "open"), "filled"))).toEqual(["open", "approved"]);
  const ended = stop("d", "rejected");
  expect(asShown([ended], [shown(ended, "filled")])).toEqual([ended]);
  expect(stopStep(asShown([a], [shown(a, "canceled")]), OPENED, AT)).toEqual({ act: "place", attempt: 1 });
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

test("a position has one order that has the venue close all of it, whenever it is written; it is no stop's", () => {
  const { attempt: _, ...of } = stopped();
  const whole = wholeOrder(of);
  const later = wholeOrder({ ...of, at: AT, mark: decimalOf("7") });
  expect(later.order.clientOrderId).toBe(whole.order.clientOrderId);
  expect(whole).toMatchObject({ order: { type: "stop", reduceOnly: true }, detail: { leg: "close-position" } });
  const { clientOrderId: id } = whole.order;
  for (let attempt = 0; attempt < 100; attempt++)
    expect(stopOrder({ ...of, attempt }).order.clientOrderId).not.toBe(id);
  const orders = [{ clientOrderId: "other" }, { clientOrderId: id }];
  expect([wholeIn(orders, of), wholeIn(orders.slice(0, 1), of)]).toEqual([{ clientOrderId: id }, null]);
});

test("the venue is to close by itself what so many orders could not, or what it calls too small for one", () => {
  const policy = { maxCloseTries: 2 };
  const past = (status: OrderStatus, over: object = {}) => ({
    ...{ biasAt: OPENED, status, filledSize: decimalOf("0"), venueOrderId: "7", errorMessage: null, ...over },
  });
  const is = (...list: ReturnType<typeof past>[]) => isLastResort(list, OPENED, policy);
  expect([is(), is(past("rejected")), is(past("rejected"), past("rejected"))]).toEqual([false, false, true]);
  expect(is(past("expired", { venueOrderId: null }), past("canceled"))).toBe(true);
  expect(is(past("rejected"), past("open"), past("unknown"), past("approved"))).toBe(false);
  expect(is(past("rejected"), past("canceled", { venueOrderId: null }))).toBe(false); // held back: never sent
  expect(is(past("rejected"), past("canceled", { filledSize: decimalOf("0.1") }))).toBe(false); // it closed a part
  expect(is(past("rejected"), past("rejected", { biasAt: BEFORE }))).toBe(false);
  expect(is(past("rejected", { errorMessage: "51132 less than the least" }))).toBe(true);
  expect(is(past("rejected", { errorMessage: "51132 less than the least", biasAt: BEFORE }))).toBe(false);
});

const closed = (size: string, status: OrderStatus, errorMessage: string | null = null, biasAt = OPENED) => ({
  ...{ size: decimalOf(size), status, errorMessage, biasAt },
});

describe("how what is held is closed at market", () => {
  const way = (contracts: string, limit: string | null, stops: ReturnType<typeof closed>[] = [], ids = 100) =>
    closingOf(decimalOf(contracts), limit === null ? null : decimalOf(limit), ETH_SWAP, {
      ...{ stops, openedAt: OPENED, ids },
    });

  test("at once where no bound is known, in slices of the most where one is, of a short too", () => {
    expect(way("250", null)).toEqual({ sizes: ["250"], most: null, market: "market" });
    expect(way("-250", "100")).toEqual({ sizes: ["100", "100", "50"], most: "100", market: "market" });
    expect(way("250", "100.05").sizes).toEqual(["100", "100", "50"]); // a multiple of the lot
  });

  test.each(["51202 too much", "51108 split", "51207 split"])("in halves of what was too large: %s", (said) => {
    expect(way("250", "1000", [closed("250", "rejected", said)])).toMatchObject({ sizes: ["125", "125"], most: "125" });
    const twice = [closed("250", "rejected", said), closed("125", "rejected", said)];
    expect(way("250", null, twice).sizes).toEqual(["62.5", "62.5", "62.5", "62.5"]);
    expect(way("250", null, [closed("250", "rejected", said, BEFORE)]).sizes).toEqual(["250"]);
  });

  test.each(["51006", "51116", "51137", "51138"])("within the price limit once it was met: %s", (code) => {
    expect(way("9", null, [closed("9", "rejected", `${code} no`)]).market).toBe("optimal");
    expect(way("9", null, [closed("9", "canceled")]).market).toBe("optimal");
    expect(way("9", null, [closed("9", "canceled", null, BEFORE)]).market).toBe("market");
  });

  test("for all sizes and bounds: slices are of at most the bound, in lots, and add up, as far as there are ids", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9999 }),
        fc.integer({ min: 1, max: 999 }),
        fc.nat(100),
        (held, most, ids) => {
          const { sizes } = way(String(held / 10), String(most / 10), [], ids);
          const sum = sizes.reduce((total, size) => total.plus(size), big(0));
          expect(sizes.length).toBeLessThanOrEqual(ids);
          expect(sizes.every((size) => big(size).lte(most / 10) && big(size).mod("0.1").eq(0))).toBe(true);
          expect(sizes.length === ids ? sum.lte(held / 10) : sum.eq(held / 10)).toBe(true);
        },
      ),
    );
  });
});
