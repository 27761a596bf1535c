import * as z from "zod";
import type { Db } from "#db/client";
import { connectPostgres } from "#db/connect";
import { ConfigError, readConfig } from "./config.ts";
import { readSecret } from "./secret.ts";

/** Opens the database of DATABASE_URL, or of the secret DATABASE_SECRET_ID (field `url`). */
export async function openDatabase(): Promise<Db> {
  const { DATABASE_URL, DATABASE_SECRET_ID } = readConfig("database");
  if (DATABASE_URL) return connectPostgres(DATABASE_URL).db;
  if (!DATABASE_SECRET_ID) throw new ConfigError(["DATABASE_URL"], "DATABASE_URL or DATABASE_SECRET_ID must be set");
  const { url } = await readSecret(DATABASE_SECRET_ID, z.object({ url: z.string().min(1) }));
  return connectPostgres(url).db;
}
