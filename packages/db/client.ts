import type { PgDatabase, PgQueryResultHKT } from "drizzle-orm/pg-core";
import type * as schema from "./schema.ts";

/**
 * The database as queries see it: postgres.js in the cloud, PGlite on a laptop. A transaction is a `Db` too, so a query
 * function works inside and outside of one.
 */
export type Db = PgDatabase<PgQueryResultHKT, typeof schema>;
