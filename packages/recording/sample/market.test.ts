import fc from "fast-check";
import { expect, test } from "vitest";
import { millis } from "#units/time";
import { ASSETS, BAR_SECONDS, simulateMarket } from "./market.ts";

const DAY = 86_400_000;
const FROM = Date.parse("2026-03-01T00:00:00Z");
const market = simulateMarket("laws", FROM, FROM + 12 * DAY);
const seeds = fc.string({ minLength: 1, maxLength: 12 });
const DIGITS: Readonly<Record<string, number>> = { AAVE: 2, BTC: 1, ETH: 2, LINK: 3, UNI: 3 };

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const deviation = (values: readonly number[]) => {
  const middle = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - middle) ** 2)));
};

test("bars follow each other, hold open and close between low and high, and stand on the tick", () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const short = simulateMarket(seed, FROM, FROM + DAY / 12);
      for (const asset of ASSETS) {
        const bars = short.bars(asset);
        expect(bars).toHaveLength(24);
        bars.forEach((bar, index) => {
          const [open, high, low, close] = [bar.open, bar.high, bar.low, bar.close].map(Number);
          expect(millis(bar.openedAt)).toBe(FROM + index * BAR_SECONDS * 1000);
          expect(low).toBeGreaterThan(0);
          expect(low).toBeLessThanOrEqual(Math.min(open ?? 0, close ?? 0));
          expect(high).toBeGreaterThanOrEqual(Math.max(open ?? 0, close ?? 0));
          if (index > 0) expect(bar.open).toBe(bars[index - 1]?.close);
          const decimals = [bar.open, bar.high, bar.low, bar.close].map((price) => price.split(".")[1]?.length ?? 0);
          expect(Math.max(...decimals)).toBeLessThanOrEqual(DIGITS[asset] ?? 0);
        });
      }
    }),
    { numRuns: 20 },
  );
});

test("a seed gives one market, and another seed another", () => {
  const closes = (seed: string) =>
    simulateMarket(seed, FROM, FROM + DAY / 24)
      .bars("ETH")
      .map(({ close }) => close);
  expect(closes("a")).toEqual(closes("a"));
  expect(closes("a")).not.toEqual(closes("b"));
  // Written down once: these digits must come out on every machine.
  expect(closes("a").slice(0, 3)).toEqual(["3117.39", "3118.34", "3109.84"]);
});

test("a longer market begins with the same prices", () => {
  const short = simulateMarket("a", FROM, FROM + DAY / 24);
  const long = simulateMarket("a", FROM, FROM + DAY / 4);
  for (const asset of ASSETS) {
    expect(long.price(asset, FROM + DAY / 24)).toBe(short.price(asset, FROM + DAY / 24));
  }
});

test("a bar closes at the price of that minute", () => {
  for (const asset of ASSETS) {
    for (const bar of market.bars(asset).slice(0, 50)) {
      const price = market.price(asset, millis(bar.openedAt) + BAR_SECONDS * 1000);
      expect(Math.abs(Number(bar.close) - price)).toBeLessThanOrEqual(0.5 / 10 ** (DIGITS[asset] ?? 0) + 1e-9);
    }
  }
});

test("a price outside the market's time, or of another asset, is refused", () => {
  expect(() => market.price("ETH", FROM - 1)).toThrow(RangeError);
  expect(() => market.price("ETH", FROM + 12 * DAY + 1)).toThrow(RangeError);
  expect(() => market.price("DOGE", FROM)).toThrow(RangeError);
});

test("the edge is in standard deviations on each horizon, without drift", () => {
  for (const hours of [1, 4]) {
    const ms = hours * 3_600_000;
    const edges = ASSETS.flatMap((asset) =>
      Array.from({ length: Math.floor((12 * DAY) / ms) }, (_, index) => market.edge(asset, FROM + index * ms, ms)),
    );
    expect(Math.abs(mean(edges))).toBeLessThan(0.15);
    expect(deviation(edges)).toBeGreaterThan(0.85);
    expect(deviation(edges)).toBeLessThan(1.15);
  }
});

test("assets move together, with heavier tails than a normal law", () => {
  const returns = (asset: string) => market.bars(asset).map(({ open, close }) => Number(close) / Number(open) - 1);
  const [eth, btc] = [returns("ETH"), returns("BTC")];
  const together = mean(eth.map((value, index) => value * (btc[index] ?? 0))) / (deviation(eth) * deviation(btc));
  expect(together).toBeGreaterThan(0.35);
  expect(together).toBeLessThan(0.8);
  const scale = deviation(eth);
  const kurtosis = mean(eth.map((value) => (value / scale) ** 4));
  expect(kurtosis).toBeGreaterThan(3.3);
});
