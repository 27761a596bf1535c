import type { Db } from "#db/client";
import { connectPostgres } from "#db/connect";
import { ConfigError, readConfig } from "./config.ts";
import { readDatabaseSecret } from "./database-secret.ts";

/**
 * Opens the database, by the first of these that is set:
 * - `DATABASE_URL`: a laptop's or a compose file's own server;
 * - `DATABASE_SECRET_ID`: an external database's secret;
 * - `DATABASE_HOST`, `DATABASE_PORT`, `DATABASE_NAME`, `DATABASE_USER`: Aurora behind RDS Proxy, over verified TLS, with
 *   an IAM token in place of a password.
 * @throws ConfigError when none is; SecretError when the secret lacks a field.
 */
export async function openDatabase(): Promise<Db> {
  const { DATABASE_URL, DATABASE_SECRET_ID, ...rds } = readConfig("database");
  if (DATABASE_URL) return connectPostgres(DATABASE_URL).db;
  if (DATABASE_SECRET_ID) {
    const { url, ca } = await readDatabaseSecret(DATABASE_SECRET_ID);
    return connectPostgres(url, ca === undefined ? {} : { ca }).db;
  }
  const { DATABASE_HOST, DATABASE_NAME, DATABASE_USER, DATABASE_PORT, AWS_REGION } = rds;
  if (!DATABASE_HOST)
    throw new ConfigError(["DATABASE_URL"], "one of DATABASE_URL, DATABASE_SECRET_ID and DATABASE_HOST must be set");
  if (!DATABASE_NAME || !DATABASE_USER)
    throw new ConfigError(["DATABASE_NAME", "DATABASE_USER"], "DATABASE_HOST asks for DATABASE_NAME and DATABASE_USER");
  const { Signer } = await import("@aws-sdk/rds-signer");
  const host = { hostname: DATABASE_HOST, port: DATABASE_PORT, username: DATABASE_USER };
  const signer = new Signer(AWS_REGION === undefined ? host : { ...host, region: AWS_REGION });
  const address = { host: DATABASE_HOST, port: DATABASE_PORT, database: DATABASE_NAME, username: DATABASE_USER };
  // A token is good for a quarter of an hour, and only for opening: so a new one for each connection.
  return connectPostgres({ ...address, password: () => signer.getAuthToken() }, { verified: true }).db;
}
