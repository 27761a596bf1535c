import fc from "fast-check";
import { expect, test } from "vitest";
import { big, decimalOf, text, ZERO } from "#units/decimal";
import { idOf } from "#units/ids";
import { instant, instantOf, millis } from "#units/time";
import { POLICY } from "../plans/policy.ts";
import type { VenueOrder, VenueOrderState } from "../venue.ts";
import { OrderStatus, transition } from "./order.ts";
import { GRACE_MS, type Look } from "./resolve.ts";
import { type LookedUp, type OrderBooks, settleOrder as settled } from "./settle.ts";
import type { StoredOrder } from "./stored-order.ts";

const QUARANTINE_MS = POLICY.quarantineSeconds * 1000;
const settleOrder = (of: OrderBooks, answer: LookedUp | null) => settled(of, answer, POLICY);
const DEADLINE = instantOf("2022-06-21T02:40:04.000Z");
const later = (ms: number) => instant(millis(DEADLINE) + ms);

const order = (overrides: Partial<StoredOrder> = {}): StoredOrder => ({
  ...{ id: idOf("order", "d1"), mode: "demo", venue: "paper", clientOrderId: "d1", venueOrderId: null, asset: "ETH" },
  ...{
    instrument: "ETH-USDT-SWAP",
    side: "buy",
    type: "ioc",
    size: decimalOf("10"),
    price: decimalOf("1000"),
    reduceOnly: false,
  },
  ...{ status: "open", filledSize: ZERO, averagePrice: null, fees: ZERO, stopLoss: null, riskUsd: ZERO },
  ...{ errorMessage: null, epoch: 1, biasAt: null, decidedAt: DEADLINE, updatedAt: DEADLINE },
  ...{ expiresAt: DEADLINE, version: 3 },
  ...overrides,
});
const filled = (size: string) => ({
  ...{ size: decimalOf(size), price: decimalOf("1000") },
  fees: { usd: decimalOf("0.5"), unvalued: {} },
});
const books = (of: Partial<StoredOrder>, overrides: Partial<OrderBooks> = {}): OrderBooks => ({
  ...{ order: order(of), filled: null, isFresh: false, looks: [] },
  ...overrides,
});
const found = (state: VenueOrderState, filledSize: string): VenueOrder => ({
  ...{
    clientOrderId: "d1",
    venueOrderId: "v1",
    instrument: "ETH-USDT-SWAP",
    side: "buy",
    state,
    size: decimalOf("10"),
  },
  ...{ filledSize: decimalOf(filledSize), averagePrice: null, updatedAt: DEADLINE },
});
const told = (outcome: LookedUp["outcome"], now = later(0), seen: VenueOrder | null = null): LookedUp => ({
  ...{ order: order(), outcome, found: seen, now },
});
const seen = (state: VenueOrderState, filledSize: string) => told("found", later(0), found(state, filledSize));
const eventsOf = (of: OrderBooks, answer: LookedUp | null) => settleOrder(of, answer).steps.map((step) => step.event);

test("an order that the venue shows takes its id, and its fills as they are booked", () => {
  expect(settleOrder(books({ status: "unknown" }, { filled: filled("4") }), seen("canceled", "4"))).toEqual({
    impossible: false,
    steps: [
      {
        event: "partly_filled",
        change: { filledSize: "4", avgFillPrice: "1000", fees: "0.5", exchangeOrderId: "v1" },
        detail: {},
      },
      { event: "canceled", change: {}, detail: {} },
    ],
  });
  expect(eventsOf(books({ status: "submitting" }), seen("open", "0"))).toEqual(["accepted"]);
  expect(eventsOf(books({}), seen("filled", "10"))).toEqual([]); // until its fills are booked
  expect(eventsOf(books({}, { filled: filled("10"), isFresh: true }), null)).toEqual(["filled"]);
});

test("an order that fills to its size fills, and nothing about it is impossible", () => {
  expect(settleOrder(books({}, { filled: filled("10"), isFresh: true }), null)).toMatchObject({
    ...{
      impossible: false,
      steps: [{ event: "filled", change: { filledSize: "10", avgFillPrice: "1000", fees: "0.5" } }],
    },
  });
});

test("a fill beyond the size fills the order, and is impossible", () => {
  const { steps, impossible } = settleOrder(books({}, { filled: filled("12"), isFresh: true }), null);
  expect(steps).toMatchObject([{ event: "filled", change: { filledSize: "10" } }]);
  expect(impossible).toBe(true);
});

test("a fill on a dead order is booked under its verdict with an alarm; of one never sent it moves nothing", () => {
  const late = { filled: filled("4"), isFresh: true };
  for (const status of ["canceled", "rejected", "expired"] as const) {
    expect(settleOrder(books({ status }, late), null)).toMatchObject({
      ...{ impossible: true, steps: [{ event: "partly_filled", detail: { alarm: "late fill" } }] },
    });
    // Booked before: it is not booked twice.
    expect(settleOrder(books({ status, filledSize: decimalOf("4") }, { filled: filled("4") }), null)).toEqual({
      ...{ steps: [], impossible: false },
    });
  }
  for (const status of ["proposed", "denied", "approved"] as const) {
    expect(settleOrder(books({ status }, late), null)).toEqual({ steps: [], impossible: true });
  }
});

