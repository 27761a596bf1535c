import fc from "fast-check";
import { expect, test } from "vitest";
import { barStart, HORIZON_SECONDS, HORIZONS, Horizon, Instant, instant, instantOf, millis } from "./time.ts";

/** The years that ISO 8601 writes with four digits: 0000 to 9999. */
const FIRST = Date.parse("0000-01-01T00:00:00.000Z");
const LAST = Date.parse("9999-12-31T23:59:59.999Z");
const ms = fc.integer({ min: FIRST + 2 * 86_400_000, max: LAST });
const seconds = fc.constantFrom(60, 300, 900, 3600, 14_400, 86_400);

test("an instant and its milliseconds are one and the same", () => {
  fc.assert(
    fc.property(ms, (time) => {
      const at = instant(time);
      expect(millis(at)).toBe(time);
      expect(millis(new Date(time))).toBe(time);
      expect(instant(millis(at))).toBe(at);
      expect(Instant.parse(at)).toBe(at);
      expect(instantOf(at)).toBe(at);
    }),
  );
});

test("instants sort as text as they do in time", () => {
  fc.assert(
    fc.property(ms, ms, (a, b) => {
      expect(instant(a) < instant(b)).toBe(a < b);
    }),
  );
});

test("a bar starts at or before its instant, is aligned to the epoch, and begins where the last one ends", () => {
  fc.assert(
    fc.property(ms, seconds, (time, width) => {
      const start = millis(barStart(instant(time), width));
      expect(start).toBeLessThanOrEqual(time);
      expect(time - start).toBeLessThan(width * 1000);
      expect(Math.abs(start % (width * 1000))).toBe(0);
      expect(barStart(instant(start), width)).toBe(instant(start));
      expect(barStart(instant(start - 1), width)).toBe(instant(start - width * 1000));
    }),
  );
});

test("bars of an hour lie within bars of four, and those within days", () => {
  fc.assert(
    fc.property(ms, (time) => {
      const at = instant(time);
      expect(barStart(barStart(at, 3600), 14_400)).toBe(barStart(at, 14_400));
      expect(barStart(barStart(at, 14_400), 86_400)).toBe(barStart(at, 86_400));
    }),
  );
});

test.each([
  ["2024-02-29T23:59:59.999Z", 86_400, "2024-02-29T00:00:00.000Z"],
  ["2000-02-29T00:00:00.000Z", 3600, "2000-02-29T00:00:00.000Z"],
  ["2024-03-01T00:00:00.000Z", 300, "2024-03-01T00:00:00.000Z"],
  ["2022-06-21T02:31:04.000Z", 300, "2022-06-21T02:30:00.000Z"],
  ["1969-12-31T23:59:59.999Z", 60, "1969-12-31T23:59:00.000Z"],
  ["9999-12-31T23:59:59.999Z", 14_400, "9999-12-31T20:00:00.000Z"],
])("the bar of %s of %i s starts at %s", (at, width, start) => {
  expect(barStart(instantOf(at), width)).toBe(start);
});

test.each([
  "",
  "now",
  "2022-06-21",
  "2022-06-21T00:00:00Z",
  "2022-06-21T00:00:00.000",
  "2022-06-21T00:00:00.000+00:00",
  "2022-06-21T00:00:00.000000Z",
  "2022-06-21 00:00:00.000Z",
  "2022-02-29T00:00:00.000Z",
  "1900-02-29T00:00:00.000Z",
  "2022-13-01T00:00:00.000Z",
  "2022-06-21T24:00:00.000Z",
  "1655769600000",
  "1.5",
])("%j is no instant, and is named", (written) => {
  expect(() => instantOf(written)).toThrow(new RangeError(`not an instant: ${written}`));
  expect(Instant.safeParse(written).success).toBe(false);
});

test("what is no time is named, and no instant is made of it", () => {
  expect(() => millis(new Date("noon"))).toThrow(new RangeError("not a time: Invalid Date"));
  expect(() => instant(Number.NaN)).toThrow(RangeError);
  expect(() => instant(8.64e15 + 1)).toThrow(RangeError);
});

test("the horizons are in order, and as long as they say", () => {
  expect(Horizon.options).toEqual(HORIZONS);
  for (const horizon of HORIZONS) expect(HORIZON_SECONDS[horizon]).toBe(Number(horizon.replace("h", "")) * 3600);
});
