import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { sha256 } from "#units/ids";

/** One migration file. Files run in the order of their names and are never edited after they ran anywhere. */
export interface Migration {
  readonly name: string;
  readonly sql: string;
}

/** One open transaction on one session. */
interface MigrationRun {
  /** Runs several statements at once, without parameters. */
  exec(statements: string): Promise<void>;
  query(statement: string, parameters: readonly string[]): Promise<Record<string, unknown>[]>;
}

/** A direct connection, not through a pooler. `connect.ts` and `#local/embedded-postgres` each make one. */
export interface MigrationConnection {
  /** Commits when `work` returns, rolls back when it throws. */
  transaction<T>(work: (run: MigrationRun) => Promise<T>): Promise<T>;
}

/** A migration that ran on this database has other text now. */
export class EditedMigrationError extends Error {
  override name = "EditedMigrationError";
  readonly migration: string;
  constructor(migration: string) {
    super(`${migration} was edited after it ran here. Restore its text and put the change in a new file.`);
    this.migration = migration;
  }
}

/** The database ran a migration that this code does not have. */
export class NewerSchemaError extends Error {
  override name = "NewerSchemaError";
  readonly migrations: readonly string[];
  constructor(migrations: readonly string[]) {
    super(
      `the database has a newer schema than this code: it ran ${migrations.join(", ")}. ` +
        "Update the code, or use another database (on a laptop: another folder).",
    );
    this.migrations = migrations;
  }
}

/** A migration sorts before one that already ran, so other databases would run them in another order. */
export class MigrationOrderError extends Error {
  override name = "MigrationOrderError";
  readonly migration: string;
  constructor(migration: string, after: string) {
    super(`${migration} has not run, but ${after} has. Give the new file a number above ${after}.`);
    this.migration = migration;
  }
}

// Any constant serves; it only has to be the same in every process that migrates.
const LOCK = "SELECT pg_advisory_xact_lock(7303421900113057)";

const REGISTER = `CREATE TABLE IF NOT EXISTS schema_migrations (
  name TEXT PRIMARY KEY,
  sha256 CHAR(64) NOT NULL,
  applied_at TIMESTAMPTZ NOT NULL DEFAULT now()
)`;

/** Returns the migrations of a folder in the order they run. */
export async function readMigrations(folder: string): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".sql")).sort();
  return Promise.all(names.map(async (name) => ({ name, sql: await readFile(join(folder, name), "utf8") })));
}

async function nextOf(run: MigrationRun, migrations: readonly Migration[]): Promise<Migration | null> {
  await run.exec(LOCK);
  await run.exec(REGISTER);
  const done = new Map<string, unknown>();
  for (const row of await run.query("SELECT name, sha256 FROM schema_migrations ORDER BY name", []))
    done.set(String(row.name), row.sha256);
  const known = new Set(migrations.map((migration) => migration.name));
  const unknown = [...done.keys()].filter((name) => !known.has(name));
  if (unknown.length > 0) throw new NewerSchemaError(unknown);
  for (const { name, sql } of migrations)
    if (done.has(name) && done.get(name) !== sha256(sql)) throw new EditedMigrationError(name);
  const next = migrations.find(({ name }) => !done.has(name)) ?? null;
  const last = [...done.keys()].at(-1);
  if (next && last !== undefined && last > next.name) throw new MigrationOrderError(next.name, last);
  return next;
}

/**
 * Runs the migrations that this database lacks, in order, and returns their names; none = it was up to date.
 * Forward only. One process at a time: the others wait for its lock. Each file runs in a transaction of its own, so a
 * failure leaves the database at the file before it.
 * @throws EditedMigrationError, NewerSchemaError, MigrationOrderError before anything of that file ran.
 */
export async function migrate(connection: MigrationConnection, migrations: readonly Migration[]): Promise<string[]> {
  const ran: string[] = [];
  for (;;) {
    const name = await connection.transaction(async (run) => {
      const next = await nextOf(run, migrations);
      if (!next) return null;
      await run.exec(next.sql);
      await run.query("INSERT INTO schema_migrations(name, sha256) VALUES ($1, $2)", [next.name, sha256(next.sql)]);
      return next.name;
    });
    if (name === null) return ran;
    ran.push(name);
  }
}
