import { expect, test } from "vitest";
import { decimalOf } from "#units/decimal";
import { instantOf, millis } from "#units/time";
import { type Closes, forwardReturn, windowOf } from "./forward-return.ts";

const at = (time: string) => instantOf(`2024-01-01T${time}.000Z`);
const closes = (entries: Record<string, string>): Closes =>
  new Map(Object.entries(entries).map(([time, close]) => [millis(at(time)), decimalOf(close)]));

test.each([
  ["inside a bar", "10:00:30", 0, "10:01:00", "11:01:00"],
  ["on a close", "10:01:00", 0, "10:01:00", "11:01:00"],
  ["with a delay", "10:00:30", 60, "10:02:00", "11:02:00"],
])("enters at the first close known after observation: %s", (_, observed, delay, enter, exit) => {
  expect(windowOf(at(observed), "1h", 60, delay)).toEqual({ enteredAt: at(enter), exitedAt: at(exit) });
});

test("a bar longer than the horizon still leaves at a close", () => {
  expect(windowOf(at("10:10:00"), "1h", 14_400).exitedAt).toBe(at("16:00:00"));
});

test("returns the move between the two closes", () => {
  const window = windowOf(at("10:00:30"), "1h", 60);
  const found = forwardReturn(closes({ "10:01:00": "100", "11:01:00": "101.5" }), window);
  expect(found).toMatchObject({ entryPrice: "100", exitPrice: "101.5" });
  expect(found?.value).toBeCloseTo(0.015, 12);
});

test("a missing bar at either end is null, whatever its neighbours say", () => {
  const window = windowOf(at("10:00:30"), "1h", 60);
  expect(forwardReturn(closes({ "10:00:00": "100", "10:02:00": "100", "11:01:00": "101" }), window)).toBeNull();
  expect(forwardReturn(closes({ "10:01:00": "100", "11:00:00": "101", "11:02:00": "101" }), window)).toBeNull();
});
