import { expect, test } from "vitest";
import { archetypeOf, type Behaviour, isUndirected } from "./archetype.ts";

const quiet: Behaviour = {
  labels: [],
  events: 0,
  transactions: 0,
  counterparties: 0,
  inflowUsd: 0,
  outflowUsd: 0,
  netSwapUsd: 0,
  signedSwapUsd: 0,
  grossSwapUsd: 0,
  swaps: 0,
  roundTrips: 0,
  bridgeUsd: 0,
  yieldUsd: 0,
  grossUsd: 0,
};

test.each<[string, Partial<Behaviour>, string]>([
  ["nothing known", {}, "unknown"],
  ["labelled exchange", { labels: ["binance 14", "cex"] }, "exchange"],
  [
    "many counterparties, balanced",
    { counterparties: 1500, inflowUsd: 9e6, outflowUsd: 8e6, events: 4000 },
    "exchange",
  ],
  ["undone within a block", { swaps: 40, roundTrips: 30, grossSwapUsd: 4e6, netSwapUsd: 0 }, "mev"],
  ["flat over many swaps", { swaps: 300, grossSwapUsd: 4e6, netSwapUsd: 1e5 }, "market_maker"],
  ["buys", { swaps: 12, grossSwapUsd: 4e6, netSwapUsd: 3e6, signedSwapUsd: 3e6 }, "accumulator"],
  ["sells", { swaps: 12, grossSwapUsd: 4e6, netSwapUsd: 3e6, signedSwapUsd: -3e6 }, "distributor"],
  ["too few swaps to lean", { swaps: 3, grossSwapUsd: 4e6, netSwapUsd: 4e6, signedSwapUsd: 4e6 }, "unknown"],
  ["bridges", { bridgeUsd: 4e5, grossUsd: 1e6, events: 40, transactions: 40 }, "bridge_user"],
  ["stakes", { yieldUsd: 6e5, grossUsd: 1e6, events: 40, transactions: 40 }, "staker"],
])("%s", (_, behaviour, expected) => {
  const guess = archetypeOf({ ...quiet, ...behaviour });
  expect(guess.archetype).toBe(expected);
  expect(Object.values(guess.probabilities).reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 4);
});

test("acting for others or flat by trade is undirected", () => {
  expect(["exchange", "mev", "market_maker", "accumulator", "unknown"].filter((a) => isUndirected(a as "mev"))).toEqual(
    ["exchange", "mev", "market_maker"],
  );
});
