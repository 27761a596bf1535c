import { HORIZON_SECONDS, type Horizon, type Instant, instant, millis } from "#units/time";
import type { Closes } from "./forward-return.ts";

/** How far back risk is measured, in seconds: three days of crypto, which trades around the clock. */
const LOOKBACK_SECONDS = 3 * 86_400;
/** Returns are taken over steps of this length, or of one bar where bars are longer. */
const STEP_SECONDS = 900;
/** Fewer returns than this (five hours of steps) say nothing about risk. */
const MIN_RETURNS = 20;
/** Weight of the prior β = 1, in returns. */
const BETA_PRIOR_RETURNS = 60;

/** Risk of an asset against the market, from closed bars alone. */
export interface Risk {
  /** Slope of the asset's return on the market's, shrunk to 1. 0 when the desk follows no other asset. */
  readonly beta: number;
  /** Standard deviation of return − β · market return over one step, about zero. */
  readonly residual: number;
  readonly stepSeconds: number;
  readonly returns: number;
}

/** Returns the length of the steps risk is measured on: a multiple of the bar. */
export const riskStep = (barSeconds: number): number => Math.ceil(STEP_SECONDS / barSeconds) * barSeconds;

/**
 * Returns the times whose closes `riskOf` reads for a bet entered at `enteredAt`: every step, aligned to the epoch,
 * ascending, the last at or before entry less one bar, so that nothing known only at entry is used.
 */
export function riskGrid(enteredAt: Instant, barSeconds: number): { readonly from: Instant; readonly to: Instant } {
  const width = riskStep(barSeconds) * 1000;
  const to = Math.floor((millis(enteredAt) - barSeconds * 1000) / width) * width;
  return { from: instant(to - LOOKBACK_SECONDS * 1000), to: instant(to) };
}

const step = (closes: Closes, from: number, to: number): number | null => {
  const [before, after] = [closes.get(from), closes.get(to)];
  return before === undefined || after === undefined ? null : Number(after) / Number(before) - 1;
};

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * Returns the mean of the other assets' returns over the same time: the market an asset is compared with. Null when one
 * of them is missing; 0 when there is no other asset.
 */
export function marketReturn(others: readonly (number | null)[]): number | null {
  const known = others.filter((value) => value !== null);
  if (known.length < others.length) return null;
  return known.length === 0 ? 0 : mean(known);
}

/**
 * Returns the risk of an asset before a bet entered at `enteredAt`, or null with fewer than 20 complete steps in three
 * days, or when the price never moved. The market is the equal-weighted mean of the *other* followed assets: an index
 * that holds the asset itself would take half of its own news away. Steps with a gap in any series are skipped.
 */
export function riskOf(asset: Closes, others: readonly Closes[], enteredAt: Instant, barSeconds: number): Risk | null {
  const grid = riskGrid(enteredAt, barSeconds);
  const width = riskStep(barSeconds) * 1000;
  const own: number[] = [];
  const market: number[] = [];
  for (let to = millis(grid.from) + width; to <= millis(grid.to); to += width) {
    const a = step(asset, to - width, to);
    const m = marketReturn(others.map((other) => step(other, to - width, to)));
    if (a === null || m === null) continue;
    own.push(a);
    market.push(m);
  }
  const returns = own.length;
  if (returns < MIN_RETURNS) return null;
  const beta = others.length === 0 ? 0 : shrunkBeta(own, market);
  const squares = own.reduce((sum, a, i) => sum + (a - beta * (market[i] ?? 0)) ** 2, 0);
  const residual = Math.sqrt(squares / returns);
  return residual > 0 ? { beta, residual, stepSeconds: width / 1000, returns } : null;
}

function shrunkBeta(own: readonly number[], market: readonly number[]): number {
  const [a, m] = [mean(own), mean(market)];
  const covariance = own.reduce((sum, value, i) => sum + (value - a) * ((market[i] ?? 0) - m), 0);
  const variance = market.reduce((sum, value) => sum + (value - m) ** 2, 0);
  const slope = variance > 0 ? covariance / variance : 1;
  return (own.length * slope + BETA_PRIOR_RETURNS) / (own.length + BETA_PRIOR_RETURNS);
}

/** Returns the standard deviation of the residual return over a horizon: the step's, scaled by the root of time. */
export const volatilityOver = (risk: Risk, horizon: Horizon): number =>
  risk.residual * Math.sqrt(HORIZON_SECONDS[horizon] / risk.stepSeconds);
