import type { Drizzle } from "#db/drizzle";

const TRAILS = ["audit_logs", "order_events"];

/** Empties tables, and what refers to them, of the trails too that no program may empty: as the tables' owner could. */
export async function emptyTables(db: Drizzle, names: readonly string[]): Promise<void> {
  for (const trail of TRAILS) await db.execute(`ALTER TABLE ${trail} DISABLE TRIGGER USER`);
  await db.execute(`TRUNCATE ${names.join(", ")} CASCADE`);
  for (const trail of TRAILS) await db.execute(`ALTER TABLE ${trail} ENABLE TRIGGER USER`);
}
