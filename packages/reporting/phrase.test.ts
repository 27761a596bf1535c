import { expect, test } from "vitest";
import { positionWith } from "#testing/report";
import { decimalOf } from "#units/decimal";
import { instantOf } from "#units/time";
import { stopText } from "./phrase.ts";

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
