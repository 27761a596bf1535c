import { type Laptop, type LaptopOptions, startLaptop } from "#local/laptop";
import { openServer } from "#local/postgres/server-postgres";
import { readEnv } from "#runtime/config";
import { serverDatabase } from "./database.ts";

/**
 * Returns a laptop of its own, all in memory; its database is as `testDatabase` says: on the server of
 * TEST_DATABASE_URL, through the pooler of TEST_POOLER_URL, when those are set. Its queues and bus are those of the
 * emulator of AWS at TEST_AWS_ENDPOINT_URL when that is set; then one such desk at a time.
 */
export async function testDesk(options: Pick<LaptopOptions, "env" | "secrets">): Promise<Laptop> {
  const server = await serverDatabase();
  const desk = await startLaptop({
    databaseDirectory: null,
    queueDirectory: null,
    awsEndpoint: readEnv("TEST_AWS_ENDPOINT_URL") ?? undefined,
    crashSeconds: 1,
    ...options,
    env: { RETRY_SECONDS: "1", ...options.env },
    openDatabase: server === null ? undefined : () => openServer(server.url, { kind: "replay", name: "test" }),
  });
  return {
    ...desk,
    close: async () => {
      await desk.close();
      await server?.drop();
    },
  };
}
