import { expect, test } from "vitest";
import { instant, instantOf, millis } from "#units/time";
import { POLICY } from "../plans/policy.ts";
import { sweepOf } from "./claim-look.ts";

const DECIDED = instantOf("2022-06-21T03:00:00.000Z");

test.each([
  ["ioc", 29, "wait"],
  ["ioc", 30, "resend"],
  ["ioc", 120, "wait"],
  ["ioc", 121, "void"],
  ["stop", 30, "wait"],
  ["stop", 120, "wait"],
  ["stop", 121, "void"],
  ["take_profit", 121, "void"],
] as const)("an approved %s that nobody claimed for %i s: %s", (type, seconds, act) => {
  const at = instant(millis(DECIDED) + seconds * 1000);
  expect(sweepOf({ type, decidedAt: DECIDED }, at, POLICY)).toBe(act);
});
