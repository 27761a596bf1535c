import { prepareRole } from "#db/server/desk-role";
import { migrate } from "#db/server/migrate";
import { shippedMigrations } from "#runtime/postgres/migrations";
import { task } from "#runtime/task";

/**
 * Brings the database to the schema of this release, before the release's other functions use it. Says which files ran,
 * and which of a later release were there: then this is a rollback, and that release has prepared the role already.
 */
export const handler = task("migrate-schema", async ({ schema }) => {
  const { ran, newer } = await migrate(schema.connection, await shippedMigrations());
  if (newer.length === 0) await prepareRole(schema.connection, schema.role);
  return { ran, newer };
});
