import { expect, test } from "vitest";
import { whyOf } from "./why.ts";

const SNAPSHOT = {
  bias: { value: 0.4, confidence: 0.7, timeframe: "4h" },
  credibility: 7.2,
  sizing: { s: 0.3, bounds: { risk: "12.5", leverage: "90", liquidity: "12.50" } },
  codes: ["cooldown"],
};

test("the bound that set the size is the smallest, compared as a number", () => {
  expect(whyOf(SNAPSHOT)).toEqual({
    bias: 0.4,
    confidence: 0.7,
    credibility: 7.2,
    signal: 0.3,
    bound: ["liquidity", "risk"],
    denied: ["cooldown"],
  });
});

test("an order without a snapshot has no reasons", () => {
  expect(whyOf(null)).toMatchObject({ bias: null, bound: [], denied: [] });
});

test("a snapshot of another shape is an error, not a blank", () => {
  expect(() => whyOf({ bias: 1 })).toThrow();
});
