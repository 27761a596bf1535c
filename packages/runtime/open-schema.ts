import * as z from "zod";
import { connectPostgres } from "#db/connect";
import type { MigrationConnection } from "#db/migrate";
import { ConfigError, readConfig } from "./config.ts";
import { readDatabaseSecret } from "./database-secret.ts";
import { readSecret } from "./secret.ts";

/** The secret that RDS keeps for a cluster's master user. Source: Secrets Manager, "JSON structure of RDS secrets". */
const ClusterSecret = z.object({
  username: z.string().min(1),
  password: z.string().min(1),
  host: z.string().min(1).optional(),
  port: z.coerce.number().int().min(1).max(65_535).default(5432),
  dbname: z.string().min(1),
});

/**
 * Opens the database's server for migrations, past any pooler, by the first of these that is set:
 * - `DATABASE_URL`;
 * - `DATABASE_SECRET_ID`: its `directUrl`, else its `url`;
 * - `SCHEMA_SECRET_ID`: the cluster's master secret, over verified TLS; `SCHEMA_HOST` overrides its host. RDS signs with
 *   an authority that Node knows only through NODE_EXTRA_CA_CERTS=/var/runtime/ca-cert.pem.
 * @throws ConfigError when none is; SecretError when the secret lacks a field.
 */
export async function openSchema(): Promise<MigrationConnection> {
  const { DATABASE_URL, DATABASE_SECRET_ID, SCHEMA_SECRET_ID, SCHEMA_HOST } = readConfig("schema");
  if (DATABASE_URL) return connectPostgres(DATABASE_URL).migrations;
  if (DATABASE_SECRET_ID) {
    const { url, directUrl, ca } = await readDatabaseSecret(DATABASE_SECRET_ID);
    return connectPostgres(directUrl ?? url, ca === undefined ? {} : { ca }).migrations;
  }
  if (!SCHEMA_SECRET_ID)
    throw new ConfigError(["DATABASE_URL"], "one of DATABASE_URL, DATABASE_SECRET_ID and SCHEMA_SECRET_ID must be set");
  const { dbname, host, ...login } = await readSecret(SCHEMA_SECRET_ID, ClusterSecret);
  const at = SCHEMA_HOST ?? host;
  if (!at) throw new ConfigError(["SCHEMA_HOST"], "SCHEMA_HOST is not set, and the cluster's secret has no host");
  return connectPostgres({ ...login, host: at, database: dbname }, { verified: true }).migrations;
}
