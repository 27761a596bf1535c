import { PGlite } from "@electric-sql/pglite";
import { afterEach, expect, test } from "vitest";
import { MIGRATIONS, pgliteMigrations } from "#local/postgres/embedded-postgres";
import { readEnv } from "#runtime/config";
import { serverDatabase } from "#testing/database";
import { connectPostgres } from "./connect.ts";
import {
  EditedMigrationError,
  MigrationBusyError,
  type MigrationConnection,
  MigrationOrderError,
  migrate,
  NewerSchemaError,
  readMigrations,
} from "./migrate.ts";

// PGlite has one session, which waits for nobody.
const onServer = test.skipIf(readEnv("TEST_DATABASE_URL") === null);
let closings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closings) await close();
  closings = [];
});

/** An empty database, and as many connections to it as asked for. PGlite has one session, so it has one connection. */
async function empty(connections = 1): Promise<MigrationConnection[]> {
  const server = await serverDatabase();
  if (server === null) {
    const client = await PGlite.create();
    closings.push(() => client.close());
    return Array.from({ length: connections }, () => pgliteMigrations(client));
  }
  const opened = Array.from({ length: connections }, () => connectPostgres(server.url));
  closings.push(...opened.map(({ close }) => close), server.drop);
  return opened.map(({ migrations }) => migrations);
}
const one = async () => (await empty())[0] as MigrationConnection;

const first = { name: "0001_a.sql", sql: "CREATE TABLE a (n int); INSERT INTO a VALUES (1);" };
const second = { name: "0002_b.sql", sql: "CREATE TABLE b (n int); INSERT INTO b SELECT n + 1 FROM a;" };
const ask = (connection: MigrationConnection, statement: string) =>
  connection.transaction((run) => run.query(statement, []));

test("the project's own migrations run once", async () => {
  const connection = await one();
  const files = await readMigrations(MIGRATIONS);
  expect(await migrate(connection, files)).toEqual(files.map(({ name }) => name));
  expect(await migrate(connection, files)).toEqual([]);
});

test("only the new file runs", async () => {
  const connection = await one();
  expect(await migrate(connection, [first])).toEqual([first.name]);
  expect(await migrate(connection, [first, second])).toEqual([second.name]);
  expect(await ask(connection, "SELECT n FROM b")).toEqual([{ n: 2 }]);
});

test("an edited file is refused, and nothing runs", async () => {
  const connection = await one();
  await migrate(connection, [first]);
  const edited = { ...first, sql: `${first.sql} ` };
  const refusal = expect(migrate(connection, [edited, second])).rejects;
  await refusal.toBeInstanceOf(EditedMigrationError);
  await refusal.toThrow(/0001_a\.sql was edited .*Restore its text/);
  expect(await ask(connection, "SELECT to_regclass('b') IS NULL AS absent")).toEqual([{ absent: true }]);
});

test("a newer schema is refused", async () => {
  const connection = await one();
  await migrate(connection, [first, second]);
  const refusal = expect(migrate(connection, [first])).rejects;
  await refusal.toBeInstanceOf(NewerSchemaError);
  await refusal.toThrow(/newer schema.*0002_b\.sql.*Update the code/);
});

test("a file that sorts before one that ran is refused", async () => {
  const connection = await one();
  const third = { ...first, name: "0003_c.sql" };
  await migrate(connection, [third]);
  const refusal = expect(migrate(connection, [second, third])).rejects;
  await refusal.toBeInstanceOf(MigrationOrderError);
  await refusal.toThrow(/0002_b\.sql has not run, but 0003_c\.sql has.*number above/);
});

test("a failing file leaves the database at the one before it", async () => {
  const connection = await one();
  const broken = { name: "0002_b.sql", sql: "CREATE TABLE half (n int); SELECT 1 / 0;" };
  await expect(migrate(connection, [first, broken])).rejects.toThrow(/division by zero/);
  expect(await ask(connection, "SELECT to_regclass('half') IS NULL AS absent")).toEqual([{ absent: true }]);
  expect(await migrate(connection, [first, second])).toEqual([second.name]);
});

onServer("a database in use is waited for ten seconds, then refused by name, with nothing done", async () => {
  const [one, two] = await empty(2);
  await migrate(one as MigrationConnection, [first]);
  const altering = { name: "0002_b.sql", sql: "ALTER TABLE a ADD COLUMN m int" };
  await (two as MigrationConnection).transaction(async (reader) => {
    await reader.query("SELECT * FROM a", []);
    const refusal = expect(migrate(one as MigrationConnection, [first, altering])).rejects;
    await refusal.toBeInstanceOf(MigrationBusyError);
    await refusal.toThrow(/a table was in use for 10 s.*run the migration again/);
  });
  expect(await migrate(one as MigrationConnection, [first, altering])).toEqual([altering.name]);
});

test("of four processes at once, each file is run by one", async () => {
  const connections = await empty(4);
  const ran = await Promise.all(connections.map((connection) => migrate(connection, [first, second])));
  expect(ran.flat().sort()).toEqual([first.name, second.name]);
  expect(await ask(connections[0] as MigrationConnection, "SELECT count(*)::int AS n FROM a")).toEqual([{ n: 1 }]);
});
