import { setTimeout as pause } from "node:timers/promises";
import { sha256 } from "#units/ids";
import * as kind from "../shape.ts";
import { checkServer, createTimescale } from "./capabilities.ts";
import { type Migration, statementsOf } from "./migration.ts";
import { type MigrationRun, type MigrationSession, shaped } from "./migration-run.ts";

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

/** The database ran a migration that this code does not have, and that this code may not run with. */
export class NewerSchemaError extends Error {
  override name = "NewerSchemaError";
  readonly migrations: readonly string[];
  constructor(migrations: readonly string[]) {
    super(
      `the database has a newer schema than this code may run with: it ran ${migrations.join(", ")}. ` +
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
  constructor(problem: string, cause?: unknown) {
    super(`${problem}. Nothing of it was done; run the migration again.`, { cause });
  }
}

/** The server refused a statement of a file. The message has the server's own, and what is left in the database. */
export class MigrationFailedError extends Error {
  override name = "MigrationFailedError";
  readonly migration: string;
  constructor({ name, inTransaction }: Migration, cause: Error) {
    const left = inTransaction
      ? "No file of this run was kept"
      : "The files before it were kept; it runs outside of a transaction, and begins afresh the next time";
    super(`${name}: ${cause.message}. ${left}.`, { cause });
    this.migration = name;
  }
}

// Two digits below the time that a deploy gives the task, so that it is this that ends it.
const TURN_SECONDS = 240;
// A change of a table waits for who reads it, and everyone who comes later waits behind it.
const TABLE_SECONDS = 10;
const ASK_MS = 100;

// The role's time limits are for the desk's short statements; a migration may take longer. For this transaction alone: a
// setting of the session would stay with a pooler's connection.
const BEGIN = `SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0;
SET LOCAL lock_timeout = '${TABLE_SECONDS}s'`;

const Turn = kind.shape("turn to migrate", { mine: kind.flag });

/**
 * Runs `work` in a transaction of its own, alone among all processes that migrate this database: the others wait.
 * @throws MigrationBusyError when another one is at it for four minutes, or a table is in use for ten seconds.
 */
export function alone<T>(connection: MigrationConnection, work: (run: MigrationRun) => Promise<T>): Promise<T> {
  return connection.transaction(async (session) => {
    const run = shaped(session);
    await run.exec(BEGIN);
    await turn(run);
    return whenFree(() => work(run));
  });
}

/**
 * Asks for the lock again and again. Who waits inside the server holds a snapshot, and CREATE INDEX CONCURRENTLY, run by
 * who has the lock, waits for all of those: neither would ever end.
 */
async function turn(run: MigrationRun): Promise<void> {
  const until = performance.now() + TURN_SECONDS * 1000;
  for (;;) {
    // Any constant serves, if all have the same.
    const [asked] = await run.query(Turn, "SELECT pg_try_advisory_xact_lock(7303421900113057) AS mine");
    if (asked?.mine) return;
    if (performance.now() > until)
      throw new MigrationBusyError(`another process has been migrating this database for ${TURN_SECONDS} s`);
    await pause(ASK_MS);
  }
}

/** PostgreSQL's lock_not_available, which ends a wait after lock_timeout. */
async function whenFree<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    for (let cause = error; cause instanceof Error; cause = cause.cause)
      if ("code" in cause && cause.code === "55P03")
        throw new MigrationBusyError(`a table was in use for ${TABLE_SECONDS} s`, error);
    throw error;
  }
}

const Ran = kind.shape("migrations that ran", {
  name: kind.text,
  sha256: kind.text,
  compatible_from: kind.orNull(kind.int),
});
const Nothing = kind.shape("nothing", {});

// Rows of before the last column have nothing in it: nothing older than their own release may run with them.
const REGISTER = `CREATE TABLE IF NOT EXISTS schema_migrations (
  name TEXT PRIMARY KEY,
  sha256 CHAR(64) NOT NULL,
  applied_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
ALTER TABLE schema_migrations ADD COLUMN IF NOT EXISTS compatible_from INTEGER`;

/** What a call of `migrate` found and did. */
export interface Migrated {
  /** The files that ran, in the order in which they did; none = the database lacked nothing. */
  readonly ran: readonly string[];
  /** Files of a later release that ran here before, and that this release may run with; none = it is the newest. */
  readonly newer: readonly string[];
}

interface Found {
  readonly pending: readonly Migration[];
  readonly newer: readonly string[];
}

async function lookAt(run: MigrationRun, migrations: readonly Migration[]): Promise<Found> {
  await checkServer(run);
  await run.exec(REGISTER);
  const ran = await run.query(Ran, "SELECT name, sha256, compatible_from FROM schema_migrations ORDER BY name");
  const known = new Map(migrations.map((migration) => [migration.name, migration]));
  for (const row of ran) {
    const file = known.get(row.name);
    if (file && row.sha256 !== sha256(file.sql)) throw new EditedMigrationError(row.name);
  }
  const newer = ran.filter(({ name }) => !known.has(name));
  const own = migrations.at(-1);
  const fits = newer.every(
    ({ name, compatible_from: from }) => own !== undefined && name > own.name && from !== null && from <= own.number,
  );
  if (!fits) throw new NewerSchemaError(newer.map(({ name }) => name));
  const done = new Set(ran.map(({ name }) => name));
  const pending = migrations.filter(({ name }) => !done.has(name));
  const last = ran.at(-1)?.name;
  // One that runs after all others anyway has no order to keep.
  const late = pending.find(({ name, inTransaction }) => inTransaction && last !== undefined && last > name);
  if (late && last !== undefined) throw new MigrationOrderError(late.name, last);
  if (pending.length > 0 && ran.length === 0) await createTimescale(run);
  return { pending, newer: newer.map(({ name }) => name) };
}

async function carryOut(run: MigrationRun, file: Migration): Promise<void> {
  try {
    if (file.inTransaction) await run.exec(file.sql);
    else for (const statement of statementsOf(file)) await run.apart(statement);
  } catch (error) {
    throw error instanceof Error ? new MigrationFailedError(file, error) : error;
  }
  await run.query(
    Nothing,
    "INSERT INTO schema_migrations(name, sha256, compatible_from) VALUES ($1, $2, nullif($3, '')::int)",
    [file.name, sha256(file.sql), String(file.compatibleFrom ?? "")],
  );
}

/**
 * Runs the migrations that this database lacks. Forward only. One process at a time: the others wait for its lock. All
 * files run in one transaction, so a failure leaves the database as it was, for the release before; those that cannot run
 * inside one follow it one by one, and a failure there leaves what ran before.
 * @throws UnfitServerError, EditedMigrationError, NewerSchemaError, MigrationOrderError before anything ran;
 * MigrationFailedError naming the file; MigrationBusyError.
 */
export async function migrate(connection: MigrationConnection, migrations: readonly Migration[]): Promise<Migrated> {
  const { ran, newer, rest } = await alone(connection, async (run) => {
    const { pending, newer } = await lookAt(run, migrations);
    const files = pending.filter(({ inTransaction }) => inTransaction);
    for (const file of files) await carryOut(run, file);
    return { ran: files.map(({ name }) => name), newer, rest: pending.filter(({ inTransaction }) => !inTransaction) };
  });
  for (const file of rest) {
    const isDone = await alone(connection, async (run) => {
      const { pending } = await lookAt(run, migrations);
      const isMine = pending.some(({ name }) => name === file.name);
      if (isMine) await carryOut(run, file);
      return isMine;
    });
    if (isDone) ran.push(file.name);
  }
  return { ran, newer };
}
