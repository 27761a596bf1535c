import { expect, test } from "vitest";
import { instantOf } from "#units/time";
import { periodAt } from "./period.ts";

test.each([
  ["2022-06-21T04:00:00.000Z", "4h", "2022-06-21T00:00:00.000Z", "2022-06-21T04:00:00.000Z"],
  ["2022-06-21T04:00:59.000Z", "4h", "2022-06-21T00:00:00.000Z", "2022-06-21T04:00:00.000Z"],
  ["2022-06-21T00:00:00.000Z", "4h", "2022-06-20T20:00:00.000Z", "2022-06-21T00:00:00.000Z"],
  ["2022-06-21T05:31:00.000Z", "partial", "2022-06-21T04:00:00.000Z", "2022-06-21T05:31:00.000Z"],
])("at %s: %s from %s to %s", (at, type, start, end) => {
  expect(periodAt(instantOf(at))).toEqual({ type, start, end });
});
