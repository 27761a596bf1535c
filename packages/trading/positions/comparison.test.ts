import { expect, test } from "vitest";
import { decimalOf } from "#units/decimal";
import { instantOf } from "#units/time";
import { POLICY } from "../plans/policy.ts";
import {
  agreesAgain,
  type Comparison,
  compared,
  type Found,
  isBreak,
  isStale,
  isUnseen,
  mayLift,
  runBefore,
} from "./comparison.ts";

const at = (minute: number, second = 0) =>
  instantOf(`2022-06-21T01:${String(minute).padStart(2, "0")}:${String(second).padStart(2, "0")}.000Z`);
const differs = (second: number, over: { readonly theirs?: string; readonly moved?: number } = {}): Found => ({
  ...{ kind: "differs", ours: decimalOf("2"), theirs: decimalOf(over.theirs ?? "1"), seenAt: at(10, second) },
  positionAt: at(over.moved ?? 0),
});
const after = (...found: readonly Found[]): Comparison =>
  found.reduce<Comparison | null>((row, one) => compared(row, "ETH", at(10), one), null) as Comparison;

test.each<[string, readonly Found[], number]>([
  ["three snapshots five seconds apart", [differs(0), differs(5), differs(10)], 3],
  ["three within five seconds are one", [differs(0), differs(2), differs(4)], 1],
  ["the third too soon", [differs(0), differs(5), differs(9)], 2],
  ["another size begins anew", [differs(0), differs(5), differs(10, { theirs: "0" })], 1],
  ["a position that moved begins anew", [differs(0), differs(5, { moved: 9 }), differs(10, { moved: 9 })], 2],
  ["one that agrees ends it", [differs(0), differs(5), { kind: "agrees" }, differs(10)], 1],
  ["an order on its way ends it", [differs(0), differs(5), { kind: "busy" }, differs(10)], 1],
  ["a look that failed proves nothing", [differs(0), differs(5), { kind: "failed" }, differs(10)], 3],
])("a break: %s", (_, found, seen) => {
  expect(after(...found)).toMatchObject({ seen });
  expect(isBreak(after(...found), POLICY)).toBe(seen === 3);
});

const agreeing = (minutes: readonly number[]): Comparison =>
  minutes.reduce<Comparison | null>(
    (row, minute) => compared(row, "ETH", at(minute), { kind: "agrees" }),
    null,
  ) as Comparison;

test("it lifts after ten runs that agree over at least five minutes; the same run twice is one", () => {
  const minutes = Array.from({ length: 10 }, (_, i) => i);
  expect(agreesAgain(agreeing(minutes), at(9), POLICY)).toBe(true);
  expect(agreesAgain(agreeing(minutes.slice(1)), at(9), POLICY)).toBe(false);
  expect(agreesAgain(agreeing([...minutes.slice(1), 9, 9]), at(9), POLICY)).toBe(false);
  expect(agreesAgain({ ...agreeing(minutes), agreedSince: at(5) }, at(9), POLICY)).toBe(false);
  const row = compared(agreeing(minutes), "ETH", at(10), differs(0));
  expect([row.agreed, row.agreedSince]).toEqual([0, null]);
});

test("a cause lifts itself once a day", () => {
  const day = (hours: number) => instantOf(new Date(Date.parse(at(0)) + hours * 3_600_000).toISOString());
  expect(mayLift({ liftedAt: null }, at(0), POLICY)).toBe(true);
  expect(mayLift({ liftedAt: at(0) }, day(23), POLICY)).toBe(false);
  expect(mayLift({ liftedAt: at(0) }, day(24), POLICY)).toBe(true);
});

test("how an instrument stands is not known after three failures in a row, or five minutes of them", () => {
  const failed = (row: Comparison | null, minute: number) => compared(row, "ETH", at(minute), { kind: "failed" });
  const one = failed(agreeing([0]), 1);
  expect([isUnseen(one, at(1), POLICY), isUnseen(one, at(5), POLICY), isUnseen(one, at(6), POLICY)]).toEqual([
    false,
    false,
    true,
  ]);
  expect(failed(one, 1).failures).toBe(1);
  expect(isUnseen(failed(failed(one, 2), 3), at(3), POLICY)).toBe(true);
  expect(isUnseen(agreeing([0]), at(30), POLICY)).toBe(false); // nobody tried: what is opened waits for a comparison anyway
  expect(isUnseen(compared(failed(failed(one, 2), 3), "ETH", at(4), { kind: "agrees" }), at(4), POLICY)).toBe(false);
});

test("a plan sees the comparison before its own instant, and opens nothing on one of three minutes before", () => {
  const row = agreeing([1, 2]);
  expect([runBefore(row, at(3)), runBefore(row, at(2)), row.since]).toEqual([at(2), at(1), at(1)]);
  expect([isStale(null, at(3), 180), isStale(at(0), at(3), 180), isStale(at(0), at(3, 1), 180)]).toEqual([
    true,
    false,
    true,
  ]);
});

test("how often and how long are the policy's to say", () => {
  const twice = {
    ...POLICY,
    breakSnapshots: 2,
    maxUnseenRuns: 1,
    liftRuns: 2,
    liftAfterSeconds: 60,
    liftEverySeconds: 60,
  };
  const row = agreeing([0, 1]);
  expect([isBreak({ seen: 2 }, twice), isBreak({ seen: 1 }, twice)]).toEqual([true, false]);
  expect([agreesAgain(row, at(1), twice), agreesAgain(row, at(0, 59), twice)]).toEqual([true, false]);
  expect([mayLift({ liftedAt: at(0) }, at(1), twice), mayLift({ liftedAt: at(0) }, at(0, 59), twice)]).toEqual([
    true,
    false,
  ]);
  expect(isUnseen({ ...row, failures: 1 }, at(1), twice)).toBe(true);
  const patient = { ...POLICY, maxUnseenSeconds: 600 };
  expect(isUnseen({ ...row, failures: 1 }, at(11), patient)).toBe(false);
  expect(isUnseen({ ...row, failures: 1 }, at(11, 1), patient)).toBe(true);
});
