import { desc, sql } from "drizzle-orm";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { rows } from "../rows.ts";
import { schemaMigrations } from "../schema.ts";
import * as kind from "../shape.ts";

const Register = kind.shape("register of migrations", { there: kind.flag });

/** Returns the newest migration that ran on a database, or null when none did. */
export async function schemaVersion(db: Db): Promise<string | null> {
  const [register] = await rows(db, Register, sql`SELECT to_regclass('schema_migrations') IS NOT NULL AS there`);
  if (!register?.there) return null;
  const [newest] = await drizzleOf(db)
    .select({ name: schemaMigrations.name })
    .from(schemaMigrations)
    .orderBy(desc(schemaMigrations.name))
    .limit(1);
  return newest?.name ?? null;
}
