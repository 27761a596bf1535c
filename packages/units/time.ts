import * as z from "zod";

/** The horizons a forward return and a credibility are measured on, and the timeframes of a bias. */
export const Horizon = z.enum(["1h", "4h", "24h"]);
export type Horizon = z.infer<typeof Horizon>;
export const HORIZONS: readonly Horizon[] = ["1h", "4h", "24h"];

/** Seconds of each horizon. */
export const HORIZON_SECONDS: Readonly<Record<Horizon, number>> = { "1h": 3600, "4h": 14_400, "24h": 86_400 };

/** An instant as ISO 8601 in UTC with milliseconds, as `Date.toISOString` writes it. It sorts as text. */
export const Instant = z.iso.datetime({ precision: 3 });
export type Instant = string;

/** Returns the instant of `milliseconds` since the epoch. */
export const instant = (milliseconds: number): Instant => new Date(milliseconds).toISOString();

/** Returns milliseconds since the epoch. @throws RangeError when `at` is no ISO 8601 time. */
export function millis(at: Instant | Date): number {
  const ms = typeof at === "string" ? Date.parse(at) : at.getTime();
  if (!Number.isFinite(ms)) throw new RangeError(`not a time: ${String(at)}`);
  return ms;
}

/** Returns the start of the bar of `seconds` that holds `at` (bars are aligned to the epoch). */
export const barStart = (at: Instant, seconds: number): Instant => {
  const width = seconds * 1000;
  return instant(Math.floor(millis(at) / width) * width);
};
