import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Migration, readMigrations } from "#db/server/migration";

/** Beside the bundle, where the deployment copies it; from the sources, at the top of the project. */
const FOLDERS = [join(import.meta.dirname, "migrations"), join(import.meta.dirname, "../../../migrations")];

/** The deployment package holds no `migrations` folder, so nothing could be run. */
class MissingMigrationsError extends Error {
  override name = "MissingMigrationsError";
  constructor() {
    super("the bundle has no folder `migrations` beside it: deploy again with the SQL files copied there");
  }
}

/** Returns the migrations that ship with this code, in the order they run. @throws MissingMigrationsError */
export async function shippedMigrations(): Promise<Migration[]> {
  const folder = FOLDERS.find(existsSync);
  const files = folder === undefined ? [] : await readMigrations(folder);
  if (files.length === 0) throw new MissingMigrationsError();
  return files;
}
