import { createServer, type Socket } from "node:net";
import { PGlite } from "@electric-sql/pglite";
import { drizzle } from "drizzle-orm/pglite";
import { type Drizzle, drizzleOf } from "#db/drizzle";
import * as schema from "#db/schema";
import { connectPostgres } from "#db/server/connect";
import { migrate } from "#db/server/migrate";
import { readMigrations } from "#db/server/migration";
import { MIGRATIONS, pgliteMigrations } from "#local/postgres/embedded-postgres";
import { type ServerDatabase, serverDatabase } from "./database.ts";

/** A migrated, empty database that other processes can connect to. Close it at the end of the test file. */
export interface WireDatabase {
  readonly url: string;
  /** The same database, from this process. */
  readonly db: Drizzle;
  close(): Promise<void>;
}

/**
 * Returns a fresh migrated database with a URL: on the server of TEST_DATABASE_URL, or PGlite behind a loopback port.
 * PGlite has one session: clients take turns, message by message, so only one of them may be in a transaction at a time.
 */
export async function wireDatabase(): Promise<WireDatabase> {
  const server = await serverDatabase();
  return server === null ? embedded() : onServer(server);
}

async function onServer({ url, drop }: ServerDatabase): Promise<WireDatabase> {
  const { db, migrations, close } = connectPostgres(url);
  await migrate(migrations, await readMigrations(MIGRATIONS));
  return {
    url,
    db: drizzleOf(db),
    close: async () => {
      await close();
      await drop();
    },
  };
}

async function embedded(): Promise<WireDatabase> {
  const client = await PGlite.create();
  await migrate(pgliteMigrations(client), await readMigrations(MIGRATIONS));
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => socket.destroy());
    serve(socket, client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    db: drizzle(client, { schema }),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await client.close();
    },
  };
}

const TERMINATE = 0x58; // 'X'

/** Passes whole messages to PGlite in order. Source: PostgreSQL documentation, "Message Formats". */
function serve(socket: Socket, client: PGlite): void {
  let buffered = Buffer.alloc(0);
  let started = false;
  let turn: Promise<unknown> = Promise.resolve();
  socket.on("data", (chunk: Buffer) => {
    buffered = Buffer.concat([buffered, chunk]);
    for (;;) {
      const tag = started ? 1 : 0; // the first message of a session has no type byte
      if (buffered.length < tag + 4) return;
      const length = tag + buffered.readInt32BE(tag);
      if (buffered.length < length) return;
      const message = buffered.subarray(0, length);
      buffered = buffered.subarray(length);
      if (started && message[0] === TERMINATE) return void socket.end();
      started = true;
      turn = turn.then(async () => {
        const reply = await client.execProtocolRaw(message);
        if (socket.writable) socket.write(reply);
      });
      turn.catch(() => socket.destroy());
    }
  });
}