const looks = (...seconds: number[]): Look[] =>
  seconds.map((s) => ({ at: later(GRACE_MS + s * 1000), outcome: "missing" }));
const past = (ms: number) => later(GRACE_MS + ms);

// status, looks before, answer, venue's clock → events
const ABSENT: readonly (readonly [string, OrderBooks, LookedUp, readonly string[]])[] = [
  ["its submitter may still be at work", books({ status: "submitting" }), told("missing", later(GRACE_MS)), []],
  ["lost, and looked for", books({ status: "submitting" }), told("missing", past(1)), ["lost", "looked_up"]],
  [
    "never claimed properly",
    books({ status: "submitting", expiresAt: null }),
    told("missing"),
    ["lost", "quarantined"],
  ],
  ["before the deadline there is no evidence", books({ status: "unknown" }), told("missing", later(0)), []],
  ["a failed look is noted", books({ status: "unknown" }), told("failed", past(1)), ["looked_up"]],
  [
    "two absences are too few",
    books({ status: "unknown" }, { looks: looks(1) }),
    told("missing", past(60_000)),
    ["looked_up"],
  ],
  [
    "three are enough",
    books({ status: "unknown" }, { looks: looks(1, 60) }),
    told("missing", past(120_000)),
    ["looked_up", "expired"],
  ],
  [
    "a failed third is not",
    books({ status: "unknown" }, { looks: looks(1, 60) }),
    told("failed", past(120_000)),
    ["looked_up"],
  ],
  [
    "one that has filled lives",
    books({ status: "unknown", filledSize: decimalOf("4") }, { filled: filled("4"), looks: looks(1, 60) }),
    told("missing", past(120_000)),
    [],
  ],
  [
    "no answer for a quarter of an hour",
    books({ status: "unknown" }),
    told("failed", past(QUARANTINE_MS + 1)),
    ["quarantined"],
  ],
  ["an open one may be slow to show", books({}), told("missing", later(2 * 3_600_000)), []],
  ["an open one is forgotten", books({}), told("missing", later(2 * 3_600_000 + 1)), ["expired"]],
  ["a failed query forgets nothing", books({}), told("failed", later(9 * 3_600_000)), []],
  ["a person has it", books({ status: "quarantined" }), told("missing", past(9e6)), []],
  ["closed meanwhile", books({ status: "rejected" }), told("missing", past(9e6)), []],
];

test.each(ABSENT)("an order that the venue does not show: %s", (_, of, answer, events) => {
  expect(eventsOf(of, answer)).toEqual(events);
});

test("a look says what came of it and when the venue was asked", () => {
  const { steps } = settleOrder(books({ status: "unknown" }), told("failed", past(1)));
  expect(steps).toEqual([{ event: "looked_up", detail: { outcome: "failed", looked_at: past(1) } }]);
});

test("law: the steps are legal in a row, never lose a fill, and settling again adds nothing but a look", () => {
  const size = fc.integer({ min: 0, max: 14 }).map(text);
  const cases = fc.record({
    status: fc.constantFrom(...OrderStatus.options),
    filledSize: size,
    booked: fc.option(size),
    isFresh: fc.boolean(),
    looks: fc.array(fc.constantFrom(...looks(1, 2, 60)), { maxLength: 4 }),
    answer: fc.option(
      fc.record({
        outcome: fc.constantFrom("missing", "failed", "found"),
        ms: fc.integer({ min: -5000, max: 9e6 }),
        state: fc.constantFrom("open", "partially_filled", "filled", "canceled"),
        venueFilled: size,
      }),
    ),
  });
  fc.assert(
    fc.property(cases, ({ status, filledSize, booked, isFresh, looks: had, answer }) => {
      const before = order({ status, filledSize });
      const total = booked === null ? null : filled(String(Number(booked) + Number(filledSize)));
      const reply =
        answer &&
        told(
          ...([answer.outcome, later(answer.ms)] as const),
          answer.outcome === "found" ? found(answer.state, answer.venueFilled) : null,
        );
      const { steps } = settleOrder({ order: before, filled: total, isFresh, looks: had }, reply);
      let current = { status: before.status, filledSize: before.filledSize };
      for (const { event, change } of steps) {
        current = { status: transition(current.status, event), filledSize: change?.filledSize ?? current.filledSize };
      }
      if (steps.some(({ change }) => change?.filledSize !== undefined)) {
        expect(big(current.filledSize).gt(before.filledSize) || current.status === "filled").toBe(true);
      }
      const again = settleOrder(
        { order: { ...before, ...current, venueOrderId: "v1" }, filled: total, isFresh: false, looks: had },
        reply,
      );
      expect(again.steps.filter(({ event }) => !["looked_up", "expired", "quarantined"].includes(event))).toEqual([]);
    }),
    { numRuns: 1000 },
  );
});
