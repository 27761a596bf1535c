import { prepareRole } from "#db/server/desk-role";
import { migrate } from "#db/server/migrate";
import { shippedMigrations } from "#runtime/postgres/migrations";
import { task } from "#runtime/task";

/** Brings the database to the schema of this release, before the release's other functions use it. Says which files ran. */
export const handler = task("migrate-schema", async ({ schema }) => {
  const ran = await migrate(schema.connection, await shippedMigrations());
  await prepareRole(schema.connection, schema.role);
  return { ran };
});
