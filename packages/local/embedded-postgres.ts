import { mkdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import type { Db } from "#db/client";
import { connectPostgres, type PostgresConnection } from "#db/connect";
import { type MigrationConnection, migrate, readMigrations } from "#db/migrate";
import { embeddedSocket } from "./embedded-socket.ts";
import { lockFolder } from "./folder-lock.ts";

export interface Embedded {
  readonly db: Db;
  /** Reclaims dead rows and gathers the planner's statistics. A server does it by itself; an embedded one has no daemon. */
  vacuum(): Promise<void>;
  /** Writes everything out, then lets another process open the folder. A second call does nothing. */
  close(): Promise<void>;
}

// One session and a day of rows: PostgreSQL's default buffers would be most of the process's memory.
const SMALL = { postgresqlconf: ["shared_buffers=32MB", "wal_buffers=1MB", "max_connections=4"] };

/** The migrations that ship with this code. */
export const MIGRATIONS = join(import.meta.dirname, "../../migrations");

/**
 * Opens PostgreSQL inside this process, in `directory` (made when absent) or, when null, in memory, and migrates it. A
 * folder that a killed process left behind recovers as PostgreSQL does.
 * @throws FolderInUseError when another process has the folder open: two would destroy it.
 * @throws NewerSchemaError and the other errors of `migrate`; the folder is then closed again, unchanged.
 */
export async function openEmbedded(directory: string | null): Promise<Embedded> {
  if (directory === null) return opened(await PGlite.create(SMALL), async () => {});
  const folder = resolve(directory);
  await mkdir(dirname(folder), { recursive: true });
  const release = await lockFolder(folder);
  try {
    return await opened(await PGlite.create(folder, SMALL), release);
  } catch (error) {
    await release();
    throw error;
  }
}

async function opened(client: PGlite, release: () => Promise<void>): Promise<Embedded> {
  try {
    await migrate(pgliteMigrations(client), await readMigrations(MIGRATIONS));
  } catch (error) {
    await client.close();
    throw error;
  }
  const { db, close: disconnect } = connectEmbedded(client);
  let closing: Promise<void> | null = null;
  const close = async () => {
    await disconnect();
    await client.close();
    await release();
  };
  return {
    db,
    vacuum: async () => void (await db.execute("VACUUM (ANALYZE)")),
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

/** Returns the one connection to a migrated embedded database; while it is open, `client` must not be used beside it. */
export const connectEmbedded = (client: PGlite): PostgresConnection =>
  connectPostgres("postgres://postgres@localhost/postgres", { socket: () => embeddedSocket(client) });

/** Returns the connection that `migrate` runs on in PGlite. */
export const pgliteMigrations = (client: PGlite): MigrationConnection => ({
  transaction: (work) =>
    client.transaction((session) =>
      work({
        exec: async (statements) => void (await session.exec(statements)),
        query: async (statement, parameters) =>
          (await session.query<Record<string, unknown>>(statement, [...parameters])).rows,
      }),
    ),
});
