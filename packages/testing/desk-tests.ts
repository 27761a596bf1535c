import { afterAll, afterEach, beforeAll } from "vitest";
import type { Drizzle } from "#db/drizzle";
import { type TestDatabase, testDatabase } from "./database.ts";

/**
 * Gives the tests of a file one database, which is closed after the last of them. What a test hands to `closeAfter` is closed
 * when that test is over.
 */
export function deskTests() {
  let database: TestDatabase | undefined;
  const closing: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    database = await testDatabase();
  });
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });
  afterAll(() => database?.close());
  return {
    /** @throws before the first test. */
    get db(): Drizzle {
      if (database === undefined) throw new Error("there is no database before the first test");
      return database.db;
    },
    closeAfter: (close: () => Promise<void>): void => void closing.push(close),
  };
}
