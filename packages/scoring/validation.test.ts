/** What must hold of the scores, on generated markets: permutation, planted wallets, no look-ahead, market riders. */

import { expect, test } from "vitest";
import {
  auc,
  BAR,
  endOf,
  type Market,
  normal,
  precision,
  settler,
  simulateMarket,
  simulateTrades,
  type Trade,
  uniform,
} from "#testing/simulation";
import { decimalOf } from "#units/decimal";
import { instantOf } from "#units/time";
import { credibilityOf, probabilityOf } from "./credibility.ts";
import { normalCdf, normalOfT } from "./normal.ts";
import { DEFAULT_PRIOR, fitPrior } from "./prior.ts";
import { type Bet, degreesOf, type Statistics, statisticsOf } from "./statistics.ts";

const settled = (market: Market, trades: readonly Trade[]): Bet[] => {
  const settle = settler(market, "1h");
  return trades.map(settle).filter((bet) => bet !== null);
};
const score = (statistics: Statistics | null) => credibilityOf(probabilityOf(statistics, DEFAULT_PRIOR).probability);

test("(1) permuting signs within wallets gives p < .05 in 3.5 to 6.5 % of wallets, p uniform", () => {
  const random = uniform(11);
  const market = simulateMarket({ seed: 3, days: 45, assets: 6, drift: 0.0005 });
  const settle = settler(market, "1h");
  const ps = Array.from({ length: 3000 }, (_, i) => {
    const count = Math.max(5, Math.round(60 * Math.exp(0.6 * normal(random))));
    // Informed trades whose signs are then drawn again for each bet: whatever they knew is gone.
    const flips = new Map<string, 1 | -1>();
    const permuted = simulateTrades(market, `w${i}`, count, 0.2, random).map((trade) => {
      const place = `${trade.asset} ${trade.bar}`;
      const flip = flips.get(place) ?? (random() < 0.5 ? 1 : -1);
      flips.set(place, flip);
      return settle({ ...trade, direction: trade.direction === flip ? 1 : -1 });
    });
    const own = statisticsOf(
      permuted.filter((bet) => bet !== null),
      "1h",
      endOf(market),
    );
    return own ? normalCdf(-normalOfT((own.mean + own.cost) / own.error, degreesOf(own.effectiveBets))) : Number.NaN;
  }).sort((a, b) => a - b);
  const significant = ps.filter((p) => p < 0.05).length / ps.length;
  const distance = Math.max(...ps.map((p, i) => Math.abs(p - (i + 0.5) / ps.length)));
  expect(significant).toBeGreaterThan(0.035);
  expect(significant).toBeLessThan(0.065);
  expect(distance).toBeLessThan(1.63 / Math.sqrt(ps.length)); // 1 % level
});

test.each([
  { ic: 0.1, median: 300, auc: 0.85, precision: 0.46 },
  { ic: 0.2, median: 100, auc: 0.86, precision: 0.58 },
])("(2) planted wallets, IC $ic, median $median events, rank at least as a cluster-t does", (cell) => {
  const random = uniform(7);
  const market = simulateMarket({ seed: 1, days: 45, assets: 6, drift: 0 });
  const settle = settler(market, "1h");
  const wallets = Array.from({ length: 2000 }, (_, i) => {
    const count = Math.max(5, Math.round(cell.median * Math.exp(0.8 * normal(random))));
    const trades = simulateTrades(market, `w${i}`, count, i < 102 ? cell.ic : 0, random);
    const own = statisticsOf(
      trades.map(settle).filter((bet) => bet !== null),
      "1h",
      endOf(market),
    );
    return { informed: i < 102, own };
  });
  const prior = fitPrior(wallets.flatMap(({ own }) => own ?? []));
  const ours = wallets.map(({ informed, own }) => ({ informed, score: probabilityOf(own, prior).probability }));
  const plain = wallets.map(({ informed, own }) => ({
    informed,
    score: own ? (own.mean + own.cost) / own.error : 0,
  }));
  expect(auc(ours)).toBeGreaterThanOrEqual(cell.auc);
  expect(precision(ours, 50)).toBeGreaterThanOrEqual(cell.precision);
  expect(auc(ours)).toBeGreaterThan(auc(plain) - 0.005);
});

test("(3) corrupting every price after T leaves what was settled by T bit-identical", () => {
  const market = simulateMarket({ seed: 5, days: 30, assets: 4, drift: 0 });
  const trades = simulateTrades(market, "w", 300, 0.2, uniform(2));
  const cut = 500;
  const until = market.start + cut * BAR * 1000;
  const noise = uniform(9);
  const closes = new Map(
    [...market.closes].map(([asset, series]) => [
      asset,
      new Map([...series].map(([time, close]) => [time, time > until ? decimalOf(String(1000 * noise() + 1)) : close])),
    ]),
  );
  const before = trades.filter((trade) => trade.bar + 1 + 1 <= cut);
  expect(before.length).toBeGreaterThan(100);
  const bets = settled({ ...market, closes }, before);
  expect(bets).toEqual(settled(market, before));
  const at = instantOf(new Date(until).toISOString());
  expect(statisticsOf(bets, "1h", at)).toEqual(statisticsOf(settled(market, before), "1h", at));
  expect(settled({ ...market, closes }, trades)).not.toEqual(settled(market, trades));
});

test("(4) wallets that only ride the market score 5 ± 0.5 in a bull run", () => {
  const market = simulateMarket({ seed: 8, days: 45, assets: 6, drift: 0.001 }); // + 0.1 % an hour: doubles in a month
  const random = uniform(4);
  const settle = settler(market, "1h");
  const scores = Array.from({ length: 200 }, (_, i) => {
    const trades = simulateTrades(market, `w${i}`, 150, 0, random).map((trade) => ({
      ...trade,
      direction: 1 as const,
    }));
    return score(
      statisticsOf(
        trades.map(settle).filter((bet) => bet !== null),
        "1h",
        endOf(market),
      ),
    );
  });
  const mean = scores.reduce((sum, value) => sum + value, 0) / scores.length;
  const inside = scores.filter((value) => Math.abs(value - 5) <= 0.5).length / scores.length;
  expect(Math.abs(mean - 5)).toBeLessThan(0.25);
  expect(inside).toBeGreaterThan(0.85);
});
