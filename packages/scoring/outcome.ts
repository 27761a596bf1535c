import type { Decimal } from "#units/decimal";
import type { Horizon, Instant } from "#units/time";
import type { ForwardReturn } from "./forward-return.ts";
import { type Risk, volatilityOver } from "./volatility.ts";

/** Round trip as a taker on OKX swaps, as a fraction of notional: 0.05 % in and out. Source: OKX fee schedule, regular users. */
export const ROUND_TRIP_COST = 0.001;
/** An outcome counts at most this many standard deviations: one crash is not a track record. */
const WINSOR = 4;

export type Direction = -1 | 1;

/** How one bet turned out; the row of `wallet_outcomes` without its keys. */
export interface Outcome {
  readonly enteredAt: Instant;
  readonly entryPrice: Decimal;
  readonly exitPrice: Decimal;
  readonly forwardReturn: number;
  readonly marketReturn: number;
  readonly beta: number;
  /** Standard deviation of the return that is left after β · market, over the horizon. */
  readonly volatility: number;
  /** direction · (forward return − β · market return) / volatility, less the cost, within ±4. */
  readonly excess: number;
}

/**
 * Returns what following one event came to: the return in its direction beyond the market's, after cost, in standard
 * deviations. `market` is the return of the other assets over the same window.
 */
export function outcomeOf(
  direction: Direction,
  horizon: Horizon,
  own: ForwardReturn,
  market: number,
  risk: Risk,
): Outcome {
  const volatility = volatilityOver(risk, horizon);
  const raw = (direction * (own.value - risk.beta * market) - ROUND_TRIP_COST) / volatility;
  return {
    enteredAt: own.enteredAt,
    entryPrice: own.entryPrice,
    exitPrice: own.exitPrice,
    forwardReturn: own.value,
    marketReturn: market,
    beta: risk.beta,
    volatility,
    excess: Math.min(WINSOR, Math.max(-WINSOR, raw)),
  };
}

/** Returns the cost of a bet in its own standard deviations: what a bet without any edge loses on average. */
export const costOf = (volatility: number): number => ROUND_TRIP_COST / volatility;
