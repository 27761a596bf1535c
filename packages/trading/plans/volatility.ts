import type { Candle } from "#units/candle";
import { type Big, big, type Decimal, fixed, text } from "#units/decimal";
import { barStart, type Instant } from "#units/time";

export interface Volatility {
  /** Mean true range of the last complete hours, in quote; null with fewer than `minHours` hours. */
  readonly atr: Decimal | null;
  /** Standard deviation of hourly log returns, scaled to a day; null with fewer than `minHours` hours. */
  readonly daily: number | null;
  /** Volume of the newest complete hour, in the venue's unit; "0" without one. */
  readonly hourVolume: Decimal;
  readonly hours: number;
}

interface Hour {
  readonly at: Instant;
  readonly high: Big;
  readonly low: Big;
  readonly close: Big;
  readonly volume: Big;
}

/** Folds ascending bars into hours. The newest hour counts only when a bar of the next one has opened, or it is full. */
function hoursOf(candles: readonly Candle[], until: Instant): Hour[] {
  const hours: Hour[] = [];
  for (const candle of candles) {
    const at = barStart(candle.openedAt, 3600);
    const last = hours.at(-1);
    const high = big(candle.high);
    const low = big(candle.low);
    const volume = big(candle.volume);
    if (last?.at !== at) hours.push({ at, high, low, close: big(candle.close), volume });
    else
      hours[hours.length - 1] = {
        at,
        high: high.gt(last.high) ? high : last.high,
        low: low.lt(last.low) ? low : last.low,
        close: big(candle.close),
        volume: last.volume.plus(volume),
      };
  }
  return hours.filter((hour) => hour.at < barStart(until, 3600));
}

/**
 * Returns the hourly volatility of `candles` (ascending, any bar up to an hour, all closed at `until`) over the last
 * `atrHours` hours complete at `until`. The first hour gives only its close.
 * Source: Wilder, New Concepts in Technical Trading Systems (true range), here with a plain mean.
 */
export function volatilityOf(
  candles: readonly Candle[],
  until: Instant,
  { atrHours, minAtrHours }: { readonly atrHours: number; readonly minAtrHours: number },
): Volatility {
  const hours = hoursOf(candles, until).slice(-(atrHours + 1));
  const ranges: Big[] = [];
  const returns: number[] = [];
  for (let i = 1; i < hours.length; i++) {
    const [before, hour] = [hours[i - 1], hours[i]];
    if (!before || !hour) continue;
    const high = hour.high.gt(before.close) ? hour.high : before.close;
    const low = hour.low.lt(before.close) ? hour.low : before.close;
    ranges.push(high.minus(low));
    returns.push(Math.log(Number(hour.close.div(before.close).toFixed(18))));
  }
  const hourVolume = text(hours.at(-1)?.volume ?? big(0));
  if (ranges.length < minAtrHours) return { atr: null, daily: null, hourVolume, hours: ranges.length };
  const sum = ranges.reduce((total, range) => total.plus(range), big(0));
  const mean = returns.reduce((total, r) => total + r, 0) / returns.length;
  const variance = returns.reduce((total, r) => total + (r - mean) ** 2, 0) / (returns.length - 1);
  return {
    atr: text(fixed(sum.div(ranges.length), 18)),
    daily: Math.sqrt(variance * 24),
    hourVolume,
    hours: ranges.length,
  };
}
