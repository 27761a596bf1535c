import { type SQL, type SQLWrapper, sql } from "drizzle-orm";
import type { Db } from "./client.ts";

/**
 * Returns the rows of a raw statement as an array on every driver; column names are as the statement gives them.
 * The drivers differ in what they make of some types, so cast in SQL: int8 and count(*) with `::int` or `::text`,
 * timestamptz with `iso(…)`, numeric with `plain(…)`. Text, int4, float8, boolean, uuid and jsonb read alike.
 * Arrays for unnest go in as `${sql.param(array)}::type[]`, those of booleans and bigints as texts and
 * `::text[]::type[]`: postgres.js takes the type of the first for that of the array.
 * `Row` is the caller's word; parse rows whose shape is not fixed by the statement.
 */
export async function rows<Row extends Record<string, unknown>>(db: Db, statement: SQL): Promise<Row[]> {
  const result: unknown = await db.execute(statement);
  const list = Array.isArray(result) ? result : (result as { rows: unknown[] }).rows;
  return [...list] as Row[];
}

/** Returns SQL that writes a timestamptz as an `Instant`, cut to milliseconds; null stays null. */
export const iso = (time: SQLWrapper): SQL<string> =>
  sql<string>`to_char(${time} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** Returns SQL that writes a numeric as a `Decimal` in plain notation without trailing zeros; null stays null. */
export const plain = (number: SQLWrapper): SQL<string> => sql<string>`trim_scale((${number})::numeric)::text`;
