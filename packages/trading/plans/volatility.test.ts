import { expect, test } from "vitest";
import type { Candle } from "#units/candle";
import { decimalOf } from "#units/decimal";
import { instant } from "#units/time";
import { volatilityOf } from "./volatility.ts";

const START = Date.parse("2022-06-21T00:00:00.000Z");
const WINDOW = { atrHours: 14, minAtrHours: 4 };

/** Half-hour bars that swing 4 around 1,000, then close where they opened. */
const bars = (hours: number): Candle[] =>
  Array.from({ length: hours * 2 }, (_, i) => ({
    openedAt: instant(START + i * 1_800_000),
    open: decimalOf("1000"),
    high: decimalOf("1002"),
    low: decimalOf("998"),
    close: decimalOf("1000"),
    volume: decimalOf("5"),
  }));
const at = (hours: number) => instant(START + hours * 3_600_000);

test("the mean true range of hours, their volume, and no volatility of a flat close", () => {
  expect(volatilityOf(bars(20), at(20), WINDOW)).toEqual({ atr: "4", daily: 0, hourVolume: "10", hours: 14 });
});

test("a gap between hours counts in the range", () => {
  const [first, second, ...rest] = bars(8) as [Candle, Candle, ...Candle[]];
  const high = {
    ...first,
    open: decimalOf("1010"),
    close: decimalOf("1010"),
    high: decimalOf("1010"),
    low: decimalOf("1010"),
  };
  const found = volatilityOf([high, { ...high, openedAt: second.openedAt }, ...rest], at(8), WINDOW);
  expect(found.atr).toBe("5.142857142857142857"); // (1010 − 998 + 6 · 4) / 7
  expect(found.daily).toBeGreaterThan(0);
});

test("an hour under way does not count, and too few hours give nothing", () => {
  expect(volatilityOf(bars(5), instant(Date.parse(at(4)) + 1_800_000), WINDOW).hours).toBe(3);
  expect(volatilityOf(bars(4), at(4), WINDOW)).toMatchObject({ atr: null, daily: null });
  expect(volatilityOf([], at(4), WINDOW)).toEqual({ atr: null, daily: null, hourVolume: "0", hours: 0 });
});

test("the volatility of a day is that of the hours' log returns, and the newest hour's volume is its own", () => {
  const closes = [1000, 1010, 1000, 1010, 1020];
  const hours = bars(5).flatMap((bar, i) => {
    const close = decimalOf(String(closes[Math.floor(i / 2)]));
    return { ...bar, open: close, high: close, low: close, close, volume: decimalOf(String(i)) };
  });
  const { atr, daily, hourVolume } = volatilityOf(hours, at(5), WINDOW); // four returns: as few as there may be
  expect([atr, hourVolume]).toEqual(["10", "17"]);
  expect(daily).toBeCloseTo(0.048666949, 9); // √24 · the sample deviation of ln 1.01, −ln 1.01, ln 1.01, ln (102 / 101)
});
