import type { ExtractTablesWithRelations, TablesRelationalConfig } from "drizzle-orm";
import type { PgQueryResultHKT } from "drizzle-orm/pg-core";

declare const sealed: unique symbol;

/**
 * The database in the hands of whoever asks functions of `db`: a handle that has nothing to call. Only `db` opens it
 * (`drizzleOf`), so every statement of the desk is written there. At run time it is drizzle's object itself.
 */
export interface Db {
  readonly [sealed]: true;
}

// Whatever drizzle makes, a database or a transaction, is such a handle too, so that functions of `db` take both. The
// member is never there: the symbol is a type alone.
declare module "drizzle-orm/pg-core/db" {
  interface PgDatabase<
    TQueryResult extends PgQueryResultHKT,
    TFullSchema extends Record<string, unknown> = Record<string, never>,
    TSchema extends TablesRelationalConfig = ExtractTablesWithRelations<TFullSchema>,
  > {
    readonly [sealed]: true;
  }
}
