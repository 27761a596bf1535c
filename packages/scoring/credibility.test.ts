import fc from "fast-check";
import { expect, test } from "vitest";
import { EventId } from "#units/ids";
import { type Instant, instant, instantOf } from "#units/time";
import { credibilityOf, type Evidence, evidenceOf, overallWinRate, probabilityOf } from "./credibility.ts";
import { normalCdf, normalOfT } from "./normal.ts";
import { DEFAULT_PRIOR, fitPrior } from "./prior.ts";
import { type Bet, statisticsOf } from "./statistics.ts";

const AT: Instant = instantOf("2024-03-01T00:00:00.000Z");
const START = Date.UTC(2024, 1, 1);
const bet = (hour: number, excess: number, asset = "ETH", id = hour): Bet => ({
  eventId: EventId.parse(`00000000-0000-4000-8000-${String(id).padStart(12, "0")}`),
  asset,
  enteredAt: instant(START + hour * 3_600_000),
  excess,
  cost: 0.125,
});
const only = (bets: readonly Bet[]) => ({ "1h": bets, "4h": [], "24h": [] });

const anyBets = fc
  .array(
    fc.record({
      hour: fc.integer({ min: 0, max: 600 }),
      excess: fc.double({ min: -4, max: 4, noNaN: true }),
      asset: fc.constantFrom("ETH", "BTC"),
    }),
    { maxLength: 40 },
  )
  .map((list) => list.map(({ hour, excess, asset }, i) => bet(hour, excess, asset, i)));

test("no evidence gives exactly 5.0, no win rate, and no q", () => {
  const evidence = evidenceOf(only([]), [], AT);
  expect(credibilityOf(evidence["1h"].probability)).toBe(5);
  expect(evidence["1h"]).toMatchObject({ probability: 0.5, edge: 0, bets: 0, t: null, q: null, winRate: null });
  expect(overallWinRate(evidence)).toBeNull();
});

test("ten swaps in one hour are one bet", () => {
  const ten = statisticsOf(
    Array.from({ length: 10 }, (_, i) => bet(5, 1, "ETH", i)),
    "1h",
    AT,
  );
  const one = statisticsOf([bet(5, 1)], "1h", AT);
  expect(ten).toEqual({ ...one, bets: 10 });
  expect(ten?.effectiveBets).toBeCloseTo(1, 12);
});

test("the order of the bets never shows, to the last bit", () => {
  fc.assert(
    fc.property(
      anyBets.chain((bets) => fc.tuple(fc.constant(bets), fc.shuffledSubarray(bets, { minLength: bets.length }))),
      ([bets, shuffled]) => {
        expect(evidenceOf(only(shuffled), [], AT)).toEqual(evidenceOf(only(bets), [], AT));
      },
    ),
  );
});

test("probabilities are probabilities, and a better outcome never lowers one much", () => {
  fc.assert(
    fc.property(anyBets, (bets) => {
      const { probability, edge, winRate } = evidenceOf(only(bets), [], AT)["1h"];
      expect(probability).toBeGreaterThanOrEqual(0);
      expect(probability).toBeLessThanOrEqual(1);
      expect(edge).toBeLessThanOrEqual(probability + 1e-6);
      if (bets.length > 0) expect(winRate).toBeGreaterThan(0);
    }),
  );
});

test("turning every gross outcome round turns the probability round", () => {
  fc.assert(
    fc.property(
      anyBets.filter((bets) => bets.length > 0),
      (bets) => {
        const turned = bets.map((b) => ({ ...b, excess: -(b.excess + b.cost) - b.cost }));
        const [up, down] = [statisticsOf(bets, "1h", AT), statisticsOf(turned, "1h", AT)];
        expect(
          probabilityOf(up, DEFAULT_PRIOR).probability + probabilityOf(down, DEFAULT_PRIOR).probability,
        ).toBeCloseTo(1, 6);
      },
    ),
  );
});

test("right for long is believed, wrong for long is not", () => {
  const of = (mean: number) =>
    credibilityOf(
      evidenceOf(only(Array.from({ length: 200 }, (_, i) => bet(i * 2, mean + (i % 2 ? 1 : -1)))), [], AT)["1h"]
        .probability,
    );
  expect(of(0.4)).toBeGreaterThan(9.5);
  expect(of(-0.1)).toBeGreaterThan(4.8);
  expect(of(-0.1)).toBeLessThan(5.2);
  expect(of(-0.6)).toBeLessThan(0.5);
});

test("old bets fade: half-lives of 30, 60 and 120 days", () => {
  const stats = (horizon: "1h" | "24h") =>
    statisticsOf([bet(0, 2, "ETH", 1), bet(24 * 30, -2, "ETH", 2)], horizon, instant(START + 24 * 30 * 3_600_000));
  expect(stats("1h")?.mean).toBeCloseTo((0.5 * 2 - 2) / 1.5, 9);
  expect(stats("24h")?.mean).toBeCloseTo((0.5 ** 0.25 * 2 - 2) / (0.5 ** 0.25 + 1), 9);
});

test("a fitted prior follows its wallets, and a handful leaves it near the default", () => {
  const peer = (mean: number) => ({ mean: mean - 0.1, cost: 0.1, error: 0.07, effectiveBets: 200 });
  const nothing = fitPrior(Array.from({ length: 300 }, (_, i) => peer(0.07 * ((i % 7) - 3) * 0.5)));
  expect(nothing.share).toBeLessThan(0.05);
  const half = fitPrior(Array.from({ length: 300 }, (_, i) => peer(i % 2 ? 0.5 : 0)));
  expect(half.share).toBeGreaterThan(0.3);
  const few = fitPrior([peer(0.6), peer(0.5)]);
  expect(few.share).toBeLessThan(0.2);
  expect(fitPrior([])).toEqual({ ...DEFAULT_PRIOR, share: expect.closeTo(0.1, 9), spread: expect.closeTo(0.2, 9) });
});

test("q counts the wallets that are at least as good", () => {
  const good = only(Array.from({ length: 200 }, (_, i) => bet(i * 2, 0.6 + (i % 2 ? 1 : -1))));
  const peer: Evidence = evidenceOf(only([bet(0, 0.2)]), [], AT);
  expect(evidenceOf(good, [peer, peer], AT)["1h"].q).toBeLessThan(0.1);
  expect(evidenceOf(only([bet(0, -1)]), [peer, peer], AT)["1h"].q).toBeGreaterThan(0.8);
});

test("the normal distribution and its t are right", () => {
  expect(normalCdf(0)).toBeCloseTo(0.5, 7);
  expect(normalCdf(1.959964)).toBeCloseTo(0.975, 6);
  expect(normalCdf(-3)).toBeCloseTo(0.001349898, 8);
  expect(normalCdf(-normalOfT(2.228, 10))).toBeCloseTo(0.025, 2);
});
