import * as z from "zod";

/** The horizons a forward return and a credibility are measured on, and the timeframes of a bias. */
export const Horizon = z.enum(["1h", "4h", "24h"]);
export type Horizon = z.infer<typeof Horizon>;
export const HORIZONS: readonly Horizon[] = ["1h", "4h", "24h"];

/** Seconds of each horizon. */
export const HORIZON_SECONDS: Readonly<Record<Horizon, number>> = { "1h": 3600, "4h": 14_400, "24h": 86_400 };

/**
 * An instant as ISO 8601 in UTC with milliseconds, as `Date.toISOString` writes it. It sorts as text. A brand: made only
 * by this schema and the functions of this file, so that no other text stands where a time is wanted.
 */
export const Instant = z.iso.datetime({ precision: 3 }).brand<"Instant">();
export type Instant = z.infer<typeof Instant>;

/** Returns the instant of `milliseconds` since the epoch. */
export const instant = (milliseconds: number): Instant => new Date(milliseconds).toISOString() as Instant;

/**
 * Returns `written` as an `Instant`, as it is. @throws RangeError for any other way to write a time: no milliseconds, an
 * offset, a day that is none.
 */
export function instantOf(written: string): Instant {
  if (!Instant.safeParse(written).success) throw new RangeError(`not an instant: ${written}`);
  return written as Instant;
}

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
