import { expect, test } from "vitest";
import { instantOf } from "#units/time";
import { policyFrom } from "../plans/policy.ts";
import { type Check, checksAfter, timeOf } from "./checks.ts";

const AT = instantOf("2022-06-21T02:40:00.000Z");
const LOOK = { mode: "demo", instrument: "ETH-USDT-SWAP", at: AT } as const;

/** Returns the seconds after `AT` of each look that follows one which always has something to close. */
function rowOf(seconds: number): number[] {
  const policy = policyFrom({ closeRepeatSeconds: seconds });
  const found: number[] = [];
  for (let [next]: Check[] = checksAfter(LOOK, policy); next !== undefined; ) {
    const at = timeOf(next);
    found.push((Date.parse(at) - Date.parse(AT)) / 1000);
    [next] = checksAfter({ ...next, at }, policy);
  }
  return found;
}

test("a look that had to close at market is followed by one each five seconds, until the next minute's run has looked", () => {
  expect(rowOf(5)).toEqual([5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60]);
  expect(rowOf(25)).toEqual([25, 50, 75]);
  expect(rowOf(60)).toEqual([60]);
});
