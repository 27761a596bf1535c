import { afterAll, beforeAll, expect, test } from "vitest";
import { readEnv } from "#runtime/config";
import { type TestDatabase, testDatabase } from "#testing/database";
import { check, survey, testOf } from "./check.ts";
import { inMemory } from "./memory.ts";
import { inSql } from "./sql.ts";

// A few schedules, so that a change which breaks a law fails here first; `npm run torture` runs them by the thousand.

const SEED = 1;
// The model owns the process's clocks and timers, so the books cannot be behind a socket, which waits by the real ones.
const isElsewhere = readEnv("TEST_DATABASE_URL") !== null;

let database: TestDatabase | undefined;
let points: Awaited<ReturnType<typeof survey>> = [];
beforeAll(async () => {
  points = await survey(inMemory);
  if (!isElsewhere) database = await testDatabase();
}, 300_000);
afterAll(() => database?.close());

test("the exported handlers keep the laws on the books in memory", async () => {
  const { failure, orders } = await check({ seed: SEED, count: 60, open: inMemory, points, shrink: true });
  expect(failure && testOf(failure)).toBeNull();
  expect(orders).toBeGreaterThan(40); // it trades
}, 300_000);

test.skipIf(isElsewhere)(
  "the same schedules keep them on the books in SQL, in this process",
  async () => {
    if (database === undefined) throw new Error("no database was opened");
    const { failure, orders } = await check({
      ...{ seed: SEED, count: 8, open: inSql(database.db), points, shrink: false },
    });
    expect(failure && testOf(failure)).toBeNull();
    expect(orders).toBeGreaterThan(4);
  },
  300_000,
);
