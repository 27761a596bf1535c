import { expect, test } from "vitest";
import type { Budget } from "../../stacks/budgets.ts";
import { coldLines, overBudget, runLines, tradingLines } from "./print.ts";
import type { SizedBundle } from "./sizes.ts";

const budget: Budget = { kind: "API", bytes: 1024, cpuRatio: 3, readyMs: 100 };
const bundle = (bytes: number): SizedBundle => ({ job: "api/read", directory: "", bytes, budget });
const one = (value: number) => ({ median: value, min: value, max: value });
const starts = (ratio: number | null, readyMs: number) => ({
  empty: { readyMs: one(40), cpuMs: 40 },
  functions: [
    { job: "api/read" as const, bytes: 512, readyMs: one(readyMs), cpuRatio: ratio === null ? null : one(ratio) },
  ],
});

test("bytes and CPU over budget are named; time never is, and unknown CPU neither", () => {
  expect(overBudget([bundle(1024)], starts(3, 9999))).toEqual([]);
  expect(overBudget([bundle(1024)], starts(null, 1))).toEqual([]);
  expect(overBudget([bundle(1025)], null)).toEqual(["api/read has 1.0 KiB, and 1.0 KiB are allowed"]);
  expect(overBudget([bundle(1)], starts(3.5, 1))).toEqual([
    "api/read takes 3.50 times an empty handler's CPU, and 3 are allowed",
  ]);
  const noisy = { ...starts(3.5, 1).functions[0]!, cpuRatio: { median: 3.5, min: 2.9, max: 5 } };
  expect(overBudget([bundle(1)], { ...starts(3.5, 1), functions: [noisy] })).toEqual([]);
});

test("a table of cold starts has each function beside its budget", () => {
  const text = coldLines([bundle(512)], starts(2.5, 80)).join("\n");
  expect(text).toMatch(/an empty handler is ready after 40 .*40 ms of CPU/);
  expect(text).toMatch(/api\/read +0\.5 KiB +1\.0 KiB +2\.50 \(2\.50 to 2\.50\) +3\.0 +80 \(80 to 80\) +100/);
});

test("runs are reported by their middle", () => {
  const run = { blocks: 32, events: 5, deadLetters: 0, cpuSeconds: 1, peakRssMib: 500, yardstickMs: 100, jobs: [] };
  const text = runLines(
    "ingest alone",
    [1, 2, 4].map((seconds) => ({ ...run, seconds: seconds + 9, blockSeconds: seconds })),
  ).join("\n");
  expect(text).toContain("ingest alone: 32 blocks, 5 events, 0 dead letters, 3 runs");
  expect(text).toMatch(/blocks\/s, to the last block +16\.0 \(8\.0 to 32\.0\)/);
  expect(runLines("nothing", [])).toEqual([]);
});

test("figures of trading have their unit beside them, and their ratio to the yardstick of the same run", () => {
  const text = tradingLines({
    yardstickMs: 200,
    reconciles: [{ what: "open orders", count: 1000, statements: 13, requests: 40, ms: [300, 100, 200] }],
    ...{ toPost: [10, 30], toStop: [20] },
    queue: {
      passages: [{ toPost: 50, decisionToPost: 40, postToStop: 20 }],
      throughput: [{ groups: 20, pollers: 4, orders: 60, perSecond: 30 }],
    },
  }).join("\n");
  expect(text).toContain("one yardstick is 200 ms");
  expect(text).toMatch(/statements +requests +ms +yardsticks/);
  expect(text).toMatch(/1000 open orders +13 +40 +200 \(100 to 300\) +1\.00/);
  expect(text).toMatch(/p50 ms +p99 ms +p50 yardsticks +p99 yardsticks/);
  expect(text).toMatch(/approved order to its POST +10\.0 +30\.0 +0\.05 +0\.15/);
  expect(text).toMatch(/decision to POST +40\.0 +40\.0 +0\.20 +0\.20/);
  expect(text).toMatch(/20 message groups +60 +4 +30\.0 +6\.00/);
});
