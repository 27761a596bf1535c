import { getTableColumns, getTableName, type SQL, sql } from "drizzle-orm";
import type { PgTable } from "drizzle-orm/pg-core";

type Row = Record<string, unknown>;

/** Rows of a table for one statement: the columns that they name, in the table's order, and their values in that order. */
export interface Recordset {
  /** "id, wallet_id, …" */
  readonly names: SQL;
  /** A row source with those columns and others: `SELECT names FROM rows`. */
  readonly rows: SQL;
}

/**
 * Returns `INSERT INTO table (…) SELECT … ` of any number of rows, to which `ON CONFLICT …` may be added. The rows are one
 * JSON parameter, so the statement is the same text for one row and for a thousand: a server parses and plans a few words
 * instead of a placeholder for every value, which took longer than the writing. Values are what the columns take: `Instant`
 * and `Decimal` are text all the way to the server, so nothing is rounded.
 * @throws RangeError without rows, for rows that do not all name the same columns, and for a number that JSON cannot say
 */
export function insertion<T extends PgTable>(table: T, rows: readonly T["$inferInsert"][]): SQL {
  const source = recordset(table, rows);
  return sql`INSERT INTO ${table} (${source.names}) SELECT ${source.names} FROM ${source.rows}`;
}

/**
 * Returns rows of a table as one JSON parameter, for a statement that does more with them than `insertion`.
 * @throws RangeError as `insertion`
 */
export function recordset<T extends PgTable>(table: T, rows: readonly T["$inferInsert"][]): Recordset {
  const [first] = rows;
  if (!first) throw new RangeError(`no rows for ${getTableName(table)}`);
  const columns = Object.entries(getTableColumns(table)).filter(([key]) => key in first);
  const records = rows.map((row) => {
    if (columns.some(([key]) => !(key in row)) || Object.keys(row).length !== Object.keys(first).length)
      throw new RangeError(`rows for ${getTableName(table)} name different columns`);
    return Object.fromEntries(columns.map(([key, column]) => [column.name, sayable((row as Row)[key])]));
  });
  const names = sql.join(
    columns.map(([, column]) => sql.identifier(column.name)),
    sql`, `,
  );
  return { names, rows: sql`json_populate_recordset(NULL::${table}, ${JSON.stringify(records)}::text::json)` };
}

function sayable(value: unknown): unknown {
  if (typeof value === "number" && !Number.isFinite(value)) throw new RangeError(`${value} has no JSON`);
  return value ?? null;
}
