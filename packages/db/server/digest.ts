import { getTableColumns, is, type SQL, sql } from "drizzle-orm";
import { getTableConfig, type PgColumn, PgTable } from "drizzle-orm/pg-core";
import { sha256 } from "#units/ids";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { rows } from "../rows.ts";
import * as schema from "../schema.ts";
import * as kind from "../shape.ts";

const DigestRow = kind.shape("digest of a table", { rows: kind.int, sha256: kind.text });

interface TableDigest {
  readonly rows: number;
  readonly sha256: string;
}

export interface Digest {
  /** SHA-256 over all tables. */
  readonly digest: string;
  /** By table name, ascending: where two databases differ. */
  readonly tables: Readonly<Record<string, TableDigest>>;
}

/** What may differ between two replays of one recording, and is left out. */
const LEFT_OUT: Readonly<Record<string, readonly string[]>> = {
  // Wall clock.
  users: ["created_at", "updated_at"],
  events: ["processed_at"],
  event_analysis: ["created_at", "embedding"],
  orders: ["created_at"],
  reports: ["created_at"],
  // Serial numbers: entries are chained as they arrive. And which trace AWS gave the work.
  audit_logs: ["seq", "prev_hash", "hash", "trace_id"],
  // A venue numbers its bills as they come, and what one leaves depends on those before it.
  bills: ["bill_id", "balance"],
  equity_snapshots: ["bill_id"],
  // Which server it is: a hypertable here is a partitioned table there. The type of `embedding` above likewise.
  time_series_policies: ["backend"],
  // Which process it was.
  // And how often one was tried.
  block_cursors: ["lease_owner", "fence"],
};
// sent_blocks: hashes that are kept for a while, beside the cursor and the blocks themselves. comparisons: how often an instrument
// was looked at, which a run that is tried again does once more. protections: which look it was that found a stop missing.
const TABLES_LEFT_OUT = ["schema_migrations", "sent_blocks", "comparisons", "protections"];

/** Every table of the schema, by name. */
const tables = Object.values<unknown>(schema)
  .filter((entry): entry is PgTable => is(entry, PgTable))
  .map((table) => ({ table, ...getTableConfig(table) }))
  .filter(({ name }) => !TABLES_LEFT_OUT.includes(name))
  .sort((a, b) => (a.name < b.name ? -1 : 1));

/**
 * Returns a digest of every row that a replay determines, taken in one snapshot. The same rows give the same digest on
 * PGlite, PostgreSQL and TimescaleDB, in whatever order they were written. Views are left out: they follow from tables.
 * Hashing is done in SQL, so a large table costs a line of text.
 */
export async function digest(db: Db): Promise<Digest> {
  return drizzleOf(db).transaction(
    async (snapshot) => {
      await snapshot.execute(PINNED);
      const found: Record<string, TableDigest> = {};
      for (const entry of tables) found[entry.name] = await digestOf(snapshot, entry);
      const lines = Object.entries(found).map(([name, table]) => `${name} ${table.rows} ${table.sha256}\n`);
      return { digest: sha256(lines.join("")), tables: found };
    },
    { isolationLevel: "repeatable read", accessMode: "read only" },
  );
}

async function digestOf(db: Db, { table, name, primaryKeys }: (typeof tables)[number]): Promise<TableDigest> {
  const columns = Object.values(getTableColumns(table)).filter((column) => !LEFT_OUT[name]?.includes(column.name));
  const named = primaryKeys[0]?.columns.map((column) => column.name);
  const key = columns.filter((column) => named?.includes(column.name) ?? column.primary);
  if (key.length === 0) throw new TypeError(`${name} has no primary key to sort by`);
  // As an array in JSON, so that a null, an empty text and a text with a comma all differ.
  const row = sql`array_to_json(ARRAY[${sql.join(columns.map(written), sql`, `)}])::text`;
  // By the rest of the row where a part of the key is left out.
  const isWhole = key.length === (named?.length ?? 1);
  const sorted = [...key.map(written), ...(isWhole ? [] : [row])];
  const order = sql.join(
    sorted.map((value) => sql`${value} COLLATE "C"`),
    sql`, `,
  );
  // A hash a row, then one over those: a value in PostgreSQL ends at 1 GB.
  const [result] = await rows(
    db,
    DigestRow,
    sql`SELECT count(*)::int AS rows, ${hex(sql`coalesce(string_agg(${hex(row)}, '' ORDER BY ${order}), '')`)} AS sha256
        FROM ${table}`,
  );
  return { rows: result?.rows ?? 0, sha256: result?.sha256 ?? "" };
}

const hex = (value: SQL): SQL => sql`encode(sha256(convert_to(${value}, 'UTF8')), 'hex')`;

const written = (column: PgColumn): SQL => sql`${column}::text`;

/** Every setting that changes how a value is written as text, and no limit on time, for this transaction alone. */
const PINNED = sql`SELECT set_config('statement_timeout', '0', true), set_config('TimeZone', 'UTC', true), set_config('DateStyle', 'ISO, YMD', true),
  set_config('IntervalStyle', 'postgres', true), set_config('extra_float_digits', '1', true)`;
