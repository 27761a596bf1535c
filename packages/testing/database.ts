import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import postgres from "postgres";
import type { Db } from "#db/client";
import { connectPostgres } from "#db/connect";
import { migrate, readMigrations } from "#db/migrate";
import { connectEmbedded, pgliteMigrations } from "#local/embedded-postgres";
import { readEnv } from "#runtime/config";
import { sha256 } from "#units/ids";

/** A migrated, empty database of its own. Close it at the end of the test file. */
export interface TestDatabase {
  readonly db: Db;
  close(): Promise<void>;
}

const root = join(import.meta.dirname, "../..");

/**
 * Returns a fresh migrated database: PGlite in memory, or, when TEST_DATABASE_URL names a server, a database that is
 * created there under a random name and dropped on close.
 */
export async function testDatabase(): Promise<TestDatabase> {
  const server = readEnv("TEST_DATABASE_URL");
  return server === null ? embedded() : onServer(server);
}

/** Creates an empty database on `server`, not migrated, and returns where it is and how to drop it. */
export async function emptyServerDatabase(server: string): Promise<{ url: string; drop(): Promise<void> }> {
  const name = `spyhop_test_${randomUUID().replaceAll("-", "")}`;
  const admin = postgres(server, { max: 1, onnotice: () => {} });
  // template0: a server's own template may hold extensions, and may be in use.
  await admin.unsafe(`CREATE DATABASE ${name} TEMPLATE template0`);
  await admin.end();
  const url = new URL(server);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    drop: async () => {
      const again = postgres(server, { max: 1, onnotice: () => {} });
      await again.unsafe(`DROP DATABASE ${name} WITH (FORCE)`);
      await again.end();
    },
  };
}

async function onServer(server: string): Promise<TestDatabase> {
  const { url, drop } = await emptyServerDatabase(server);
  const { db, migrations, close } = connectPostgres(url);
  await migrate(migrations, await readMigrations(join(root, "migrations")));
  return {
    db,
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
    db,
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
