import { type Horizon, type Instant, instant, millis } from "#units/time";

/** Seconds after which a contribution counts half: 30 minutes, 2 hours, 12 hours. */
export const HALF_LIFE_SECONDS: Readonly<Record<Horizon, number>> = { "1h": 1800, "4h": 7200, "24h": 43_200 };

/** After this many half-lives a contribution is a millionth of itself and is left out. */
const LIVES = 20;

/** Returns λ per second: the decay of a timeframe is e^(−λ · seconds). */
export const lambdaOf = (timeframe: Horizon): number => Math.LN2 / HALF_LIFE_SECONDS[timeframe];

/** Returns what is left at `to` of a weight of 1 from `from`, in (0, 1]. @throws RangeError when `to` is before `from`. */
export function decayOf(timeframe: Horizon, from: Instant, to: Instant): number {
  const seconds = (millis(to) - millis(from)) / 1000;
  if (seconds < 0) throw new RangeError(`decay backwards: ${from} to ${to}`);
  return Math.exp(-lambdaOf(timeframe) * seconds);
}

/** Returns the oldest time whose contributions still count at `at`. */
export const countsSince = (timeframe: Horizon, at: Instant): Instant =>
  instant(millis(at) - LIVES * HALF_LIFE_SECONDS[timeframe] * 1000);
