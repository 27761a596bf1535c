import { expect, test } from "vitest";
import {
  AT_VENUE,
  InvalidTransition,
  isClosed,
  isLate,
  ORDER_EVENTS,
  OrderStatus,
  TRANSITIONS,
  transition,
} from "./order.ts";

const STATUSES = OrderStatus.options;

test("the table is total: every status answers every event, with a status or a refusal", () => {
  for (const from of STATUSES)
    for (const event of ORDER_EVENTS) {
      const to = TRANSITIONS[from][event];
      if (to === null) expect(() => transition(from, event)).toThrow(InvalidTransition);
      else expect(transition(from, event)).toBe(to);
    }
});

test("the quiet life", () => {
  expect(transition("proposed", "approved")).toBe("approved");
  expect(transition("approved", "claimed")).toBe("submitting");
  expect(transition("submitting", "accepted")).toBe("open");
  expect(transition("open", "partly_filled")).toBe("partially_filled");
  expect(transition("partially_filled", "filled")).toBe("filled");
});

test("only an approved order can be claimed, and only once", () => {
  const claimable = STATUSES.filter((status) => TRANSITIONS[status].claimed !== null);
  expect(claimable).toEqual(["approved"]);
});

test("nothing leads back to a status from which an order would be sent", () => {
  for (const from of STATUSES.filter((status) => status !== "proposed"))
    for (const event of ORDER_EVENTS) expect(["proposed", "approved"]).not.toContain(TRANSITIONS[from][event]);
});

test("a closed order moves only by a late fill, which never revives it", () => {
  for (const from of STATUSES.filter(isClosed))
    for (const event of ORDER_EVENTS) {
      const to = TRANSITIONS[from][event];
      if (to === null) continue;
      expect(isLate(from)).toBe(true);
      expect(["partly_filled", "filled"]).toContain(event);
      expect(AT_VENUE).not.toContain(to);
    }
});

test("what was never sent cannot fill", () => {
  for (const from of ["proposed", "denied", "approved"] as const)
    for (const event of ["partly_filled", "filled", "accepted", "lost"] as const)
      expect(() => transition(from, event)).toThrow(`an order that is ${from} cannot be ${event}`);
});
