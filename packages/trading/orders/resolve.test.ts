import { expect, test } from "vitest";
import { type Instant, instant } from "#units/time";
import { POLICY } from "../plans/policy.ts";
import { awaitsLook, GRACE_MS, type Look, resolve } from "./resolve.ts";

const EXPIRES = Date.parse("2022-06-21T00:00:04.000Z");
/** Milliseconds after the deadline and its grace. */
const at = (ms: number) => instant(EXPIRES + GRACE_MS + ms);
const missing = (ms: number): Look => ({ at: at(ms), outcome: "missing" });
const after = (ms: number, looks: Look[] = [], hasFill = false, policy = POLICY) =>
  resolve({ expiresAt: instant(EXPIRES), now: at(ms), looks, hasFill }, policy);

test("nothing is decided before the deadline and its grace", () => {
  expect(after(-1)).toBe("wait");
  expect(after(0)).toBe("wait");
  expect(after(1)).toBe("look");
  expect(after(5000, [missing(-3000), missing(-2000), missing(-1000)])).toBe("look");
});

test("found or filled is adopted at once, whatever was missed before", () => {
  expect(after(-3000, [{ at: at(-4000), outcome: "found" }])).toBe("adopt");
  expect(after(9000, [missing(1), missing(2000), missing(4000)], true)).toBe("adopt");
});

test("three spaced absences after the deadline expire it", () => {
  expect(after(1001, [missing(1)])).toBe("look");
  expect(after(500, [missing(1)])).toBe("wait");
  expect(after(9000, [missing(1), missing(1500), missing(3000)])).toBe("expire");
  expect(after(9000, [missing(3000), missing(1), missing(1500)])).toBe("expire");
  expect(after(9000, [missing(1), missing(2), missing(3)])).toBe("look");
  expect(after(9000, [missing(1), missing(1001), missing(2001)])).toBe("expire");
  expect(after(9000, [missing(1), missing(1000), missing(2001)])).toBe("look");
  expect(after(9000, [missing(0), missing(1500), missing(3000)])).toBe("look");
});

test("a failed look proves nothing, and too long without an answer needs a person", () => {
  const failed = [1, 2000, 4000, 6000].map((ms): Look => ({ at: at(ms), outcome: "failed" }));
  expect(after(9000, failed)).toBe("look");
  expect(after(900_000, failed)).toBe("look");
  expect(after(900_001, failed)).toBe("quarantine");
  expect(after(60_000, failed, false, { ...POLICY, quarantineSeconds: 60 })).toBe("look");
  expect(after(60_001, failed, false, { ...POLICY, quarantineSeconds: 60 })).toBe("quarantine");
  expect(resolve({ expiresAt: null, now: at(0), looks: [], hasFill: false }, POLICY)).toBe("quarantine");
});

test("an unknown order is worth another look once its deadline and grace are over", () => {
  const awaits = (ms: number, status: "unknown" | "open" = "unknown", expiresAt: Instant | null = instant(EXPIRES)) =>
    awaitsLook({ status, expiresAt }, at(ms));
  expect([awaits(0), awaits(1), awaits(1, "open"), awaits(1, "unknown", null)]).toEqual([false, true, false, false]);
});
