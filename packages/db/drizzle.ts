import type { PgDatabase, PgQueryResultHKT } from "drizzle-orm/pg-core";
import type { Db } from "./client.ts";
import type * as schema from "./schema.ts";

/** The database as queries are written on it: on postgres.js in the cloud, on PGlite on a laptop. */
export type Drizzle = PgDatabase<PgQueryResultHKT, typeof schema>;

/**
 * Opens a handle, at no cost: it is the same object. For `db` alone, and for what tests look at.
 * The cast is the other half of client.ts: every `Db` is a drizzle database, and the type hides it.
 */
export const drizzleOf = (db: Db): Drizzle => db as unknown as Drizzle;
