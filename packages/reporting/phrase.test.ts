import { expect, test } from "vitest";
import { positionWith, reportWith } from "#testing/report";
import { decimalOf } from "#units/decimal";
import { instantOf } from "#units/time";
import { markdown } from "./markdown.ts";
import { edgeGateText } from "./notice.ts";
import { stopText, turnoverText } from "./phrase.ts";

const atVenue = {
  ...{ trigger: decimalOf("1104.1"), liveAt: instantOf("2022-06-21T02:15:05.400Z"), unprotectedSeconds: 1.38 },
};

test.each([
  [{ atVenue }, "stop 1,104.10 at the venue since 02:15:05, 2.7% from the mark, 1.4 s without one"],
  [{ atVenue, markPrice: null }, "stop 1,104.10 at the venue since 02:15:05, 1.4 s without one"],
  // It moved toward profit, or a person's is kept: what waits counts, not what was wanted.
  [
    { atVenue: { ...atVenue, trigger: decimalOf("1120") } },
    "stop 1,120.00 at the venue since 02:15:05, 1.3% from the mark, 1.4 s without one",
  ],
  [{ atVenue: null }, "stop 1,104.10, none seen at the venue yet"],
  [{ atVenue: null, stopPrice: null }, "no stop"],
  [{}, "stop 1,104.10"], // a report of an earlier release
])("the stop of %j", (parts, text) => expect(stopText(positionWith(parts))).toBe(text));

test("turnover is said in USD, and as a multiple of equity a day where that is known", () => {
  const orders = { ...reportWith().metrics.orders, turnoverUsd: decimalOf("36123.4"), turnoverADay: 0.2844 };
  expect(turnoverText(orders)).toBe("36.1k USD, 0.28 of equity a day");
  expect(turnoverText({ ...orders, turnoverADay: null })).toBe("36.1k USD");
});

test("that no trade is held against its expected edge is said where the results are", () => {
  expect(edgeGateText({ policy: {} })).toBe("off: no ledger of signals yet");
  expect(markdown(reportWith())).toContain("| Edge gate | off: no ledger of signals yet |");
});
