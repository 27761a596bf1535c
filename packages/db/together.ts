import { Column, is, SQL, type SQLWrapper, sql } from "drizzle-orm";
import type { Db } from "./client.ts";
import { drizzleOf } from "./drizzle.ts";

/** A select of drizzle that nobody has awaited. */
interface Select extends SQLWrapper, PromiseLike<readonly unknown[]> {
  readonly _: { readonly selectedFields: unknown };
}

type Read = (stored: string) => unknown;

/**
 * Returns what several selects return, by their names: read in one statement, so of one moment and in one round trip. Each may
 * name columns, and expressions that are mapped with a column; its rows keep their order.
 */
export async function together<const S extends Readonly<Record<string, Select>>>(
  db: Db,
  selects: S,
): Promise<{ readonly [N in keyof S]: Awaited<S[N]> }> {
  const fields = Object.fromEntries(Object.entries(selects).map(([name, select]) => [name, listOf(select)]));
  const [found] = await drizzleOf(db).select(fields).from(sql`(SELECT) AS nothing`);
  return found as { readonly [N in keyof S]: Awaited<S[N]> };
}

/** Returns the rows of a select as one expression. Every value travels as PostgreSQL writes it, and its column reads it. */
function listOf(select: Select): SQL<unknown> {
  const fields = Object.entries(select._.selectedFields as Readonly<Record<string, unknown>>);
  const names = fields.map((_, index) => sql.raw(`c${index}`));
  const values = names.map((name) => sql`${name}::text`);
  const comma = sql`, `;
  const readers = fields.map(([name, field]) => [name, readerOf(field)] as const);
  const rowOf = (row: readonly (string | null)[]) =>
    Object.fromEntries(readers.map(([name, read], index) => [name, valueIn(row[index] ?? null, read)]));
  const rows = sql`(SELECT json_agg(json_build_array(${sql.join(values, comma)})) FROM (${select}) AS q (${sql.join(names, comma)}))`;
  return sql`coalesce(${rows}, '[]')::text`.mapWith((list: string) =>
    (JSON.parse(list) as (string | null)[][]).map(rowOf),
  );
}

const valueIn = (stored: string | null, read: Read): unknown => (stored === null ? null : read(stored));

/** Returns how a field is read from PostgreSQL's text of it. @throws TypeError for an expression that no column maps. */
function readerOf(field: unknown): Read {
  if (is(field, Column)) {
    const type = field.getSQLType();
    if (type === "boolean") return (stored) => stored === "true";
    if (type === "jsonb") return (stored) => JSON.parse(stored);
    return (stored) => field.mapFromDriverValue(stored);
  }
  const expression = is(field, SQL.Aliased) ? field.sql : field;
  const decoder = is(expression, SQL) ? (expression as unknown as { readonly decoder: unknown }).decoder : null;
  if (is(decoder, Column)) return readerOf(decoder);
  throw new TypeError("a field that is read together is a column, or mapped with one");
}
