import { connectPostgres, type PostgresConnection } from "#db/server/connect";
import { migrate } from "#db/server/migrate";
import { readMigrations } from "#db/server/migration";
import { dropSchema, markDatabase, markOf, type Use, usedTables, useText } from "#db/server/occupancy";
import { type Embedded, MIGRATIONS } from "./embedded-postgres.ts";

/** The text is no URL of a PostgreSQL server. It is not repeated: it may hold a password. */
export class DatabaseUrlError extends Error {
  override name = "DatabaseUrlError";
  constructor() {
    super("the database's URL must begin with postgres:// and name a host, as postgres://user@host:5432/spyhop");
  }
}

/** The server did not answer, so nothing was changed. */
export class UnreachableDatabaseError extends Error {
  override name = "UnreachableDatabaseError";
  constructor({ host }: URL, cause: Error) {
    super(`no answer from ${host} (${cause.message}). Is it running, and does the URL name its host and port?`, {
      cause,
    });
  }
}

/** The database holds the rows of something else, which this run would spoil. Nothing was changed. */
export class OccupiedDatabaseError extends Error {
  override name = "OccupiedDatabaseError";
  constructor(name: string, holds: string, wanted: string) {
    super(`the database ${name} holds ${holds}; a ${wanted} needs one of its own. Create an empty one and name it.`);
  }
}

/** The database holds an earlier replay, which nobody said may go. Nothing was changed. */
export class ReplayedDatabaseError extends Error {
  override name = "ReplayedDatabaseError";
  constructor(name: string, holds: string) {
    super(`the database ${name} holds the ${holds}. Give --replace to empty it first, or name an empty one.`);
  }
}

const UNREACHABLE = ["ECONNREFUSED", "ECONNRESET", "ENOTFOUND", "EHOSTUNREACH", "ETIMEDOUT", "CONNECT_TIMEOUT"];

/** Sessions of a laptop's desk: it runs several functions at once, each of which would have one. */
const SESSIONS = 4;

/**
 * Runs `work` on a server and closes the connection.
 * @throws DatabaseUrlError; UnreachableDatabaseError when nobody answers.
 */
export async function onServer<T>(url: string, work: (connection: PostgresConnection) => Promise<T>): Promise<T> {
  const connection = connectPostgres(databaseUrl(url).href);
  try {
    return await work(connection);
  } catch (error) {
    throw named(error, url);
  } finally {
    await connection.close();
  }
}

/**
 * Opens the database at `url` in place of the embedded one, and migrates it. It is marked with what it is used for. An
 * earlier replay's is emptied for the next replay where `replaces` says that it may be; a live desk carries on in its own.
 * @throws DatabaseUrlError; UnreachableDatabaseError; the errors of `migrate`; ReplayedDatabaseError when it holds an
 * earlier replay; OccupiedDatabaseError when it holds anything else, or rows without a mark, as a deployed desk's does.
 */
export async function openServer(url: string, use: Use, replaces = false): Promise<Embedded> {
  const connection = connectPostgres(databaseUrl(url).href, { sessions: SESSIONS });
  try {
    await claim(connection, use, new URL(url).pathname.slice(1), replaces);
  } catch (error) {
    await connection.close();
    throw named(error, url);
  }
  return { db: connection.db, vacuum: async () => {}, close: connection.close };
}

async function claim({ db, migrations }: PostgresConnection, use: Use, name: string, replaces: boolean): Promise<void> {
  const files = await readMigrations(MIGRATIONS);
  const mark = await markOf(db);
  if (mark?.startsWith("replay of ") && use.kind === "replay") {
    if (!replaces) throw new ReplayedDatabaseError(name, mark);
    await dropSchema(db);
  } else if (mark !== null && mark !== useText(use)) throw new OccupiedDatabaseError(name, `the ${mark}`, useText(use));
  await migrate(migrations, files);
  const used = mark === null ? await usedTables(db) : [];
  if (used.length > 0) throw new OccupiedDatabaseError(name, `rows of another desk (${used.join(", ")})`, useText(use));
  await markDatabase(db, use);
}

function databaseUrl(url: string): URL {
  if (!URL.canParse(url) || !/^postgres(ql)?:$/.test(new URL(url).protocol)) throw new DatabaseUrlError();
  return new URL(url);
}

function named(error: unknown, url: string): unknown {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if ("code" in cause && UNREACHABLE.includes(String(cause.code)))
      return new UnreachableDatabaseError(new URL(url), cause);
  return error;
}
