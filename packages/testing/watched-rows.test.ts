import { sql } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";
import { iso, plain, rows } from "#db/rows";
import * as kind from "#db/shape";
import { anyRows } from "./any-rows.ts";
import { type TestDatabase, testDatabase } from "./database.ts";
import { unseen } from "./row-coverage.ts";
import { differences } from "./watched-rows.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

const Pair = z.tuple([z.string(), z.number()]);
const Everything = kind.shape("every kind", {
  t: kind.text,
  i: kind.int,
  f: kind.float,
  b: kind.flag,
  d: kind.decimal,
  at: kind.instant,
  id: kind.id("wallet"),
  j: kind.orNull(kind.json),
  pair: kind.built(Pair),
  side: kind.oneOf("buy", "sell"),
  sign: kind.oneOfInts(-1, 1),
  none: kind.orNull(kind.decimal),
});
const EVERYTHING = sql`SELECT 'a' AS t, 7::int AS i, 0.1::float8 AS f, true AS b, ${plain(sql`1.50`)} AS d,
  ${iso(sql`'2022-06-21 00:00:00+00'::timestamptz`)} AS at, '00000000-0000-8000-8000-000000000000'::uuid AS id, NULL::jsonb AS j,
  '["a",1]'::jsonb AS pair, 'buy' AS side, -1 AS sign, ${plain(sql`NULL::numeric`)} AS none`;

test("a row of every kind has the type and the values that its shape says", async () => {
  const [row] = await rows(database.db, Everything, EVERYTHING);
  expect(row).toEqual({
    ...{ t: "a", i: 7, f: 0.1, b: true, d: "1.5", at: "2022-06-21T00:00:00.000Z" },
    ...{ id: "00000000-0000-8000-8000-000000000000", j: null, pair: ["a", 1], side: "buy", sign: -1, none: null },
  });
});

test.each([
  ["a null that is not declared", { n: kind.text }, sql`SELECT NULL::text AS n`, "n is null"],
  ["a column by another name", { n: kind.text }, sql`SELECT 'a' AS m`, "n is missing; m is not in the shape"],
  ["int8, which one driver writes as text", { n: kind.int }, sql`SELECT '7'::text AS n`, 'n is no int: "7"'],
  ["a numeric that is not plain", { n: kind.decimal }, sql`SELECT 1.50::text AS n`, 'n is no decimal: "1.50"'],
  ["a time as PostgreSQL writes it", { n: kind.instant }, sql`SELECT '2022-06-21 00:00:00+00' AS n`, "n is no instant"],
  ["a text that is no id", { n: kind.id("order") }, sql`SELECT 'one' AS n`, 'n is no id: "one"'],
  ["a fraction for an int", { n: kind.int }, sql`SELECT 0.5::float8 AS n`, "n is no int: 0.5"],
  ["a text for a flag", { n: kind.flag }, sql`SELECT 'true' AS n`, "n is no boolean"],
  ["a value outside its list", { n: kind.oneOf("buy") }, sql`SELECT 'sell' AS n`, 'n is none of its values: "sell"'],
  ["JSON of another shape", { n: kind.built(Pair) }, sql`SELECT '["a"]'::jsonb AS n`, "n has another shape"],
])("%s is named", async (_, columns, statement, problem) => {
  const shape = { name: "wrong", columns } as kind.Shape<Record<string, unknown>>;
  expect(differences(shape, await anyRows(database.db, statement)).join("; ")).toContain(problem);
});

test("what no test has seen is named, and so is an excuse that is not needed", () => {
  const shape = kind.shape("seen", { a: kind.text, b: kind.orNull(kind.int) });
  const notes = new Set(["seen\ta\tvalue", "seen\tb\tvalue"]);
  expect(unseen([shape], notes, {})).toEqual(["never seen: seen.b null"]);
  expect(unseen([shape], notes, { "seen.b null": "a reason" })).toEqual([]);
  expect(unseen([shape], new Set([...notes, "seen\tb\tnull"]), { "seen.b null": "a reason" })).toEqual([
    "seen, so it needs no excuse: seen.b null",
  ]);
  expect(unseen([shape], new Set(), {})).toEqual([
    "never seen: seen.a value",
    "never seen: seen.b value",
    "never seen: seen.b null",
  ]);
});
