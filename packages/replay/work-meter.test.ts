import { expect, test } from "vitest";
import { workMeter } from "./work-meter.ts";

/** Runs blocks of `blockMs`, one every 12 s, then minutes of `minuteMs`; returns each share beside the true one. */
function run(blocks: number, blockMs: number, minutes: number, minuteMs: number) {
  let time = 0;
  const meter = workMeter(() => time);
  const whole = blocks * blockMs + minutes * minuteMs;
  const shares: { told: number; real: number }[] = [];
  const left = { blocks, minutes };
  const step = (kind: "block" | "minute") => {
    time += kind === "block" ? blockMs : minuteMs;
    left[kind === "block" ? "blocks" : "minutes"] -= 1;
    shares.push({ told: meter.booked(kind, left), real: time / whole });
  };
  for (let block = 1; block <= blocks; block += 1) {
    step("block");
    if (block % 5 === 0) step("minute");
  }
  while (left.minutes > 0) step("minute");
  return { shares, afterBlocks: shares[blocks + Math.floor(blocks / 5) - 1] };
}

test.each([
  ["heavy blocks and an idle day of settling", 32, 5000, 1476, 5],
  ["blocks that cost as much as minutes", 1788, 25, 1830, 25],
  ["a day of settling that is most of the work", 32, 10, 1476, 100],
])("%s: the share is that of the work", (_, blocks, blockMs, minutes, minuteMs) => {
  const { shares, afterBlocks } = run(blocks, blockMs, minutes, minuteMs);
  expect(afterBlocks?.told).toBeCloseTo(afterBlocks?.real ?? 0, 2);
  expect(shares.at(-1)?.told).toBe(1);
  const told = shares.map((share) => share.told);
  expect(told).toEqual(told.toSorted((a, b) => a - b));
});

test("32 of 32 blocks that were 95 % of the work are 95 %, and not 0 % of the time that outcomes take", () => {
  const { afterBlocks } = run(32, 5000, 1476, 5);
  expect(afterBlocks?.told).toBeGreaterThan(0.95);
});

test("a run that has cost no time yet is at nothing", () => {
  expect(workMeter(() => 7).booked("block", { blocks: 1, minutes: 3 })).toBe(0);
});
