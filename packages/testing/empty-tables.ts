import type { Drizzle } from "#db/drizzle";

const TRAILS = ["audit_logs", "order_events"];

/** What trading writes and reads of its own: the tables that a test of it begins with empty. */
export const TRADING_TABLES = [
  ...["order_events", "order_fills", "orders", "positions", "equity_snapshots", "bills", "funding_payments"],
  ...["comparisons", "protections", "bias", "prices", "event_refs", "wallets"],
] as const;

/** Empties tables, and what refers to them, of the trails too that no program may empty: as the tables' owner could. */
export async function emptyTables(db: Drizzle, names: readonly string[]): Promise<void> {
  for (const trail of TRAILS) await db.execute(`ALTER TABLE ${trail} DISABLE TRIGGER USER`);
  await db.execute(`TRUNCATE ${names.join(", ")} CASCADE`);
  for (const trail of TRAILS) await db.execute(`ALTER TABLE ${trail} ENABLE TRIGGER USER`);
}
