import { PGlite } from "@electric-sql/pglite";
import { afterEach, expect, test, vi } from "vitest";
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

/** Runs the task twice on an empty database and returns the two replies. */
async function twice(): Promise<unknown[]> {
  const server = await serverDatabase({ direct: true });
  if (server === null) {
    const client = await PGlite.create();
    provide("schema", { connection: pgliteMigrations(client), role: null });
    const replies = [await invoke(), await invoke()];
    await client.close();
    return replies;
  }
  vi.stubEnv("DATABASE_URL", server.url);
  const replies = [await invoke(), await invoke()];
  await server.drop();
  return replies;
}

test("a deploy's invocation says which files ran; the next one finds nothing to do", async () => {
  const names = (await shippedMigrations()).map(({ name }) => name);
  expect(await twice()).toEqual([{ ran: names }, { ran: [] }]);
});
