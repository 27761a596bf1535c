import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { PGlite } from "@electric-sql/pglite";
import type { Db } from "#db/client";
import { connectPostgres, type PostgresConnection } from "#db/server/connect";
import { type MigrationConnection, migrate } from "#db/server/migrate";
import { readMigrations } from "#db/server/migration";
import { vacuum } from "#db/server/vacuum";
import { makeFolder, orDiskFull } from "#host/disk";
import { lockFolder } from "#host/folder-lock";
import { SMALL } from "./embedded-settings.ts";
import { embeddedSocket } from "./embedded-socket.ts";
import type { VacuumExtent } from "./vacuum.ts";

export interface Embedded {
  readonly db: Db;
  /**
   * Reclaims dead rows: of all tables, gathering the planner's statistics too, or of those alone whose rows are updated in place
   * all the time. A server does it by itself; an embedded one has no daemon.
   */
  vacuum(extent: VacuumExtent): Promise<void>;
  /** Writes everything out, then lets another process open the folder. A second call does nothing. */
  close(): Promise<void>;
}

/** The folder of an embedded database does not open as one. It is left as it is. */
export class DamagedDatabaseError extends Error {
  override name = "DamagedDatabaseError";
  readonly folder: string;
  constructor(folder: string, problem: string, options: ErrorOptions = {}) {
    super(
      `the database in ${folder} does not open: ${problem}. Move that folder away to begin with an empty one, ` +
        "or put a copy of it back that was made while nothing used it.",
      options,
    );
    this.folder = folder;
  }
}

/** The migrations that ship with this code. */
export const MIGRATIONS = join(import.meta.dirname, "../../../migrations");

/**
 * Opens PostgreSQL inside this process, in `directory` (made when absent) or, when null, in memory, and migrates it. A
 * folder that a killed process left behind recovers as PostgreSQL does.
 * @throws FolderInUseError when another process has the folder open: two would destroy it.
 * @throws DamagedDatabaseError, DiskFullError.
 * @throws NewerSchemaError and the other errors of `migrate`; the folder is then closed again, unchanged.
 */
export async function openEmbedded(directory: string | null): Promise<Embedded> {
  if (directory === null) return opened(await PGlite.create(SMALL), async () => {});
  const folder = resolve(directory);
  makeFolder(dirname(folder));
  const release = await lockFolder(folder);
  // Beside the folder as long as it is being made: what a killed process left half-made holds nothing, and is made again.
  const making = `${folder}.making`;
  try {
    if (existsSync(making)) await rm(folder, { recursive: true, force: true });
    if (!existsSync(folder)) await writeFile(making, "");
    const embedded = await opened(await createIn(folder), release);
    await rm(making, { force: true });
    return embedded;
  } catch (error) {
    await release();
    throw await orDiskFull(error, folder);
  }
}

/** PGlite makes a new cluster over a folder that lacks its version file, which would hide what is lost. */
async function createIn(folder: string): Promise<PGlite> {
  const files = existsSync(folder) ? await readdir(folder) : [];
  if (files.length > 0 && !files.includes("PG_VERSION")) {
    throw new DamagedDatabaseError(folder, "it holds files, but is no PostgreSQL data folder or only a part of one");
  }
  try {
    if (files.length === 0) await newCluster(folder);
    return await PGlite.create(folder, SMALL);
  } catch (cause) {
    // WebAssembly ends in an abort, a bare "failed to initialize", or an object of its file system that is no Error.
    const said = cause instanceof Error ? cause.message : JSON.stringify(cause);
    throw new DamagedDatabaseError(folder, `it is damaged (${said})`, { cause });
  }
}

/**
 * Makes a migrated cluster in a process of its own: bootstrap and migrations made V8 compile so much of PostgreSQL that
 * this process rose to 1.28 GB. Without the optimizing compiler it takes less memory and half the time.
 */
async function newCluster(folder: string): Promise<void> {
  const script = join(import.meta.dirname, "new-cluster.ts");
  await promisify(execFile)(process.execPath, [
    "--disable-warning=ExperimentalWarning",
    "--liftoff-only",
    "--max-semi-space-size=1", // what initdb drops is collected sooner: 560 MB at most instead of 740
    script,
    folder,
  ]);
}

async function opened(client: PGlite, release: () => Promise<void>): Promise<Embedded> {
  try {
    await migrate(pgliteMigrations(client), await readMigrations(MIGRATIONS));
  } catch (error) {
    await client.close().catch(() => undefined); // why it did not migrate is reported, not that it then does not close
    throw error;
  }
  const { db, close: disconnect } = connectEmbedded(client);
  let closing: Promise<void> | null = null;
  const close = async () => {
    try {
      await disconnect();
      await client.close();
    } finally {
      await release();
    }
  };
  return {
    db,
    vacuum: (extent) => vacuum(db, extent),
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
        // One session, so there is nobody to keep out meanwhile.
        apart: async (statement) => {
          await session.exec("COMMIT");
          try {
            await session.exec(statement);
          } finally {
            await session.exec("BEGIN");
          }
        },
      }),
    ),
});
