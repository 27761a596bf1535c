import { expect, test } from "vitest";
import { decimalOf, ZERO } from "#units/decimal";
import { instant, instantOf, millis } from "#units/time";
import { AT_VENUE, IN_DOUBT, OrderStatus, TRANSITIONS } from "./order.ts";
import { GRACE_MS } from "./resolve.ts";
import { Ruling, rulingOf } from "./ruling.ts";

const DEADLINE = instantOf("2022-06-21T02:40:04.000Z");
const later = (ms: number) => instant(millis(DEADLINE) + ms);
const AFTER = later(GRACE_MS + 1);
const order = (status: OrderStatus, filledSize = ZERO) => ({ status, filledSize, expiresAt: DEADLINE });

test("only an order in doubt is ruled on; any other is refused by its status, and every ruling is a move that it has", () => {
  for (const status of OrderStatus.options)
    for (const ruling of Ruling.options) {
      const ruled = rulingOf(order(status), ruling, AFTER);
      if (!IN_DOUBT.includes(status)) expect(ruled).toEqual({ refused: expect.stringContaining(`is ${status}: `) });
      else if ("event" in ruled) expect(TRANSITIONS[status][ruled.event]).not.toBeNull();
      else expect.unreachable();
    }
});

test("what was found is the reconciler's to take; what was not there is over", () => {
  for (const status of IN_DOUBT) {
    expect(rulingOf(order(status), "found", AFTER)).toEqual({ event: "accepted" });
    expect(AT_VENUE).toContain(TRANSITIONS[status].accepted);
    expect(rulingOf(order(status), "not-there", AFTER)).toEqual({ event: "expired" });
    expect(AT_VENUE).not.toContain(TRANSITIONS[status].expired);
  }
});

test("until the deadline and its grace nobody can say that it is not there; that it is there, at once", () => {
  const early = { refused: `the venue may take it until ${DEADLINE}: look again after that` };
  expect(rulingOf(order("unknown"), "not-there", later(-60_000))).toEqual(early);
  expect(rulingOf(order("unknown"), "not-there", later(GRACE_MS))).toEqual(early);
  expect(rulingOf(order("unknown"), "found", later(-60_000))).toEqual({ event: "accepted" });
  expect(rulingOf({ ...order("quarantined"), expiresAt: null }, "not-there", DEADLINE)).toEqual({ event: "expired" });
});

test("an order that has a fill was there", () => {
  expect(rulingOf(order("quarantined", decimalOf("2")), "not-there", AFTER)).toEqual({
    refused: "2 contracts of it are booked as filled: it was there",
  });
});
