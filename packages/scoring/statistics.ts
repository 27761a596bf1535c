import type { EventId } from "#units/ids";
import { HORIZON_SECONDS, type Horizon, type Instant, millis } from "#units/time";

/** Days after which a bet counts half. */
const HALF_LIFE_DAYS: Readonly<Record<Horizon, number>> = { "1h": 30, "4h": 60, "24h": 120 };
/** Outcomes are in standard deviations, so before any is seen their variance is 1: worth this many bets. */
const VARIANCE_PRIOR_BETS = 4;

/** One settled outcome of a wallet on one horizon. */
export interface Bet {
  readonly eventId: EventId;
  readonly asset: string;
  readonly enteredAt: Instant;
  /** Signed, after cost, in standard deviations. */
  readonly excess: number;
  /** What the cost took off, in standard deviations. */
  readonly cost: number;
}

/** Decayed statistics of a wallet's bets on one horizon, after cost. A cluster of bets is one bet. */
export interface Statistics {
  readonly bets: number;
  readonly effectiveBets: number;
  readonly mean: number;
  readonly cost: number;
  /** Standard error of the mean, over clusters, with the variance drawn towards 1. */
  readonly error: number;
  /** Decayed share of clusters that made money after cost, in [0, 1]. */
  readonly wins: number;
}

interface Cluster {
  readonly key: string;
  readonly startedAt: number;
  excess: number;
  cost: number;
  count: number;
}

/**
 * Returns one cluster for each asset and bin of one horizon's length, sorted by key: ten swaps in one hour share their
 * future, so they are one bet.
 */
function clustersOf(bets: readonly Bet[], horizon: Horizon): Cluster[] {
  const width = HORIZON_SECONDS[horizon] * 1000;
  const clusters = new Map<string, Cluster>();
  const sorted = [...bets].sort((a, b) => (a.eventId < b.eventId ? -1 : a.eventId > b.eventId ? 1 : 0));
  for (const bet of sorted) {
    const startedAt = Math.floor(millis(bet.enteredAt) / width) * width;
    const key = `${String(startedAt).padStart(16, "0")} ${bet.asset}`;
    const cluster = clusters.get(key) ?? { key, startedAt, excess: 0, cost: 0, count: 0 };
    cluster.excess += bet.excess;
    cluster.cost += bet.cost;
    cluster.count += 1;
    clusters.set(key, cluster);
  }
  return [...clusters.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
}

/**
 * Returns the decayed statistics of `bets` as of `at`, or null without a bet. Sums run in the order of time bin and
 * asset, so the order of `bets` never shows.
 */
export function statisticsOf(bets: readonly Bet[], horizon: Horizon, at: Instant): Statistics | null {
  if (bets.length === 0) return null;
  const halfLife = HALF_LIFE_DAYS[horizon] * 86_400_000;
  const weighted = clustersOf(bets, horizon).map((cluster) => ({
    weight: Math.exp((-Math.LN2 * Math.max(0, millis(at) - cluster.startedAt)) / halfLife),
    excess: cluster.excess / cluster.count,
    cost: cluster.cost / cluster.count,
  }));
  const sum = (term: (bet: (typeof weighted)[number]) => number) =>
    weighted.reduce((total, bet) => total + term(bet), 0);
  const weight = sum((bet) => bet.weight);
  const effectiveBets = (weight * weight) / sum((bet) => bet.weight * bet.weight);
  const mean = sum((bet) => bet.weight * bet.excess) / weight;
  const variance = sum((bet) => bet.weight * (bet.excess - mean) * (bet.excess - mean)) / weight;
  const pooled = (VARIANCE_PRIOR_BETS + effectiveBets * variance) / degreesOf(effectiveBets);
  return {
    bets: bets.length,
    effectiveBets,
    mean,
    cost: sum((bet) => bet.weight * bet.cost) / weight,
    error: Math.sqrt(pooled / effectiveBets),
    wins: sum((bet) => (bet.excess > 0 ? bet.weight : 0)) / weight,
  };
}

/** Returns the degrees of freedom behind the error of a mean. */
export const degreesOf = (effectiveBets: number): number => VARIANCE_PRIOR_BETS + effectiveBets - 1;

/** Returns the mean of the Beta posterior of the hit rate on the effective bets, from a uniform prior. */
export const winRateOf = (statistics: Pick<Statistics, "wins" | "effectiveBets">): number =>
  (1 + statistics.wins * statistics.effectiveBets) / (2 + statistics.effectiveBets);
