import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import postgres from "postgres";
import { type Drizzle, drizzleOf } from "#db/drizzle";
import { connectPostgres } from "#db/server/connect";
import { migrate } from "#db/server/migrate";
import { readMigrations } from "#db/server/migration";
import { connectEmbedded, pgliteMigrations } from "#local/postgres/embedded-postgres";
import { readEnv } from "#runtime/config";
import { sha256 } from "#units/ids";

/** A migrated, empty database of its own. Close it at the end of the test file. */
export interface TestDatabase {
  readonly db: Drizzle;
  /** @throws SessionStateError when a transaction through the pooler left something in its session. */
  close(): Promise<void>;
}

/** A database on a server, and how to drop it. */
export interface ServerDatabase {
  /** Through the pooler, when TEST_POOLER_URL names one. */
  readonly url: string;
  /** @throws SessionStateError when a transaction through the pooler left something in its session. */
  drop(): Promise<void>;
}

/** A transaction left something in its session. Behind a transaction pooler the next one may meet another session. */
export class SessionStateError extends Error {
  override name = "SessionStateError";
  readonly left: readonly string[];
  constructor(left: readonly string[]) {
    super(`transactions left session state behind, which a pooler loses or gives to others: ${left.join("; ")}`);
    this.left = left;
  }
}

const root = join(import.meta.dirname, "../..");

/**
 * Returns a fresh migrated database: PGlite in memory, or, when TEST_DATABASE_URL names a server, a database that is
 * created there under a random name and dropped on close. When TEST_POOLER_URL names a pooler before that server, the
 * database is reached through it, unless `direct` asks for a session of one's own.
 */
export async function testDatabase({ direct = false } = {}): Promise<TestDatabase> {
  const server = readEnv("TEST_DATABASE_URL");
  return server === null ? embedded() : onServer(server, direct);
}

/**
 * Returns a new database on the server of TEST_DATABASE_URL, not migrated, or null when it names none, so that the
 * embedded database is to be used.
 */
export async function serverDatabase({ direct = false } = {}): Promise<ServerDatabase | null> {
  const server = readEnv("TEST_DATABASE_URL");
  return server === null ? null : emptyServerDatabase(server, direct);
}

/** Creates an empty database on `server`, not migrated, and returns where it is and how to drop it. */
export async function emptyServerDatabase(server: string, direct: boolean): Promise<ServerDatabase> {
  const name = `spyhop_test_${randomUUID().replaceAll("-", "")}`;
  const at = (url: string): string => Object.assign(new URL(url), { pathname: `/${name}` }).href;
  const pooler = direct ? null : readEnv("TEST_POOLER_URL");
  // template0: a server's own template may hold extensions, and may be in use.
  await administer(server, (admin) => admin.unsafe(`CREATE DATABASE ${name} TEMPLATE template0`));
  if (pooler !== null) {
    const watch = await readFile(join(import.meta.dirname, "pooler.sql"), "utf8");
    await administer(at(server), (admin) => admin.unsafe(watch).simple());
  }
  return {
    url: at(pooler ?? server),
    drop: async () => {
      const left = pooler === null ? [] : await administer(at(server), leftInSessions);
      await administer(server, (admin) => admin.unsafe(`DROP DATABASE ${name} WITH (FORCE)`));
      if (left.length > 0) throw new SessionStateError(left);
    },
  };
}

async function administer<T>(url: string, work: (admin: postgres.Sql) => Promise<T>): Promise<T> {
  const admin = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return await work(admin);
  } finally {
    await admin.end();
  }
}

const leftInSessions = async (admin: postgres.Sql): Promise<string[]> =>
  (await admin<{ what: string }[]>`SELECT DISTINCT what FROM pooler.session_state ORDER BY what`).map(
    (row) => row.what,
  );

async function onServer(server: string, direct: boolean): Promise<TestDatabase> {
  const { url, drop } = await emptyServerDatabase(server, direct);
  const { db, migrations, close } = connectPostgres(url);
  await migrate(migrations, await readMigrations(join(root, "migrations")));
  return {
    db: drizzleOf(db),
    close: async () => {
      await close();
      await drop();
    },
  };
}

async function embedded(): Promise<TestDatabase> {
  const client = await PGlite.create({ loadDataDir: await migratedImage() });
  const { db, close } = connectEmbedded(client);
  return {
    db: drizzleOf(db),
    close: async () => {
      await close();
      await client.close();
    },
  };
}

/** The migrated data folder as an archive, made once per text of the migrations: loading it takes a fraction of migrating. */
async function migratedImage(): Promise<Blob> {
  const migrations = await readMigrations(join(root, "migrations"));
  const pglite = await readFile(join(root, "node_modules/@electric-sql/pglite/package.json"), "utf8");
  const folder = join(root, "node_modules/.cache/spyhop");
  const path = join(folder, `${sha256(JSON.stringify(migrations) + pglite).slice(0, 16)}.tar`);
  const cached = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (cached) return new Blob([cached]);
  const client = await PGlite.create();
  await migrate(pgliteMigrations(client), migrations);
  const image = await client.dumpDataDir("none");
  await client.close();
  await mkdir(folder, { recursive: true });
  // Two test files may make it at once; each writes its own file, and the rename is atomic.
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, Buffer.from(await image.arrayBuffer()));
  await rename(draft, path);
  return image;
}
