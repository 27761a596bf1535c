import { sql } from "drizzle-orm";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";

// Below the five minutes of the functions that do maintenance.
const LONG = "240s";

/**
 * Runs `work` in a transaction whose statements may take minutes, where the desk's others have seconds (desk-role.ts).
 * For the transaction alone, so that it is right behind a transaction pooler too.
 */
export const patiently = <T>(db: Db, work: (tx: Db) => Promise<T>): Promise<T> =>
  drizzleOf(db).transaction(async (tx) => {
    await tx.execute(sql`SELECT set_config('statement_timeout', ${LONG}, true)`);
    return work(tx);
  });
