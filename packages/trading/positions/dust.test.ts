import { expect, test } from "vitest";
import { ETH_SWAP } from "#testing/instruments";
import { decimalOf } from "#units/decimal";
import { POLICY, policyFrom } from "../plans/policy.ts";
import { isDust } from "./dust.ts";

test("dust is below the least order and worth at most what the policy says, 5 USD by default", () => {
  const is = (contracts: string, mark: string, policy = POLICY) =>
    isDust(decimalOf(contracts), ETH_SWAP, decimalOf(mark), policy);
  expect([is("0.05", "1000"), is("-0.05", "1000")]).toEqual([true, true]);
  expect(is("0.05", "1000.1", policyFrom({ maxDustUsd: "6" }))).toBe(true);
  expect(is("0.05", "1000", policyFrom({ maxDustUsd: "4.9" }))).toBe(false);
  expect([is("0", "1000"), is("0.1", "1"), is("0.05", "1000.1")]).toEqual([false, false, false]);
});
