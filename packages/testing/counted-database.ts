import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { PGlite } from "@electric-sql/pglite";
import { type Drizzle, drizzleOf } from "#db/drizzle";
import { connectPostgres } from "#db/server/connect";
import { migrate } from "#db/server/migrate";
import { readMigrations } from "#db/server/migration";
import { MIGRATIONS, pgliteMigrations } from "#local/postgres/embedded-postgres";
import { embeddedSocket } from "#local/postgres/embedded-socket";
import { readEnv } from "#runtime/config";
import { emptyServerDatabase } from "./database.ts";

/** A migrated, empty database of its own that counts what it is sent. Close it at the end of the test file. */
export interface CountedDatabase {
  readonly db: Drizzle;
  /** Returns what was sent since it was asked last: every statement that was executed, BEGIN, COMMIT and savepoints too. */
  statements(): string[];
  close(): Promise<void>;
}

/**
 * Returns such a database: on the server of TEST_DATABASE_URL, past any pooler, or PGlite. It counts at the socket, so it
 * sees what a driver adds.
 */
export async function countedDatabase(): Promise<CountedDatabase> {
  const server = readEnv("TEST_DATABASE_URL");
  return server === null ? embedded() : onServer(server);
}

async function embedded(): Promise<CountedDatabase> {
  const client = await PGlite.create();
  await migrate(pgliteMigrations(client), await readMigrations(MIGRATIONS));
  return counted(
    "postgres://postgres@localhost/postgres",
    () => embeddedSocket(client),
    () => client.close(),
  );
}

async function onServer(server: string): Promise<CountedDatabase> {
  const { url, drop } = await emptyServerDatabase(server, true);
  const { migrations, close } = connectPostgres(url);
  await migrate(migrations, await readMigrations(MIGRATIONS));
  await close();
  const { hostname, port } = new URL(url);
  return counted(url, () => connect({ host: hostname, port: Number(port || 5432) }), drop);
}

function counted(url: string, open: () => Duplex, drop: () => Promise<unknown>): CountedDatabase {
  let sent: string[] = [];
  const { db, close } = connectPostgres(url, {
    socket: () => tapped(open(), (statement) => void sent.push(statement)),
  });
  return {
    db: drizzleOf(db),
    statements: () => {
      const since = sent;
      sent = [];
      return since;
    },
    close: async () => {
      await close();
      await drop();
    },
  };
}

/** Tells of each statement that is executed on a stream. Source: PostgreSQL documentation, "Message Formats". */
function tapped(socket: Duplex, tell: (statement: string) => void): Duplex {
  const texts = new Map<string, string>(); // of prepared statements, by name
  let buffered = Buffer.alloc(0);
  let isStarted = false;
  let bound = "";
  const hear = (type: string, body: Buffer): void => {
    const [first = "", second = ""] = body.toString("utf8").split("\0");
    if (type === "Q") tell(first);
    if (type === "P") texts.set(first, second);
    if (type === "B") bound = texts.get(second) ?? "";
    if (type === "E") tell(bound);
  };
  const write = socket.write.bind(socket);
  return Object.assign(socket, {
    write: (chunk: Buffer, ...rest: []) => {
      buffered = Buffer.concat([buffered, chunk]);
      for (;;) {
        const tag = isStarted ? 1 : 0; // the first message of a session has no type byte
        const length = buffered.length < tag + 4 ? Number.POSITIVE_INFINITY : tag + buffered.readInt32BE(tag);
        if (buffered.length < length) break;
        if (isStarted) hear(String.fromCharCode(buffered[0] ?? 0), buffered.subarray(tag + 4, length));
        isStarted = true;
        buffered = buffered.subarray(length);
      }
      return write(chunk, ...rest);
    },
  });
}
