import * as z from "zod";
import { Candle } from "#units/candle";
import { big, Decimal, fixed, text } from "#units/decimal";
import { barStart, Horizon, Instant, millis } from "#units/time";

/** What a chart is drawn of: [from, to), both in UTC. */
export interface Span {
  readonly from: Instant;
  readonly to: Instant;
}

/** Points of one chart. What is longer is told coarser, and says so. */
export const MOST_POINTS = 5000;

/** Widths of bars and steps, in seconds: a minute to a day. */
export const STEPS = [60, 300, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400] as const;

/** Names of the widths that a chart of prices is asked for. */
export const BARS = { "1m": 60, "5m": 300, "15m": 900, "1h": 3600, "4h": 14_400, "1d": 86_400 } as const;

/**
 * Returns the width in seconds that a span is told in: the least that is no finer than `asked` and makes `MOST_POINTS` at most.
 * A span that is longer than as many days is told in whole days, as wide as it takes.
 */
export function stepFor({ from, to }: Span, asked: number): number {
  const seconds = (millis(to) - millis(from)) / 1000;
  const fits = (step: number): boolean => seconds / step <= MOST_POINTS - 1; // the first may begin before `from`
  const step = STEPS.find((one) => one >= asked && fits(one));
  return step ?? Math.ceil(seconds / 86_400 / (MOST_POINTS - 1)) * 86_400;
}

/** Returns the span with its beginning moved back to a whole step, so that a chart that scrolls keeps its points. */
export const aligned = ({ from, to }: Span, step: number): Span => ({ from: barStart(from, step), to });

const told = {
  from: Instant,
  to: Instant,
  /** Seconds from point to point, and what was asked for. */
  stepSeconds: z.int(),
  askedSeconds: z.int(),
  /** Whether the points are further apart than was asked, because the span is long. */
  isCoarser: z.boolean(),
};

/** Candles of an instrument, ascending. Prices in `priceUnit`, volumes in `volumeUnit`; the last bar may still have been open at `to`. */
export const PriceChart = z.object({
  instrument: z.string(),
  ...told,
  priceUnit: z.literal("USDT"),
  volumeUnit: z.literal("contracts"),
  bars: z.array(Candle),
});
export type PriceChart = z.infer<typeof PriceChart>;

/** The last bias of each step, ascending; a step without one has no point. A value is in (-1, 1), a confidence in [0, 1]. */
export const BiasChart = z.object({
  asset: z.string(),
  timeframe: Horizon,
  ...told,
  points: z.array(z.object({ at: Instant, value: z.number(), confidence: z.number().nullable() })),
});
export type BiasChart = z.infer<typeof BiasChart>;

/** One stored balance of an account. `units` tells deposits from gains: equity per unit is what was earned. */
export interface EquityRow {
  readonly at: Instant;
  readonly equity: Decimal;
  readonly available: Decimal;
  readonly units: Decimal;
}

/** The last balance of each step, ascending. `drawdownPercent` is the fall of equity per unit from its highest point in the chart, 0 or more. */
export const EquityChart = z.object({
  ...told,
  unit: z.literal("USDT"),
  points: z.array(z.object({ at: Instant, equityUsd: Decimal, availableUsd: Decimal, drawdownPercent: Decimal })),
});
export type EquityChart = z.infer<typeof EquityChart>;

/** Returns what every chart says of its span. */
export const chartOf = ({ from, to }: Span, asked: number, step: number) => ({
  ...{ from, to, stepSeconds: step, askedSeconds: asked, isCoarser: step > asked },
});

/** Returns the points of balances, oldest first. A deposit or a withdrawal is no drawdown. */
export function equityPoints(list: readonly EquityRow[]): EquityChart["points"] {
  let peak = big(0);
  return list.map(({ at, equity, available, units }) => {
    const worth = big(equity).div(units);
    if (worth.gt(peak)) peak = worth;
    const fall = peak.gt(0) ? peak.minus(worth).div(peak).times(100) : big(0);
    return { at, equityUsd: equity, availableUsd: available, drawdownPercent: text(fixed(fall, 4)) };
  });
}
