import { expect, test } from "vitest";
import { decisionOf, whyOf } from "./why.ts";

const SNAPSHOT = {
  bias: { value: 0.4, confidence: 0.7, timeframe: "4h" },
  credibility: 7.2,
  sizing: { s: 0.3, bounds: { risk: "12.5", leverage: "90", liquidity: "12.50" } },
  codes: ["cooldown"],
};

test("the bound that set the size is the smallest, compared as a number", () => {
  expect(whyOf(decisionOf(SNAPSHOT), null)).toEqual({
    bias: 0.4,
    confidence: 0.7,
    credibility: 7.2,
    signal: 0.3,
    bound: ["liquidity", "risk"],
    denied: ["cooldown"],
    ...{ trigger: null, signalBefore: null, policy: null },
  });
});

test("an order without a snapshot has no reasons", () => {
  const policy = { version: "1", hash: "ab" };
  expect(whyOf(null, { signal: 0.4, policy })).toMatchObject({
    bias: null,
    bound: [],
    denied: [],
    trigger: null,
    policy,
  });
});

test("a decision keeps the threshold that it crossed, and its own policy before that of the order before it", () => {
  const trigger = { crossed: "enter", value: 0.3, threshold: 0.25 } as const;
  const own = { ...SNAPSHOT, trigger, policy_hash: "cd", policy_version: "2" };
  expect(whyOf(decisionOf(own), { signal: -0.1, policy: { version: "1", hash: "ab" } })).toMatchObject({
    ...{ trigger, signalBefore: -0.1, policy: { version: "2", hash: "cd" } },
  });
});

test("a snapshot of another shape is an error, not a blank", () => {
  expect(() => decisionOf({ bias: 1 })).toThrow();
});
