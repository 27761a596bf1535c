import type { Duplex } from "node:stream";
import { drizzle } from "drizzle-orm/postgres-js";
import postgres from "postgres";
import type { Db } from "../client.ts";
import type { MigrationConnection } from "./migrate.ts";

/** Where a database is, when it is not a URL. `password` may be a function: it is asked at every connection. */
export interface PostgresAddress {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly username: string;
  readonly password: string | (() => Promise<string>);
}

export interface PostgresOptions {
  /** PEM of the authority that signed the server's certificate. With it the certificate is verified. */
  readonly ca?: string;
  /** Verify the certificate against the authorities that Node knows. Implied by `ca`, and by the URL's `sslmode`. */
  readonly verified?: boolean;
  /** Sessions of this process; 1 unless said. A function serves one message at a time and needs no more. */
  readonly sessions?: number;
  /**
   * Opens the stream to a server inside this process. It is ours alone and no pooler stands between, so statements are
   * prepared: planning over partitions costs such a server more than running most of them.
   */
  readonly socket?: () => Duplex;
}

export interface PostgresConnection {
  readonly db: Db;
  /** For migrations: best past a pooler, since their long statements pin a session of RDS Proxy. pgbouncer stands them. */
  readonly migrations: MigrationConnection;
  /** Lets the statements in hand end, for up to five seconds, then closes. */
  close(): Promise<void>;
  /** Closes at once. What runs fails; the server rolls it back when it notices. */
  end(): Promise<void>;
}

// date[], timestamp[], timestamptz[], numeric[]. drizzle has them sent as they are, because its own array columns are text
// by then; an array that is a parameter of raw SQL, as for unnest, still has to become text.
const ARRAYS_OF_TEXT = [1182, 1115, 1185, 1231];

const arrayLiteral = (value: unknown): unknown => (Array.isArray(value) ? `{${value.map(element).join(",")}}` : value);
// Dates and numbers hold nothing to escape.
const element = (value: unknown): string => (value === null ? "NULL" : `"${String(value)}"`);

/**
 * Opens PostgreSQL at a URL or an address on first use. Made for a transaction pooler: no prepared statements and no session state.
 * TLS is on, and the certificate verified, when `ca` or `verified` is given or the URL says `sslmode=verify-full` or `verify-ca`;
 * other values of sslmode are postgres.js's (`require` encrypts without verifying).
 */
export function connectPostgres(at: string | PostgresAddress, options: PostgresOptions = {}): PostgresConnection {
  const sslmode = typeof at === "string" ? new URL(at).searchParams.get("sslmode") : null;
  const asked = sslmode === "verify-full" || sslmode === "verify-ca";
  const verified = options.ca !== undefined || options.verified === true || asked;
  const [url, address] = typeof at === "string" ? [at, {}] : ["", at];
  const { socket } = options;
  const inProcess = { prepare: true, idle_timeout: null, max_lifetime: null, socket: async () => socket?.() };
  const settings = {
    ...address,
    max: options.sessions ?? 1,
    prepare: false,
    idle_timeout: 20,
    connect_timeout: 5,
    onnotice: () => {},
    ...(socket ? (inProcess as object) : {}), // postgres.js documents `socket`, its types do not have it
    ...(verified ? { ssl: { rejectUnauthorized: true, ...(options.ca === undefined ? {} : { ca: options.ca }) } } : {}),
  };
  const client = postgres(url, settings);
  const db = drizzle(socket ? preparing(client) : client);
  for (const type of ARRAYS_OF_TEXT) client.options.serializers[type] = arrayLiteral;
  return {
    db,
    migrations: {
      transaction: async (work) =>
        (await client.begin((session) =>
          work({
            exec: async (statements) => void (await session.unsafe(statements).simple()),
            query: async (statement, parameters) => [...(await session.unsafe(statement, [...parameters]))],
            apart: (statement) => apart(postgres(url, { ...settings, ...UNLIMITED }), statement),
          }),
        )) as never,
    },
    close: () => client.end({ timeout: 5 }),
    end: () => client.end({ timeout: 0 }),
  };
}

// The role's limit is for the desk's short statements. Given as the session begins: a pooler refuses it, rather than lend a
// session without a limit to somebody else.
const UNLIMITED = { max: 1, connection: { statement_timeout: 0 } } as const;

async function apart(session: postgres.Sql, statement: string): Promise<void> {
  try {
    await session.unsafe(statement).simple();
  } finally {
    await session.end();
  }
}

type Session = postgres.Sql | postgres.TransactionSql;
type InSession = (session: postgres.TransactionSql) => unknown;

/** Returns the client with every statement prepared. drizzle has no setting for it: it calls `unsafe`, which prepares nothing. */
function preparing<S extends Session>(session: S): S {
  const unsafe = (text: string, parameters?: postgres.ParameterOrJSON<never>[]) =>
    session.unsafe(text, parameters, { prepare: true });
  const within = (open: (work: InSession) => unknown) => (work: InSession) => open((inner) => work(preparing(inner)));
  return new Proxy(session, {
    get: (target, name) => {
      if (name === "unsafe") return unsafe;
      if (name === "begin" && "begin" in target) return within((work) => target.begin(work));
      if (name === "savepoint" && "savepoint" in target) return within((work) => target.savepoint(work));
      return Reflect.get(target, name);
    },
  });
}
