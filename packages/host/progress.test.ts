import { expect, test } from "vitest";
import { instantOf } from "#units/time";
import { openProgress, type RunProgress } from "./progress.ts";

const at = (blocks: number, phase = "blocks"): RunProgress => ({
  phase,
  at: instantOf("2022-06-21T03:12:00.000Z"),
  blocks,
  totalBlocks: 100,
  share: blocks / 100,
  events: 7,
  lagSeconds: 2,
});

function written(isTTY: boolean, columns: number) {
  const texts: string[] = [];
  let time = 0;
  const stream = { isTTY, columns, write: (text: string) => texts.push(text) };
  return { texts, progress: openProgress(stream, () => time), pass: (ms: number) => (time += ms) };
}

test("a terminal gets one line, redrawn at most ten times a second, and a line break at the end", () => {
  const { texts, progress, pass } = written(true, 120);
  for (let blocks = 0; blocks <= 100; blocks += 1) {
    progress.update(at(blocks));
    pass(20);
  }
  progress.done();
  expect(texts.length).toBeLessThan(30);
  expect(texts.slice(0, -1).every((text) => text.startsWith("\r\u001b[K") && !text.includes("\n"))).toBe(true);
  expect(texts.at(-1)).toBe("\n");
  expect(texts.at(-2)).toContain("[####################] 100%  100/100 blocks");
  expect(texts[10]).toMatch(/50\/s {2}7 events {2}2022-06-21 03:12 {2}lag 2\.0 s$/);
});

test("elsewhere a plain line every five seconds and at each new phase", () => {
  const { texts, progress, pass } = written(false, 80);
  for (let blocks = 0; blocks <= 100; blocks += 10) {
    progress.update(at(blocks));
    pass(1000);
  }
  progress.update(at(100, "settling"));
  progress.done();
  expect(texts.map((text) => text.slice(0, 9).trim())).toEqual(["blocks", "blocks", "blocks", "settling", "settling"]);
  for (const text of texts) expect(text).toMatch(/^[\x20-\x7e]+\n$/);
});

test("the bar fits a narrow terminal: what does not fit is left out", () => {
  const { texts, progress } = written(true, 60);
  progress.update(at(50));
  expect((texts[0] ?? "").replace("\r\u001b[K", "").length).toBeLessThan(60);
  expect(texts[0]).toContain("50/100 blocks");
});

test("the time left is what the share done says", () => {
  const { texts, progress, pass } = written(false, 80);
  pass(10_000);
  progress.update(at(50));
  expect(texts[0]).toContain("10 s left");
});

test("nothing is written when nothing was done", () => {
  const { texts, progress } = written(true, 80);
  progress.done();
  expect(texts).toEqual([]);
});
