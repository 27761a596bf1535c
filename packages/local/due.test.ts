import fc from "fast-check";
import { expect, test } from "vitest";
import { SCHEDULES, schedule } from "#topology/topology";
import { type Instant, instant, instantOf, millis } from "#units/time";
import { dueAfter, ScheduleError } from "./due.ts";

const next = (expression: string, after: Instant): string => instant(dueAfter(expression)(millis(after)));

test("rates are aligned to the epoch and strictly after", () => {
  expect(next("rate(1 minute)", instantOf("2026-03-02T00:00:00.000Z"))).toBe("2026-03-02T00:01:00.000Z");
  expect(next("rate(5 minutes)", instantOf("2026-03-02T00:04:59.999Z"))).toBe("2026-03-02T00:05:00.000Z");
  expect(next("rate(1 day)", instantOf("2026-03-02T00:04:59.999Z"))).toBe("2026-03-03T00:00:00.000Z");
});

test("crons are read in UTC, with EventBridge's six fields", () => {
  expect(next("cron(0 0/4 * * ? *)", instantOf("2026-03-02T00:00:00.000Z"))).toBe("2026-03-02T04:00:00.000Z");
  expect(next("cron(0 0/4 * * ? *)", instantOf("2026-03-02T20:00:01.000Z"))).toBe("2026-03-03T00:00:00.000Z");
  expect(next("cron(15 0 * * ? *)", instantOf("2026-03-02T00:15:00.000Z"))).toBe("2026-03-03T00:15:00.000Z");
  expect(next("cron(0 9 ? * MON *)", instantOf("2026-03-02T10:00:00.000Z"))).toBe("2026-03-09T09:00:00.000Z");
});

test("what is not played here is refused by name", () => {
  for (const expression of [
    "rate(0 minutes)",
    "every minute",
    "cron(0 9 ? * 2 *)",
    "cron(0 9 * * ? 2027)",
    "cron(* * *)",
  ]) {
    expect(() => dueAfter(expression)(0), expression).toThrow(ScheduleError);
  }
});

test("every schedule of the topology is due again and again, always later", () => {
  for (const name of SCHEDULES) {
    const after = dueAfter(schedule(name).every);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000_000_000_000 }), (at) => {
        expect(after(at)).toBeGreaterThan(at);
        expect(after(after(at) - 1)).toBe(after(at));
      }),
    );
  }
});
