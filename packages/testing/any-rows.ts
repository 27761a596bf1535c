import type { Db } from "#db/client";

/** Returns the rows of a statement that a test asks for itself, as values that nothing is known of. */
export async function anyRows(db: Db, statement: Parameters<Db["execute"]>[0]): Promise<Record<string, unknown>[]> {
  const result: unknown = await db.execute(statement);
  const list = Array.isArray(result) ? result : (result as { rows: unknown[] }).rows;
  return [...list] as Record<string, unknown>[];
}
