import { sql } from "drizzle-orm";
import { pgTable, text } from "drizzle-orm/pg-core";
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestDatabase, testDatabase } from "#testing/database";
import { jsonKey } from "#testing/json";
import { decimalOf } from "#units/decimal";
import { instant as isoInstant } from "#units/time";
import { insertion } from "./bulk.ts";
import { decimal, instant, json } from "./columns.ts";

const noted = pgTable("noted", {
  id: text("id").notNull(),
  worth: decimal("its_worth"),
  at: instant("noted_at"),
  tags: text("tags").array(),
  detail: json("detail"),
  kind: text("kind").notNull().default("plain"),
});

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
  await database.db.execute(sql`CREATE TABLE noted (id text PRIMARY KEY, its_worth numeric, noted_at timestamptz, tags text[],
    detail jsonb, kind text NOT NULL DEFAULT 'plain')`);
});
afterAll(() => database.close());

const word = fc.string({ unit: "binary", maxLength: 12 }).map((value) => value.replaceAll("\u0000", ""));
const row = fc.record({
  worth: fc.option(fc.bigInt(-(10n ** 40n), 10n ** 40n).map((worth) => decimalOf(String(worth)))),
  at: fc.option(fc.integer({ min: 0, max: 4e12 }).map((ms) => isoInstant(ms))),
  tags: fc.option(fc.array(word, { maxLength: 3 })),
  detail: fc.option(fc.dictionary(jsonKey, fc.integer(), { noNullPrototype: true })),
});

test("any number of rows come back as they went in; what no row names has its default", async () => {
  const { db } = database;
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 30 }), async (list) => {
      const values = list.map((one, i) => ({ id: String(i).padStart(2, "0"), ...one }));
      await db.delete(noted);
      await db.execute(insertion(noted, values));
      const stored = await db.select().from(noted).orderBy(noted.id);
      expect(stored).toEqual(values.map((one) => ({ ...one, kind: "plain" })));
    }),
    { numRuns: 40 },
  );
});

test("a conflict is the caller's to solve, and no rows are no statement", async () => {
  const { db } = database;
  await db.delete(noted);
  const again = sql`${insertion(noted, [{ id: "a" }, { id: "b" }])} ON CONFLICT DO NOTHING`;
  await db.execute(again);
  await db.execute(again);
  expect(await db.$count(noted)).toBe(2);
  await expect(db.execute(insertion(noted, [{ id: "a" }]))).rejects.toThrow();
  expect(() => insertion(noted, [])).toThrow(RangeError);
  expect(() => insertion(noted, [{ id: "a" }, { id: "b", kind: "x" }])).toThrow("different columns");
  expect(() => insertion(noted, [{ id: "a", kind: "x" }, { id: "b" }])).toThrow("different columns");
  expect(() => insertion(noted, [{ id: "a", detail: Number.NaN }])).toThrow("NaN has no JSON");
});
