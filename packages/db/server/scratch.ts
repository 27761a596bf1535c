import { randomUUID } from "node:crypto";
import postgres from "postgres";

/** An empty database of its own on a server, not migrated. */
export interface ScratchDatabase {
  readonly url: string;
  /** Drops it, whoever is connected. */
  drop(): Promise<void>;
}

/** Creates a database under a random name on the server at `server`, whose user must be allowed to. */
export async function createScratchDatabase(server: string): Promise<ScratchDatabase> {
  const name = `spyhop_test_${randomUUID().replaceAll("-", "")}`;
  // template0: a server's own template may hold extensions, and may be in use.
  await onServer(server, `CREATE DATABASE ${name} TEMPLATE template0`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => onServer(server, `DROP DATABASE ${name} WITH (FORCE)`) };
}

async function onServer(server: string, statement: string): Promise<void> {
  const client = postgres(server, { max: 1, onnotice: () => {} });
  try {
    await client.unsafe(statement);
  } finally {
    await client.end();
  }
}
