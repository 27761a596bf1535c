import { channel } from "node:diagnostics_channel";
import { type SQL, type SQLWrapper, sql } from "drizzle-orm";
import type { Db } from "./client.ts";
import { drizzleOf } from "./drizzle.ts";
import type { Shape } from "./shape.ts";

/**
 * Returns the rows of a raw statement as an array on every driver; column names are as the statement gives them.
 * The drivers differ in what they make of some types, so cast in SQL: int8 and count(*) with `::int` or `::text`,
 * timestamptz with `iso(…)`, numeric with `plain(…)`. Text, int4, float8, boolean, uuid and jsonb read alike.
 * Arrays for unnest go in as `${sql.param(array)}::type[]`, those of booleans and bigints as texts and
 * `::text[]::type[]`: postgres.js takes the type of the first for that of the array.
 * `shape` says what the statement returns, and the rows have its type. Nothing is looked at here: whoever runs a query in
 * a test has every row held against its shape, names, formats and nulls (packages/testing/watched-rows.ts).
 */
export async function rows<R extends Readonly<Record<string, unknown>>>(
  db: Db,
  shape: Shape<R>,
  statement: SQL,
): Promise<R[]> {
  return rowsOf(shape, listOf(await drizzleOf(db).execute(statement)));
}

/** Returns the rows of a driver's result. */
export const listOf = (result: unknown): unknown[] =>
  Array.isArray(result) ? [...result] : (result as { rows: unknown[] }).rows;

/** Returns rows as what their statement declares them to be. */
export function rowsOf<R extends Readonly<Record<string, unknown>>>(shape: Shape<R>, list: unknown[]): R[] {
  if (read.hasSubscribers) read.publish({ shape, list: [...list] });
  return list as R[];
}

/** Tells of every row that is read. Only tests listen. */
const read = channel("spyhop:rows");

/** Returns SQL that writes a timestamptz as an `Instant`, cut to milliseconds; null stays null. */
export const iso = (time: SQLWrapper): SQL => sql`to_char(${time} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** Returns SQL that writes a numeric as a `Decimal` in plain notation without trailing zeros; null stays null. */
export const plain = (number: SQLWrapper): SQL => sql`trim_scale((${number})::numeric)::text`;
