/** A simulated market with planted wallets, for tests. Generated; seeded; nothing here is real. */

import { type Closes, forwardReturn, windowOf } from "#scoring/forward-return";
import { costOf, type Direction, outcomeOf } from "#scoring/outcome";
import type { Bet } from "#scoring/statistics";
import { marketReturn, type Risk, riskGrid, riskOf } from "#scoring/volatility";
import { type Decimal, decimalOf } from "#units/decimal";
import { EventId, sha256 } from "#units/ids";
import { type Horizon, type Instant, instant } from "#units/time";

/** Returns a seeded source of uniform numbers in [0, 1). Source: mulberry32, T. Ettinger, public domain. */
export function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Returns a standard normal number (Box and Muller). */
export const normal = (random: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

export interface Market {
  readonly start: number;
  readonly bars: number;
  readonly assets: readonly string[];
  readonly closes: ReadonlyMap<string, Map<number, Decimal>>;
  /** What an insider of an asset would know: its own shock over the bar after index i. */
  readonly shocks: ReadonlyMap<string, readonly number[]>;
}

export interface MarketOptions {
  readonly seed: number;
  readonly days: number;
  readonly assets: number;
  /** Hourly drift of the market as a fraction. */
  readonly drift: number;
}

export const BAR = 3600;
const HOUR = BAR * 1000;

/** Returns hourly closes of assets that share one factor (0.6 % an hour, β from 0.7 to 1.3) and have their own shocks. */
export function simulateMarket({ seed, days, assets, drift }: MarketOptions): Market {
  const random = uniform(seed);
  const start = Date.UTC(2024, 0, 1);
  const bars = days * 24;
  const names = Array.from({ length: assets }, (_, i) => `A${String(i).padStart(2, "0")}`);
  const factor = Array.from({ length: bars }, () => drift + 0.006 * normal(random));
  const closes = new Map<string, Map<number, Decimal>>();
  const shocks = new Map<string, number[]>();
  for (const name of names) {
    const beta = 0.7 + 0.6 * random();
    const own = Array.from({ length: bars }, () => normal(random));
    let price = 100;
    const series = new Map<number, Decimal>();
    own.forEach((shock, i) => {
      price *= Math.exp(beta * (factor[i] ?? 0) + 0.008 * shock);
      series.set(start + (i + 1) * HOUR, decimalOf(price.toFixed(8)));
    });
    closes.set(name, series);
    shocks.set(name, own);
  }
  return { start, bars, assets: names, closes, shocks };
}

/** A trade of a simulated wallet, observed at the close of bar `bar`. */
export interface Trade {
  readonly id: EventId;
  readonly asset: string;
  readonly bar: number;
  readonly direction: Direction;
}

/**
 * Returns `count` trades whose direction has correlation `ic` with the asset's own shock over the next hour. One in
 * five trades repeats the one before within its hour, as a wallet that splits an order does.
 */
export function simulateTrades(
  market: Market,
  wallet: string,
  count: number,
  ic: number,
  random: () => number,
): Trade[] {
  const weight = ic / Math.sqrt(2 / Math.PI);
  const block = sha256(wallet).slice(0, 8); // ids ascend, as the trades do
  const trades: Trade[] = [];
  while (trades.length < count) {
    const last = trades.at(-1);
    const id = EventId.parse(`${block}-0000-4000-8000-${String(trades.length).padStart(12, "0")}`);
    if (last && random() < 0.2) {
      trades.push({ ...last, id });
      continue;
    }
    const asset = market.assets[Math.floor(random() * market.assets.length)] ?? "A00";
    const bar = 96 + Math.floor(random() * (market.bars - 96 - 26));
    const shock = market.shocks.get(asset)?.[bar + 1] ?? 0;
    const signal = weight * shock + Math.sqrt(1 - weight * weight) * normal(random);
    trades.push({ id, asset, bar, direction: signal >= 0 ? 1 : -1 });
  }
  return trades;
}

/** Returns a function that settles a trade as the desk would: entry at the first close after it, risk from before it. */
export function settler(market: Market, horizon: Horizon): (trade: Trade) => Bet | null {
  const risks = new Map<string, Risk | null>();
  const others = (asset: string): Closes[] =>
    market.assets.filter((a) => a !== asset).map((a) => market.closes.get(a) ?? new Map());
  const settled = new Map<string, Bet | null>();
  return (trade) => {
    const place = `${trade.asset} ${trade.bar} ${trade.direction}`;
    const known = settled.get(place);
    const bet = known === undefined ? settle(trade) : known;
    settled.set(place, bet);
    return bet && { ...bet, eventId: trade.id };
  };
  function settle(trade: Trade): Bet | null {
    const observedAt: Instant = instant(market.start + (trade.bar + 1) * HOUR);
    const window = windowOf(observedAt, horizon, BAR);
    const own = market.closes.get(trade.asset) ?? new Map<number, Decimal>();
    const forward = forwardReturn(own, window);
    const key = `${trade.asset} ${riskGrid(window.enteredAt, BAR).to}`;
    const risk = risks.get(key) ?? riskOf(own, others(trade.asset), window.enteredAt, BAR);
    risks.set(key, risk);
    const reference = marketReturn(others(trade.asset).map((closes) => forwardReturn(closes, window)?.value ?? null));
    if (forward === null || risk === null || reference === null) return null;
    const outcome = outcomeOf(trade.direction, horizon, forward, reference, risk);
    return {
      eventId: trade.id,
      asset: trade.asset,
      enteredAt: outcome.enteredAt,
      excess: outcome.excess,
      cost: costOf(outcome.volatility),
    };
  }
}

/** Returns the probability that a random informed wallet outranks a random uninformed one; ties count half. */
export function auc(ranked: readonly { readonly informed: boolean; readonly score: number }[]): number {
  const sorted = [...ranked].sort((a, b) => a.score - b.score);
  let [below, total, positives] = [0, 0, 0];
  for (let i = 0; i < sorted.length; ) {
    let j = i;
    let [up, down] = [0, 0];
    for (; j < sorted.length && sorted[j]?.score === sorted[i]?.score; j++) sorted[j]?.informed ? up++ : down++;
    total += up * (below + down / 2);
    below += down;
    positives += up;
    i = j;
  }
  return total / (positives * below);
}

/** Returns the share of informed wallets among the `top` best. */
export const precision = (
  ranked: readonly { readonly informed: boolean; readonly score: number }[],
  top: number,
): number =>
  [...ranked]
    .sort((a, b) => b.score - a.score)
    .slice(0, top)
    .filter((wallet) => wallet.informed).length / top;

/** The end of a simulated market. */
export const endOf = (market: Market): Instant => instant(market.start + market.bars * HOUR);
