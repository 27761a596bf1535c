import { expect, test } from "vitest";
import { ETH_SWAP } from "#testing/instruments";
import { decimalOf } from "#units/decimal";
import { isDust } from "./dust.ts";

test("dust is below the least order and worth at most 5 USD", () => {
  const is = (contracts: string, mark: string) => isDust(decimalOf(contracts), ETH_SWAP, decimalOf(mark));
  expect([is("0.05", "1000"), is("-0.05", "1000")]).toEqual([true, true]);
  expect([is("0", "1000"), is("0.1", "1"), is("0.05", "1000.1")]).toEqual([false, false, false]);
});
