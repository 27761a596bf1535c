import { sql } from "drizzle-orm";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { rows } from "../rows.ts";
import * as kind from "../shape.ts";

const Mark = kind.shape("mark", { mark: kind.orNull(kind.text) });
const UsedTable = kind.shape("used table", { name: kind.text });

/** What a database on a server is used for by a desk on a laptop. */
export type Use = { readonly kind: "replay"; readonly name: string } | { readonly kind: "live" };

/** Returns a use as the database keeps it and as a person reads it: "replay of sample". */
export const useText = (use: Use): string => (use.kind === "live" ? "live desk" : `replay of ${use.name}`);

/**
 * Returns what a database was marked with, or null. The mark is a comment on the register of migrations, so that it is in
 * the database itself and no digest of its rows has it.
 */
export async function markOf(db: Db): Promise<string | null> {
  const [found] = await rows(
    db,
    Mark,
    sql`SELECT obj_description(to_regclass('schema_migrations'), 'pg_class') AS mark`,
  );
  return found?.mark ?? null;
}

/** Marks a migrated database with what it is used for. */
export async function markDatabase(db: Db, use: Use): Promise<void> {
  const text = useText(use).replaceAll("'", "''"); // COMMENT takes no parameter
  await drizzleOf(db).execute(sql.raw(`COMMENT ON TABLE schema_migrations IS '${text}'`));
}

/** Returns the tables that a desk fills first or that a person may have filled, with rows in them; none = it is unused. */
export async function usedTables(db: Db): Promise<string[]> {
  const found = await rows(
    db,
    UsedTable,
    sql`SELECT name FROM (
      SELECT 'wallets' AS name, EXISTS (SELECT FROM wallets) AS used
      UNION ALL SELECT 'labels', EXISTS (SELECT FROM labels)
      UNION ALL SELECT 'users', EXISTS (SELECT FROM users)
      UNION ALL SELECT 'chain_blocks', EXISTS (SELECT FROM chain_blocks)
      UNION ALL SELECT 'block_cursors', EXISTS (SELECT FROM block_cursors)
      UNION ALL SELECT 'prices', EXISTS (SELECT FROM prices)
      UNION ALL SELECT 'orders', EXISTS (SELECT FROM orders)
      UNION ALL SELECT 'reports', EXISTS (SELECT FROM reports)
      UNION ALL SELECT 'audit_logs', EXISTS (SELECT FROM audit_logs)
    ) AS tables WHERE used ORDER BY name`,
  );
  return found.map(({ name }) => name);
}

/**
 * Drops every table, view and routine of the public schema that no extension owns, and their rows. Extensions stay: a
 * role that may use a database need not be allowed to create them again.
 */
export async function dropSchema(db: Db): Promise<void> {
  await drizzleOf(db).execute(sql`DO $$
    DECLARE
      one record;
    BEGIN
      FOR one IN
        SELECT format('%I.%I', 'public', c.relname) AS name,
               CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END AS kind
        FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
        ORDER BY c.relkind = 'v' DESC, c.relkind = 'm' DESC
      LOOP
        EXECUTE format('DROP %s IF EXISTS %s CASCADE', one.kind, one.name);
      END LOOP;
      FOR one IN
        SELECT p.oid::regprocedure::text AS name
        FROM pg_proc p
        WHERE p.pronamespace = 'public'::regnamespace
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
      LOOP
        EXECUTE format('DROP ROUTINE IF EXISTS %s CASCADE', one.name);
      END LOOP;
    END $$`);
}
