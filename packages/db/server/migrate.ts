import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { sha256 } from "#units/ids";
import * as kind from "../shape.ts";
import { checkServer, createTimescale } from "./capabilities.ts";
import { type MigrationRun, type MigrationSession, shaped } from "./migration-run.ts";

/** One migration file. Files run in the order of their names and are never edited after they ran anywhere. */
export interface Migration {
  readonly name: string;
  readonly sql: string;
}

/** A direct connection, not through a pooler. `connect.ts` and `#local/embedded-postgres` each make one. */
export interface MigrationConnection {
  /** Commits when `work` returns, rolls back when it throws. */
  transaction<T>(work: (session: MigrationSession) => Promise<T>): Promise<T>;
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

/** Somebody else held what a migration needs for too long. Nothing was changed; running it again is safe. */
export class MigrationBusyError extends Error {
  override name = "MigrationBusyError";
  constructor(problem: string, cause: unknown) {
    super(`${problem}. Nothing of it was done; run the migration again.`, { cause });
  }
}

// Two digits below the time that a deploy gives the task, so that it is this that ends it.
const TURN_SECONDS = 240;
// A change of a table waits for who reads it, and everyone who comes later waits behind it.
const TABLE_SECONDS = 10;

// The role's time limits are for the desk's short statements; a migration may take longer. For this transaction alone: a
// setting of the session would stay with a pooler's connection. Any constant serves as the lock, if all have the same.
const BEGIN = `SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0;
SET LOCAL lock_timeout = '${TURN_SECONDS}s'; SELECT pg_advisory_xact_lock(7303421900113057);
SET LOCAL lock_timeout = '${TABLE_SECONDS}s'`;

/**
 * Runs `work` in a transaction of its own, alone among all processes that migrate this database: the others wait.
 * @throws MigrationBusyError when another one is at it for four minutes, or a table is in use for ten seconds.
 */
export function alone<T>(connection: MigrationConnection, work: (run: MigrationRun) => Promise<T>): Promise<T> {
  return connection.transaction(async (session) => {
    const run = shaped(session);
    await whenFree(`another process has been migrating this database for ${TURN_SECONDS} s`, () => run.exec(BEGIN));
    return whenFree(`a table was in use for ${TABLE_SECONDS} s`, () => work(run));
  });
}

/** PostgreSQL's lock_not_available, which ends a wait after lock_timeout. */
async function whenFree<T>(problem: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "55P03")
      throw new MigrationBusyError(problem, error);
    throw error;
  }
}

const Ran = kind.shape("migrations that ran", { name: kind.text, sha256: kind.text });
const Nothing = kind.shape("nothing", {});

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
  await checkServer(run);
  await run.exec(REGISTER);
  const ran = await run.query(Ran, "SELECT name, sha256 FROM schema_migrations ORDER BY name");
  const done = new Map(ran.map((row) => [row.name, row.sha256]));
  const known = new Set(migrations.map((migration) => migration.name));
  const unknown = [...done.keys()].filter((name) => !known.has(name));
  if (unknown.length > 0) throw new NewerSchemaError(unknown);
  for (const { name, sql } of migrations)
    if (done.has(name) && done.get(name) !== sha256(sql)) throw new EditedMigrationError(name);
  const next = migrations.find(({ name }) => !done.has(name)) ?? null;
  const last = [...done.keys()].at(-1);
  if (next && last !== undefined && last > next.name) throw new MigrationOrderError(next.name, last);
  if (next && last === undefined) await createTimescale(run);
  return next;
}

/**
 * Runs the migrations that this database lacks, in order, and returns their names; none = it was up to date.
 * Forward only. One process at a time: the others wait for its lock. Each file runs in a transaction of its own, so a
 * failure leaves the database at the file before it.
 * @throws UnfitServerError, EditedMigrationError, NewerSchemaError, MigrationOrderError before anything of that file ran;
 * MigrationBusyError.
 */
export async function migrate(connection: MigrationConnection, migrations: readonly Migration[]): Promise<string[]> {
  const ran: string[] = [];
  for (;;) {
    const name = await alone(connection, async (run) => {
      const next = await nextOf(run, migrations);
      if (!next) return null;
      await run.exec(next.sql);
      await run.query(Nothing, "INSERT INTO schema_migrations(name, sha256) VALUES ($1, $2)", [
        next.name,
        sha256(next.sql),
      ]);
      return next.name;
    });
    if (name === null) return ran;
    ran.push(name);
  }
}
