import { expect, test } from "vitest";
import { seldom } from "./check.ts";
import { ACTS, DOORS, FAULTS, READS, WRITES } from "./schedule.ts";

const point = (what: string, weight: number) => ({ job: "submit-order", what, moment: "before", weight }) as const;
const POINTS = [point("books.claim", 10), point("POST trade/order", 20), point("queue.again", 900)];
const NAMES = [
  ...ACTS.map((act) => `act: ${act}`),
  ...DOORS.map((door) => `door: ${door}`),
  ...[...FAULTS.read, ...FAULTS.write].map((kind) => `reply: ${kind}`),
  ...READS.map((path) => `request: GET ${path}`),
  ...WRITES.map((path) => `request: POST ${path}`),
  ...["dies: submit-order at books.claim", "dies: submit-order at POST trade/order", "stands still: submit-order"],
  ...["a gap right after an order", "a hand right before a close", "fills that show late by their own time"],
  "bills that show after their balance",
];
const struck = (times: number, other: Readonly<Record<string, number>> = {}) =>
  new Map([...NAMES.map((name) => [name, times] as const), ...Object.entries(other)]);

test("a fault that strikes in under 1 % of the schedules, and an await where a process dies in under 0.1 %, is named", () => {
  expect(seldom({ schedules: 1000, struck: struck(10) }, POINTS)).toEqual([]);
  for (const name of NAMES) {
    const isDeath = name.startsWith("dies: ");
    const at = (schedules: number, times: number) =>
      seldom({ schedules, struck: struck(schedules / 50, { [name]: times }) }, POINTS);
    expect(at(1000, 0), name).toEqual(isDeath ? [] : [name]); // of a thousand, chance explains none of one
    expect([at(20_000, 12), at(20_000, 8)], name).toEqual(isDeath ? [[], [name]] : [[name], [name]]);
  }
  const without = new Map([...struck(200)].filter(([name]) => name !== "door: books-lost"));
  expect(seldom({ schedules: 20_000, struck: without }, POINTS)).toEqual(["door: books-lost"]);
});

test("what chance explains is none: 1 % of 20,000 is known better than of 1,000", () => {
  const times = (count: number, times: number) =>
    seldom({ schedules: count, struck: struck(count / 50, { "door: books-lost": times }) }, POINTS);
  expect([times(1000, 4), times(1000, 3)]).toEqual([[], ["door: books-lost"]]);
  expect([times(20_000, 170), times(20_000, 160)]).toEqual([[], ["door: books-lost"]]);
  expect(times(999, 0)).toEqual([]);
});
