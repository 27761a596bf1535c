import type { Db } from "#db/client";
import { drizzleOf } from "#db/drizzle";
import { listOf, type rows } from "#db/rows";

/** Returns the rows of a statement that a test asks for itself, as values that nothing is known of. */
export async function anyRows(db: Db, statement: Parameters<typeof rows>[2]): Promise<Record<string, unknown>[]> {
  return listOf(await drizzleOf(db).execute(statement)) as Record<string, unknown>[];
}
