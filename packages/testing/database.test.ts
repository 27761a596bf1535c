import { sql } from "drizzle-orm";
import { expect, test } from "vitest";
import { readEnv } from "#runtime/config";
import { anyRows } from "#testing/any-rows";
import { SessionStateError, testDatabase } from "./database.ts";

const pooled = readEnv("TEST_POOLER_URL") !== null;

test("a database that is closed leaves nothing behind, and two at once are two", async () => {
  const [one, other] = [await testDatabase(), await testDatabase()];
  await one.db.execute(sql`CREATE TABLE only_here (n int)`);
  const find = sql`SELECT to_regclass('only_here') IS NOT NULL AS found`;
  expect([await anyRows(one.db, find), await anyRows(other.db, find)]).toEqual([[{ found: true }], [{ found: false }]]);
  await one.close();
  await other.close();
});

test.skipIf(!pooled)("through the pooler, session state is found and fails the file that left it", async () => {
  const { db, close } = await testDatabase();
  for (const statement of [
    "SET extra_float_digits = 0",
    "PREPARE one AS SELECT 1",
    "SELECT pg_advisory_lock(1)",
    "LISTEN news",
    "CREATE TEMP TABLE scratch (n int)",
  ])
    await db.execute(sql.raw(statement));
  const error = await close().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(SessionStateError);
  expect((error as SessionStateError).left).toEqual([
    "LISTEN news",
    "PREPARE PREPARE one AS SELECT 1",
    "SET extra_float_digits",
    "advisory lock",
    "temporary scratch",
  ]);
});

test.skipIf(!pooled)("through the pooler, what belongs to a transaction is no session state", async () => {
  const { db, close } = await testDatabase();
  await db.transaction(async (tx) => {
    await tx.execute(sql`SELECT pg_advisory_xact_lock(1), set_config('lock_timeout', '3s', true)`);
  });
  await expect(close()).resolves.toBeUndefined();
});
