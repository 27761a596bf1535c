import { randomBytes } from "node:crypto";
import postgres from "postgres";
import { afterEach, expect, test } from "vitest";
import { MIGRATIONS } from "#local/postgres/embedded-postgres";
import { readEnv } from "#runtime/config";
import { type ServerDatabase, serverDatabase } from "#testing/database";
import { checkServer, createTimescale } from "./capabilities.ts";
import { connectPostgres } from "./connect.ts";
import { migrate } from "./migrate.ts";
import { readMigrations } from "./migration.ts";
import { type MigrationRun, shaped } from "./migration-run.ts";

const server = readEnv("TEST_DATABASE_URL");
const onServer = test.skipIf(server === null);
const closings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closings.splice(0).reverse()) await close();
});

/** A server that says of itself what the test has it say. */
const saying = (facts: Record<string, unknown>): MigrationRun =>
  shaped({ exec: async () => {}, apart: async () => {}, query: async () => [facts] });
const fit = {
  ...{ version: 150_004, release: "15.4", encoding: "UTF8", standby: false },
  ...{ role: "r", database: "d", schema: "public", may_create: true },
};

test.each([
  ["an older release", { version: 140_009, release: "14.9" }, "version", "PostgreSQL 14.9; use 15 or newer"],
  ["another encoding", { encoding: "SQL_ASCII" }, "encoding", "CREATE DATABASE spyhop ENCODING 'UTF8'"],
  ["a standby", { standby: true }, "writes", "Give the primary's address"],
  ["no right to create", { may_create: false }, "schema right", "GRANT CREATE ON SCHEMA public TO r"],
  ["no schema at all", { may_create: false, schema: "" }, "schema right", "any schema of its search path"],
])("%s is refused by name, with what to do", async (_, facts, lack, said) => {
  const refusal = expect(checkServer(saying({ ...fit, ...facts }))).rejects;
  await refusal.toMatchObject({ name: "UnfitServerError", lack });
  await refusal.toThrow(said);
});

test("a server that is fit passes", async () => {
  await expect(checkServer(saying(fit))).resolves.toBeUndefined();
});

test("TimescaleDB that may not be created is refused, with both ways on", async () => {
  const refusal = expect(createTimescale(saying({ refused: "yes", role: "r", database: "d" }))).rejects;
  await refusal.toMatchObject({ name: "UnfitServerError", lack: "extension right" });
  await refusal.toThrow(/CREATE EXTENSION timescaledb.*ALTER DATABASE d SET app.disable_timescale = 'on'/);
});

/** A database, and a role without any right in it. */
async function stranger() {
  const { url, drop } = (await serverDatabase({ direct: true })) as ServerDatabase;
  const admin = postgres(url, { max: 1, onnotice: () => {} });
  const role = `stranger_${randomBytes(6).toString("hex")}`;
  await admin.unsafe(`CREATE ROLE ${role} LOGIN`);
  const address = new URL(url);
  address.username = role;
  const connection = connectPostgres(address.href);
  closings.push(async () => {
    await connection.close();
    await admin.unsafe(`DROP OWNED BY ${role}`);
    await admin.end();
    await drop();
    const again = postgres(server ?? "", { max: 1, onnotice: () => {} });
    await again.unsafe(`DROP ROLE ${role}`);
    await again.end();
  });
  return { admin, role, connection };
}

onServer("on a real server: a role without rights is refused, and what the refusal says is what it takes", async () => {
  const { admin, role, connection } = await stranger();
  const files = await readMigrations(MIGRATIONS);
  const run = () =>
    migrate(connection.migrations, files).then(
      () => null,
      (error: Error & { lack?: string }) => error,
    );
  const first = await run();
  expect([first?.name, first?.lack]).toEqual(["UnfitServerError", "schema right"]);
  await admin.unsafe(/GRANT .* TO \w+/.exec(first?.message ?? "")?.[0] ?? "");
  const timescale = await admin`SELECT current_setting('timescaledb.max_background_workers', true) AS preloaded`;
  const second = await run();
  if (timescale[0]?.preloaded === null) {
    expect(second).toBeNull(); // native partitions, and an embedding without pgvector
    const [row] = await admin`SELECT backend FROM time_series_policies LIMIT 1`;
    expect(row?.backend).toBe("partition");
    return;
  }
  expect([second?.name, second?.lack]).toEqual(["UnfitServerError", "extension right"]);
  await admin.unsafe("CREATE EXTENSION timescaledb");
  expect(await run()).toBeNull();
  expect(role).toMatch(/^stranger_/);
});

onServer("on a real server: a database in another encoding is refused", async () => {
  const name = `spyhop_test_${randomBytes(8).toString("hex")}`;
  const admin = postgres(server ?? "", { max: 1, onnotice: () => {} });
  await admin.unsafe(`CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'`);
  const address = new URL(server ?? "");
  address.pathname = `/${name}`;
  const connection = connectPostgres(address.href);
  closings.push(async () => {
    await connection.close();
    await admin.unsafe(`DROP DATABASE ${name} WITH (FORCE)`);
    await admin.end();
  });
  await expect(migrate(connection.migrations, [])).rejects.toMatchObject({
    name: "UnfitServerError",
    lack: "encoding",
  });
});
