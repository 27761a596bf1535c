import { PGlite } from "@electric-sql/pglite";
import { afterEach, expect, test, vi } from "vitest";
import { connectPostgres } from "#db/server/connect";
import { type MigrationConnection, migrate } from "#db/server/migrate";
import { migrationOf } from "#db/server/migration";
import { lambdaContext } from "#local/aws/jobs";
import { pgliteMigrations } from "#local/postgres/embedded-postgres";
import { shippedMigrations } from "#runtime/postgres/migrations";
import { provide } from "#runtime/services";
import { serverDatabase } from "#testing/database";
import { task } from "#topology/topology";
import { handler } from "./migrate-schema.ts";

afterEach(() => {
  provide("schema", null);
  vi.unstubAllEnvs();
});

const invoke = (): Promise<unknown> => handler({}, lambdaContext(task("migrate-schema"), Date.now() + 60_000));

/** Runs `work` with the task's own access to an empty database. */
async function onEmpty(work: (connection: MigrationConnection) => Promise<void>): Promise<void> {
  const server = await serverDatabase({ direct: true });
  if (server === null) {
    const client = await PGlite.create();
    provide("schema", { connection: pgliteMigrations(client), role: null });
    await work(pgliteMigrations(client));
    return client.close();
  }
  vi.stubEnv("DATABASE_URL", server.url);
  const { migrations, close } = connectPostgres(server.url);
  await work(migrations);
  await close();
  await server.drop();
}

test("a deploy's invocation says which files ran; the next finds nothing to do; a rollback finds a later release's", async () => {
  const files = await shippedMigrations();
  const later = migrationOf(
    "9999_later.sql",
    `-- compatible_from: ${String(files.at(-1)?.number).padStart(4, "0")}\nCREATE TABLE later (n int)`,
  );
  await onEmpty(async (connection) => {
    expect(await invoke()).toEqual({ ran: files.map(({ name }) => name), newer: [] });
    expect(await invoke()).toEqual({ ran: [], newer: [] });
    await migrate(connection, [...files, later]);
    expect(await invoke()).toEqual({ ran: [], newer: [later.name] });
  });
});
