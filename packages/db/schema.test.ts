import { getTableColumns, getViewSelectedFields, is, sql } from "drizzle-orm";
import {
  getMaterializedViewConfig,
  getTableConfig,
  getViewConfig,
  integer,
  PgColumn,
  PgMaterializedView,
  PgTable,
  PgView,
  pgTable,
  text,
  varchar,
} from "drizzle-orm/pg-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { anyRows } from "#testing/any-rows";
import { type TestDatabase, testDatabase } from "#testing/database";
import * as schema from "./schema.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

const PG_NAMES: readonly (readonly [RegExp, string])[] = [
  [/^varchar/, "character varying"],
  [/^char\b/, "character"],
];
const typeOf = (column: PgColumn): string =>
  PG_NAMES.reduce((name, [pattern, full]) => name.replace(pattern, full), column.getSQLType());

const lineOf = (relation: string, column: PgColumn, isView: boolean): string => {
  const rest = isView ? "" : `${column.notNull ? " not null" : " null"}${column.hasDefault ? " default" : ""}`;
  return `${relation}.${column.name} ${typeOf(column)}${rest}`;
};

/** One line a column: relation, name, type, nullability, whether it has a default; and one line a primary key. */
function declared(entries: readonly unknown[]): string[] {
  return entries
    .flatMap((entry) => {
      if (is(entry, PgTable)) {
        const { name, primaryKeys } = getTableConfig(entry);
        const columns = Object.values(getTableColumns(entry));
        const key = primaryKeys[0]?.columns ?? columns.filter((column) => column.primary);
        const keyLine = `${name} key ${key.map((column) => column.name).join(",")}`;
        return [keyLine, ...columns.map((column) => lineOf(name, column, false))];
      }
      if (!is(entry, PgView) && !is(entry, PgMaterializedView)) return [];
      const { name } = is(entry, PgView) ? getViewConfig(entry) : getMaterializedViewConfig(entry);
      return Object.values(getViewSelectedFields(entry))
        .filter((column) => is(column, PgColumn))
        .map((column) => lineOf(name, column, true));
    })
    .sort();
}

/** The same lines from the catalogue, of the public schema, without partitions. */
async function migrated(): Promise<string[]> {
  const found = await anyRows(
    database.db,
    sql`
      SELECT c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
             || CASE WHEN c.relkind IN ('v', 'm') THEN '' WHEN a.attnotnull THEN ' not null' ELSE ' null' END
             || CASE WHEN a.atthasdef THEN ' default' ELSE '' END AS line
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
      WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition
        AND a.attnum > 0 AND NOT a.attisdropped
      UNION ALL
      SELECT c.relname || ' key ' || (SELECT string_agg(a.attname, ',' ORDER BY k.position)
               FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, position)
               JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum)
      FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = 'public' AND i.indisprimary AND NOT c.relispartition`,
  );
  // Where pgvector is, the column is of its type.
  return found.map(({ line }) => String(line).replace(/(\.embedding) vector\(768\)/, "$1 real[]")).sort();
}

test("drizzle's schema is the migrated database", async () => {
  expect(declared(Object.values(schema))).toEqual(await migrated());
});

test("the seed's tables and views are all there", async () => {
  const relations = new Set((await migrated()).map((line) => line.split(/[. ]/)[0]));
  for (const name of [
    ...["users", "wallets", "wallet_scores", "events", "event_analysis", "bias", "orders", "positions", "reports"],
    ...["audit_logs", "positions_archive", "active_positions_view", "daily_performance", "daily_performance_view"],
  ])
    expect(relations).toContain(name);
});

test("a planted mismatch is caught: type, nullability, default, a missing and an extra column", async () => {
  const { chains: _left, ...others } = schema;
  const planted = pgTable("chains", {
    chain: varchar("chain", { length: 21 }).primaryKey(),
    family: varchar("family", { length: 10 }),
    confirmations: integer("confirmations").notNull(),
    note: text("note"),
  });
  const wrong = declared([...Object.values(others), planted]);
  const right = await migrated();
  expect(wrong.filter((line) => !right.includes(line))).toEqual([
    "chains.chain character varying(21) not null",
    "chains.confirmations integer not null",
    "chains.family character varying(10) null",
    "chains.note text null",
  ]);
  expect(right.filter((line) => !wrong.includes(line))).toEqual([
    "chains.chain character varying(20) not null",
    "chains.confirmations integer not null default",
    "chains.family character varying(10) not null",
  ]);
});

test("positions and their archive have the same columns in the same order", async () => {
  const columns = (table: string) =>
    anyRows(
      database.db,
      sql`SELECT attname AS name, format_type(atttypid, atttypmod) AS type, attnotnull AS required FROM pg_attribute
          WHERE attrelid = ${table}::regclass AND attnum > 0 ORDER BY attnum`,
    );
  expect(await columns("positions_archive")).toEqual(await columns("positions"));
});
