import { Signer } from "@aws-sdk/rds-signer";
import type { Db } from "#db/client";
import { connectPostgres, type PostgresAddress, type PostgresOptions } from "#db/server/connect";
import { ConfigError, readConfig } from "../config.ts";
import type { Opened } from "../opened.ts";
import { readSecret, type SecretVersion } from "../secret.ts";
import { DatabaseSecret, refuseUnverified } from "./database-secret.ts";

/**
 * Opens the database, by the first of these that is set:
 * - `DATABASE_URL`: a laptop's or a compose file's own server;
 * - `DATABASE_SECRET_ID`: an external database's secret;
 * - `DATABASE_HOST`, `DATABASE_PORT`, `DATABASE_NAME`, `DATABASE_USER`: Aurora behind RDS Proxy, over verified TLS, with
 *   an IAM token in place of a password.
 * @throws ConfigError when none is; SecretError when the secret lacks a field; UnverifiedDatabaseError where a URL leads
 *   over a network without verified TLS.
 */
export async function openDatabase(): Promise<Opened<Db>> {
  const { DATABASE_URL, DATABASE_SECRET_ID, ...rds } = readConfig("database");
  if (DATABASE_URL) {
    refuseUnverified({ url: DATABASE_URL }, "DATABASE_URL");
    return opened(DATABASE_URL);
  }
  if (DATABASE_SECRET_ID) {
    const { fields, secret } = await readSecret(DATABASE_SECRET_ID, DatabaseSecret);
    refuseUnverified(fields, `the secret ${DATABASE_SECRET_ID}`);
    return opened(fields.url, fields.ca === undefined ? {} : { ca: fields.ca }, secret);
  }
  const { DATABASE_HOST: host, DATABASE_NAME: database, DATABASE_USER: username, DATABASE_PORT: port } = rds;
  if (!host)
    throw new ConfigError(["DATABASE_URL"], "one of DATABASE_URL, DATABASE_SECRET_ID and DATABASE_HOST must be set");
  if (!database || !username)
    throw new ConfigError(["DATABASE_NAME", "DATABASE_USER"], "DATABASE_HOST asks for DATABASE_NAME and DATABASE_USER");
  // A token is taken for 15 minutes and opens a connection, so each connection has a new one.
  const signer = new Signer({ hostname: host, port, username });
  const password = (): Promise<string> => signer.getAuthToken();
  return opened({ host, port, database, username, password }, { verified: true });
}

function opened(
  at: string | PostgresAddress,
  options: PostgresOptions = {},
  secret: SecretVersion | null = null,
): Opened<Db> {
  const { db, end } = connectPostgres(at, options);
  return { service: db, secret, close: end };
}
