import * as kind from "../shape.ts";
import type { MigrationRun } from "./migration-run.ts";

/** What a server must offer and one does not. */
export type Lack = "version" | "encoding" | "writes" | "schema right" | "extension right";

/** The database cannot hold the desk as it is. The message says what to do; nothing was changed. */
export class UnfitServerError extends Error {
  override name = "UnfitServerError";
  readonly lack: Lack;
  constructor(lack: Lack, message: string) {
    super(message);
    this.lack = lack;
  }
}

const Facts = kind.shape("facts of a server", {
  version: kind.int,
  release: kind.text,
  encoding: kind.text,
  standby: kind.flag,
  role: kind.text,
  database: kind.text,
  schema: kind.text,
  may_create: kind.flag,
});
const Extension = kind.shape("TimescaleDB's refusal", { refused: kind.text, role: kind.text, database: kind.text });

const FACTS = `SELECT current_setting('server_version_num')::int AS version, current_setting('server_version') AS release,
  current_setting('server_encoding') AS encoding, pg_is_in_recovery() AS standby,
  current_user::text AS role, current_database()::text AS database, coalesce(current_schema(), '')::text AS schema,
  coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS may_create`;

/**
 * Checks that this code's schema can be made and changed on the server, with the role that is connected.
 * @throws UnfitServerError naming what is missing: PostgreSQL 15, UTF8, a server that takes writes, the right to create.
 */
export async function checkServer(run: MigrationRun): Promise<void> {
  const [facts] = await run.query(Facts, FACTS);
  if (!facts) throw new TypeError("a SELECT of constants gives a row");
  const { version, release, encoding, standby, role, database, schema, may_create: mayCreate } = facts;
  if (version < 150_000) throw new UnfitServerError("version", `the server is PostgreSQL ${release}; use 15 or newer.`);
  if (encoding !== "UTF8")
    throw new UnfitServerError(
      "encoding",
      `the database ${database} is encoded in ${encoding}. Make one in UTF8: CREATE DATABASE spyhop ENCODING 'UTF8' TEMPLATE template0.`,
    );
  if (standby)
    throw new UnfitServerError("writes", "the server is a standby, which takes no writes. Give the primary's address.");
  if (!mayCreate)
    throw new UnfitServerError(
      "schema right",
      `the role ${role} may not create tables in ${schema === "" ? "any schema of its search path" : `schema ${schema}`} ` +
        `of database ${database}. As its owner: GRANT CREATE ON SCHEMA ${schema === "" ? "public" : schema} TO ${role}.`,
    );
}

// As 0001_initial.sql asks: a server that has the extension but does not preload it would end the session.
const TRY_TIMESCALE = `DO $$
BEGIN
  IF coalesce(current_setting('app.disable_timescale', true), 'off') <> 'on'
     AND current_setting('timescaledb.max_background_workers', true) IS NOT NULL
     AND EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = 'timescaledb') THEN
    BEGIN
      CREATE EXTENSION IF NOT EXISTS timescaledb;
    EXCEPTION WHEN insufficient_privilege THEN
      PERFORM set_config('app.timescale_refused', 'yes', true);
    END;
  END IF;
END $$`;

/**
 * Creates TimescaleDB on an empty database of a server that offers it. Whether tables are hypertables is decided once,
 * when they are made, so a missing right is refused instead of passed over. A server that does not offer it gets native
 * partitions; pgvector, which nothing reads yet, is used where it may be created and passed over where not.
 * @throws UnfitServerError when the role may not create it.
 */
export async function createTimescale(run: MigrationRun): Promise<void> {
  await run.exec(TRY_TIMESCALE);
  const [row] = await run.query(
    Extension,
    `SELECT coalesce(current_setting('app.timescale_refused', true), '') AS refused, current_user::text AS role,
            current_database()::text AS database`,
  );
  if (row?.refused !== "yes") return;
  throw new UnfitServerError(
    "extension right",
    `the server offers TimescaleDB, but the role ${row.role} may not create it in database ${row.database}. As its owner: ` +
      "CREATE EXTENSION timescaledb; then run this again. To use native partitions for good instead: " +
      `ALTER DATABASE ${row.database} SET app.disable_timescale = 'on'.`,
  );
}
