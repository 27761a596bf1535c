import * as z from "zod";
import { connectPostgres, type PostgresAddress, type PostgresOptions } from "#db/server/connect";
import type { DeskRole } from "#db/server/desk-role";
import type { MigrationConnection } from "#db/server/migrate";
import { ConfigError, readConfig } from "../config.ts";
import type { Opened } from "../opened.ts";
import { readSecret, type SecretVersion } from "../secret.ts";
import { DatabaseSecret, refuseUnverified } from "./database-secret.ts";

/** The owner's secret of a cluster. What RDS manages itself holds no more than the login. Source: RDS user guide. */
const OwnerSecret = z.object({
  username: z.string().min(1),
  password: z.string().min(1),
  host: z.string().min(1).optional(),
  port: z.coerce.number().int().min(1).max(65_535).default(5432),
  dbname: z.string().min(1).optional(),
});

/** The database's server, for who owns the tables. */
export interface SchemaAccess {
  readonly connection: MigrationConnection;
  /** What the other functions log in as; null = the same role. */
  readonly role: DeskRole | null;
}

/**
 * Opens the database's server for migrations, past any pooler, by the first of these that is set:
 * - `DATABASE_URL`;
 * - `DATABASE_SECRET_ID`: its `directUrl`, else its `url`;
 * - `SCHEMA_SECRET_ID`: the owner's secret, over verified TLS; `SCHEMA_HOST` and `DATABASE_NAME` win over what it holds.
 *   `DATABASE_USER` is then the functions' role, which logs in with IAM tokens. RDS signs with an authority that Node knows only through NODE_EXTRA_CA_CERTS=/var/runtime/ca-cert.pem.
 * @throws ConfigError when none is; SecretError when the secret lacks a field; UnverifiedDatabaseError where a URL leads
 *   over a network without verified TLS.
 */
export async function openSchema(): Promise<Opened<SchemaAccess>> {
  const { DATABASE_URL, DATABASE_SECRET_ID, SCHEMA_SECRET_ID, ...rds } = readConfig("schema");
  if (DATABASE_URL) {
    refuseUnverified({ url: DATABASE_URL }, "DATABASE_URL");
    return opened(DATABASE_URL, {}, null, null);
  }
  if (DATABASE_SECRET_ID) {
    const { fields, secret } = await readSecret(DATABASE_SECRET_ID, DatabaseSecret);
    refuseUnverified(fields, `the secret ${DATABASE_SECRET_ID}`);
    const { url, directUrl, ca } = fields;
    // Where a pooler's user is another one, it is the functions' role.
    const role = { name: decodeURIComponent(new URL(url).username), iam: false };
    return opened(directUrl ?? url, ca === undefined ? {} : { ca }, role, secret);
  }
  if (!SCHEMA_SECRET_ID)
    throw new ConfigError(["DATABASE_URL"], "one of DATABASE_URL, DATABASE_SECRET_ID and SCHEMA_SECRET_ID must be set");
  const { fields, secret } = await readSecret(SCHEMA_SECRET_ID, OwnerSecret);
  const host = rds.SCHEMA_HOST ?? fields.host;
  const database = rds.DATABASE_NAME ?? fields.dbname;
  if (!host) throw new ConfigError(["SCHEMA_HOST"], "SCHEMA_HOST is not set, and the owner's secret has no host");
  if (!database)
    throw new ConfigError(["DATABASE_NAME"], "DATABASE_NAME is not set, and the owner's secret has no dbname");
  const { username, password, port } = fields;
  const role = rds.DATABASE_USER === undefined ? null : { name: rds.DATABASE_USER, iam: true };
  return opened({ host, port, database, username, password }, { verified: true }, role, secret);
}

function opened(
  at: string | PostgresAddress,
  options: PostgresOptions,
  role: DeskRole | null,
  secret: SecretVersion | null,
): Opened<SchemaAccess> {
  const { migrations, end } = connectPostgres(at, options);
  return { service: { connection: migrations, role }, secret, close: end };
}
