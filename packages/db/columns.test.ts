import { eq, sql } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { anyRows } from "#testing/any-rows";
import { type TestDatabase, testDatabase } from "#testing/database";
import { decimalOf } from "#units/decimal";
import { idOf } from "#units/ids";
import { instantOf } from "#units/time";
import { readDecimal, readInstant } from "./columns.ts";
import { iso, plain } from "./rows.ts";
import { orders, reports } from "./schema.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

test("a stored time is read in UTC to the millisecond, whatever the session's zone", () => {
  expect(readInstant("2022-06-21 00:00:00+00")).toBe("2022-06-21T00:00:00.000Z");
  expect(readInstant("2022-06-21 05:30:00.123456+05:30")).toBe("2022-06-21T00:00:00.123Z");
  expect(readInstant("2022-06-20 19:00:00.5-05")).toBe("2022-06-21T00:00:00.500Z");
  for (const bad of ["infinity", "0044-03-15 00:00:00+00 BC", "2022-06-21", ""])
    expect(() => readInstant(bad)).toThrow(RangeError);
});

test("a stored decimal is read in plain notation without trailing zeros", () => {
  const pairs = [
    ["1.500000000000000000", "1.5"],
    ["100", "100"],
    ["100.00", "100"],
    ["-0.000", "0"],
    ["-0.0040", "-0.004"],
    ["0.000000000000000001", "0.000000000000000001"],
  ] as const;
  for (const [stored, read] of pairs) expect(readDecimal(stored)).toBe(read);
  for (const bad of ["NaN", "Infinity", "1e5", ""]) expect(() => readDecimal(bad)).toThrow(RangeError);
});

test("times, decimals, arrays and JSON come back as they went in", async () => {
  const { db } = database;
  const at = instantOf("2022-06-21T00:00:00.123Z");
  const order = {
    id: idOf("order", 1),
    tradingMode: "demo",
    clientOrderId: "c1",
    asset: "ETH",
    side: "buy",
    orderType: "ioc",
    size: decimalOf("0.000000000000000001"),
    price: decimalOf("1135.25"),
    takeProfit: ["1200", "1300.5"],
    instrument: "ETH-USDT-SWAP",
    decidedAt: at,
    updatedAt: at,
    policySnapshot: { text: "7", list: [1, 2.5, null], nested: { b: "x", a: true } },
  } as const;
  await db.insert(orders).values({ ...order, takeProfit: order.takeProfit.map(decimalOf) });
  const [read] = await db.select().from(orders).where(eq(orders.decidedAt, at));
  expect(read).toMatchObject(order);
  expect(read).toMatchObject({ filledSize: "0", biasAt: null, epoch: 0, version: 0 });
});

test("a JSON text that looks like a number or like JSON stays a text", async () => {
  const { db } = database;
  const period = {
    periodStart: instantOf("2022-06-21T00:00:00.000Z"),
    periodEnd: instantOf("2022-06-21T04:00:00.000Z"),
  };
  await db.insert(reports).values({ ...period, id: idOf("report", 1), metrics: "7", notableEvents: '{"a":1}' });
  const [read] = await db.select({ metrics: reports.metrics, events: reports.notableEvents }).from(reports);
  expect(read).toEqual({ metrics: "7", events: '{"a":1}' });
});

test("raw rows are written alike by the two fragments", async () => {
  const statement = sql`SELECT ${iso(sql`'2022-06-21 05:30:00.5+05:30'::timestamptz`)} AS at,
    ${plain(sql`1.500::numeric(20,10)`)} AS n, ${iso(sql`NULL::timestamptz`)} AS none, 7::int AS int4, 0.1::float8 AS float,
    '{"b":[1]}'::jsonb AS json, true AS yes`;
  expect(await anyRows(database.db, statement)).toEqual([
    { at: "2022-06-21T00:00:00.500Z", n: "1.5", none: null, int4: 7, float: 0.1, json: { b: [1] }, yes: true },
  ]);
});

test("arrays of every type that we unnest are parameters of raw SQL", async () => {
  const times = ["2022-06-21T00:00:00.000Z", null];
  const statement = sql`SELECT ${iso(sql`t`)} AS t, ${plain(sql`n`)} AS n, d::text AS d, u::text AS u, s, i, f, b
    FROM unnest(${sql.param(times)}::timestamptz[], ${sql.param(["1.5", null])}::numeric[], ${sql.param(["2022-06-21", null])}::date[],
      ${sql.param([idOf("a"), null])}::uuid[], ${sql.param(['a "b", \\c', null])}::text[], ${sql.param([1, null])}::int[],
      ${sql.param([0.1, null])}::float8[], ${sql.param(["true", null])}::text[]::boolean[]) AS x(t, n, d, u, s, i, f, b)`;
  expect(await anyRows(database.db, statement)).toEqual([
    { t: times[0], n: "1.5", d: "2022-06-21", u: idOf("a"), s: 'a "b", \\c', i: 1, f: 0.1, b: true },
    { t: null, n: null, d: null, u: null, s: null, i: null, f: null, b: null },
  ]);
});
