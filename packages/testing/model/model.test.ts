import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestDatabase, testDatabase } from "#testing/database";
import { check, testOf } from "./check.ts";
import { inMemory } from "./memory.ts";
import { inSql } from "./sql.ts";

// A few schedules, so that a change which breaks a law fails here first; `npm run torture` runs them by the thousand.

const SEED = 1;

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

test("the exported handlers keep the laws on the books in memory", async () => {
  const { failure, orders } = await check({ seed: SEED, count: 60, open: inMemory, shrink: true }, inMemory);
  expect(failure && testOf(failure)).toBeNull();
  expect(orders).toBeGreaterThan(40); // it trades
}, 300_000);

test("the same schedules keep them on the books in SQL", async () => {
  const { failure, orders } = await check({ seed: SEED, count: 8, open: inSql(database.db), shrink: false }, inMemory);
  expect(failure && testOf(failure)).toBeNull();
  expect(orders).toBeGreaterThan(4);
}, 300_000);
