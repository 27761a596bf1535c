import { expect, test } from "vitest";
import { positionWith, reportWith, SCOPE } from "#testing/report";
import { decimalOf, ZERO } from "#units/decimal";
import { instantOf } from "#units/time";
import { markdown } from "./markdown.ts";
import { armingText, edgeGateText } from "./notice.ts";
import { legTexts, stopText, turnoverText } from "./phrase.ts";

const figures = { contracts: decimalOf("120"), size: decimalOf("12"), netUsd: decimalOf("-286.22") };
const atVenue = {
  ...{ trigger: decimalOf("1104.1"), liveAt: instantOf("2022-06-21T02:15:05.400Z"), unprotectedSeconds: 1.38 },
  ...{ ...figures, awayPercent: decimalOf("2.7") },
};
const NONE = { contracts: null, size: null, awayPercent: null, netUsd: null };
const uncovered = decimalOf("120");

test.each([
  [
    { atVenue },
    "stop 1,104.10: 12 ETH (120 contracts), 2.7% from the mark, -286.22 USD net of fee, at the venue since 02:15:05, 1.4 s without one",
  ],
  // Of an earlier release.
  [{ atVenue: { ...atVenue, ...NONE } }, "stop 1,104.10: at the venue since 02:15:05, 1.4 s without one"],
  // It moved toward profit, or a person's is kept: what waits counts, not what was wanted.
  [
    { atVenue: { ...atVenue, ...NONE, trigger: decimalOf("1120") } },
    "stop 1,120.00: at the venue since 02:15:05, 1.4 s without one",
  ],
  [{ atVenue: null, uncovered }, "ALARM: no stop at the venue for 12 ETH, wanted at 1,104.10"],
  [{ atVenue: null, uncovered, stopPrice: null }, "ALARM: no stop at the venue for 12 ETH"],
  [{ atVenue: null }, "ALARM: no stop at the venue for 12 ETH, wanted at 1,104.10"], // nobody knows what is held
  [{ atVenue: null, uncovered: ZERO }, "no stop: it is dust, too small to be closed by an order"],
  [
    { atVenue: { ...atVenue, ...NONE }, uncovered: decimalOf("50") },
    "ALARM: no stop for 50 contracts; stop 1,104.10: at the venue since 02:15:05, 1.4 s without one",
  ],
  [{}, "stop 1,104.10"], // a report of an earlier release
])("the stop of %j", (parts, text) => expect(stopText(positionWith(parts))).toBe(text));

test("a position is told with its stop and its legs, in the report as on a terminal; without one it is an alarm in both", () => {
  const leg = { ...figures, trigger: decimalOf("1150.7"), liveAt: atVenue.liveAt, awayPercent: decimalOf("1.4") };
  const position = positionWith({ atVenue, uncovered: ZERO, legs: [{ ...leg, netUsd: decimalOf("272.69") }] });
  const told = [
    stopText(position),
    "take-profit 1,150.70: 12 ETH (120 contracts), 1.4% from the mark, +272.69 USD net of fee, at the venue since 02:15:05",
  ];
  expect(legTexts(position)).toEqual(told.slice(1));
  for (const line of told) expect(markdown(reportWith({ positions: [position] }))).toContain(`  ${line}  \n`);
  const bare = positionWith({ atVenue: null, uncovered });
  expect(markdown(reportWith({ positions: [bare] }))).toContain("  ALARM: no stop at the venue for 12 ETH, wanted at");
});

test("turnover is said in USD, and as a multiple of equity a day where that is known", () => {
  const orders = { ...reportWith().metrics.orders, turnoverUsd: decimalOf("36123.4"), turnoverADay: 0.2844 };
  expect(turnoverText(orders)).toBe("36.1k USD, 0.28 of equity a day");
  expect(turnoverText({ ...orders, turnoverADay: null })).toBe("36.1k USD");
});

test("that no trade is held against its expected edge is said where the results are", () => {
  expect(edgeGateText({ policy: {} })).toBe("off: no ledger of signals yet");
  expect(markdown(reportWith())).toContain("| Edge gate | off: no ledger of signals yet |");
});

test("a live desk's report says until when it is armed, by whom and up to what, or that it opens nothing; equity is USDT alone", () => {
  const live = { ...SCOPE, mode: "live" } as const;
  const arming = {
    ...{ notAfter: instantOf("2022-06-21T09:30:00.000Z"), by: "anna", problem: null },
    ...{ maxNotionalUsd: decimalOf("5000"), maxDailyLossUsd: decimalOf("50") },
  };
  const until = "until 2022-06-21 09:30 by anna: at most 5000 USD held, 50 USD lost a day";
  expect(armingText({ scope: live, arming })).toBe(until);
  expect(armingText({ scope: live, arming: { ...arming, problem: "it has ended" } })).toBe(
    `no, nothing is opened: it has ended; it says ${until}`,
  );
  expect(armingText({ scope: live, arming: null })).toBe("no: nothing is opened");
  expect(armingText({ scope: SCOPE, arming })).toBeNull();
  expect(markdown({ ...reportWith(), scope: live, arming })).toContain(`| Armed | ${until} |`);
  const demo = markdown(reportWith());
  expect(demo).not.toContain("| Armed |");
  expect(demo).toContain("Equity is USDT alone: a fee in another coin counts at its price, the coin itself does not.");
});
