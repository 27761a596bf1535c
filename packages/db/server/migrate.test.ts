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
  MigrationFailedError,
  MigrationOrderError,
  migrate,
  NewerSchemaError,
} from "./migrate.ts";
import { type Migration, migrationOf, readMigrations } from "./migration.ts";

// PGlite has one session, which waits for nobody.
const onServer = test.skipIf(readEnv("TEST_DATABASE_URL") === null);
let closings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closings) await close();
  closings = [];
});

/** An empty database, and as many connections to it as asked for. PGlite has one session, so it has one connection. */
async function empty(connections = 1, options: { direct?: boolean } = {}): Promise<MigrationConnection[]> {
  const server = await serverDatabase(options);
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

const first = migrationOf("0001_a.sql", "CREATE TABLE a (n int); INSERT INTO a VALUES (1);");
const second = migrationOf("0002_b.sql", "CREATE TABLE b (n int); INSERT INTO b SELECT n + 1 FROM a;");
const bad = migrationOf("0003_c.sql", "-- compatible_from: 0001\nCREATE TABLE half (n int); SELECT 1 / 0;");
const ask = (connection: MigrationConnection, statement: string) =>
  connection.transaction((run) => run.query(statement, []));
const ran = async (connection: MigrationConnection, files: readonly Migration[]) =>
  (await migrate(connection, files)).ran;
const absent = async (connection: MigrationConnection, table: string) =>
  (await ask(connection, `SELECT to_regclass('${table}') IS NULL AS absent`))[0];

test("the project's own migrations run once", async () => {
  const connection = await one();
  const files = await readMigrations(MIGRATIONS);
  expect(await migrate(connection, files)).toEqual({ ran: files.map(({ name }) => name), newer: [] });
  expect(await migrate(connection, files)).toEqual({ ran: [], newer: [] });
});

test("only the new file runs", async () => {
  const connection = await one();
  expect(await ran(connection, [first])).toEqual([first.name]);
  expect(await ran(connection, [first, second])).toEqual([second.name]);
  expect(await ask(connection, "SELECT n FROM b")).toEqual([{ n: 2 }]);
});

test("an edited file is refused, and nothing runs", async () => {
  const connection = await one();
  await migrate(connection, [first]);
  const edited = { ...first, sql: `${first.sql} ` };
  const refusal = expect(migrate(connection, [edited, second])).rejects;
  await refusal.toBeInstanceOf(EditedMigrationError);
  await refusal.toThrow(/0001_a\.sql was edited .*Restore its text/);
  expect(await absent(connection, "b")).toEqual({ absent: true });
});

test("a newer schema is refused by a release that it does not name", async () => {
  const connection = await one();
  await migrate(connection, [first, second]);
  const refusal = expect(migrate(connection, [first])).rejects;
  await refusal.toBeInstanceOf(NewerSchemaError);
  await refusal.toThrow(/newer schema.*0002_b\.sql.*Update the code/);
});

test("an expanded schema takes the release before it, until a file that contracts it has run", async () => {
  const connection = await one();
  const expands = migrationOf("0002_b.sql", "-- Adds b.\n-- compatible_from: 0001\nCREATE TABLE b (n int)");
  const contracts = migrationOf("0003_c.sql", "-- compatible_from: 0002\nDROP TABLE a");
  await migrate(connection, [first, expands]);
  expect(await migrate(connection, [first])).toEqual({ ran: [], newer: [expands.name] });
  await migrate(connection, [first, expands, contracts]);
  expect(await migrate(connection, [first, expands])).toEqual({ ran: [], newer: [contracts.name] });
  await expect(migrate(connection, [first])).rejects.toMatchObject({
    name: "NewerSchemaError",
    migrations: [expands.name, contracts.name],
  });
});

test("a file of the same number on another branch is no newer schema", async () => {
  const connection = await one();
  const other = migrationOf("0002_a.sql", "-- compatible_from: 0001\nCREATE TABLE other (n int)");
  await migrate(connection, [first, other]);
  await expect(migrate(connection, [first, second])).rejects.toBeInstanceOf(NewerSchemaError);
  expect(await absent(connection, "b")).toEqual({ absent: true });
});

test("a file that sorts before one that ran is refused", async () => {
  const connection = await one();
  const third = migrationOf("0003_c.sql", first.sql);
  await migrate(connection, [third]);
  const refusal = expect(migrate(connection, [second, third])).rejects;
  await refusal.toBeInstanceOf(MigrationOrderError);
  await refusal.toThrow(/0002_b\.sql has not run, but 0003_c\.sql has.*number above/);
});

test("of two new files the second is bad: neither is kept, and the release before goes on", async () => {
  const connection = await one();
  await migrate(connection, [first]);
  const refusal = expect(migrate(connection, [first, second, bad])).rejects;
  await refusal.toBeInstanceOf(MigrationFailedError);
  await refusal.toThrow(/0003_c\.sql: .*division by zero.*No file of this run was kept/);
  for (const table of ["b", "half"]) expect(await absent(connection, table)).toEqual({ absent: true });
  expect(await migrate(connection, [first])).toEqual({ ran: [], newer: [] });
  expect(await ran(connection, [first, second])).toEqual([second.name]);
});

/** A file that is refused inside a transaction, and may be begun again. */
const index = migrationOf(
  "0002_index.sql",
  `-- For readers of n.
-- compatible_from: 0001
-- transaction: none

DROP INDEX CONCURRENTLY IF EXISTS a_n;

-- Reads the whole table.
CREATE INDEX CONCURRENTLY a_n ON a (n);
`,
);
const valid = "SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = to_regclass('a_n')";

test("a file that a transaction refuses runs by itself, after all others", async () => {
  const [connection] = await empty(1, { direct: true });
  if (!connection) throw new TypeError("one was asked for");
  const third = migrationOf("0003_c.sql", "-- compatible_from: 0001\nCREATE TABLE c (n int)");
  const same = { ...index, inTransaction: true };
  await migrate(connection, [first]);
  await expect(migrate(connection, [first, same])).rejects.toThrow(/cannot (run|be executed)/i);
  expect(await ran(connection, [first, index, third])).toEqual([third.name, index.name]);
  expect(await ask(connection, valid)).toEqual([{ valid: true }]);
  expect(await migrate(connection, [first, index, third])).toEqual({ ran: [], newer: [] });
});

test("one that fails by itself leaves the files before it, and begins afresh once it can", async () => {
  const [connection] = await empty(1, { direct: true });
  if (!connection) throw new TypeError("one was asked for");
  const third = migrationOf("0003_c.sql", "-- compatible_from: 0001\nCREATE TABLE c (n int)");
  const unique = migrationOf(index.name, index.sql.replace("CREATE INDEX", "CREATE UNIQUE INDEX"));
  await migrate(connection, [first]);
  await ask(connection, "INSERT INTO a VALUES (1)");
  const refusal = expect(migrate(connection, [first, unique, third])).rejects;
  await refusal.toThrow(/0002_index\.sql: .*unique.*The files before it were kept/);
  expect(await ask(connection, valid)).toEqual([{ valid: false }]);
  expect(await migrate(connection, [first])).toEqual({ ran: [], newer: [third.name] });
  expect(await ran(connection, [first, index, third])).toEqual([index.name]);
  expect(await ask(connection, valid)).toEqual([{ valid: true }]);
});

onServer("two at once: who waits does not keep an index from being made", async () => {
  const [one, two] = (await empty(2, { direct: true })) as [MigrationConnection, MigrationConnection];
  await migrate(one, [first]);
  const all = await Promise.all([migrate(one, [first, index]), migrate(two, [first, index])]);
  expect(all.flatMap(({ ran }) => ran)).toEqual([index.name]);
  expect(await ask(one, valid)).toEqual([{ valid: true }]);
});

test.each([
  ["index.sql", "", /no name like 0006_what_it_does\.sql/],
  ["0002_b.sql", "-- compatible_from: 0003\nSELECT 1", /compatible_from: 0003, not four digits up to its own/],
  ["0002_b.sql", "-- compatible_from: 1\nSELECT 1", /not four digits/],
  ["0002_b.sql", "-- transaction: own\nSELECT 1", /transaction: own; the one thing to say is none/],
])("a file is refused whose name or head cannot be read: %s %j", (name, sql, problem) => {
  expect(() => migrationOf(name, sql)).toThrow(problem);
});

test("only the head of a file speaks to the runner", () => {
  expect(migrationOf("0002_b.sql", "SELECT 1;\n-- transaction: none")).toMatchObject({
    compatibleFrom: null,
    inTransaction: true,
  });
});

test("every file since the first release says which releases may run with it", async () => {
  const files = (await readMigrations(MIGRATIONS)).filter(({ number }) => number > 4);
  expect(files.filter(({ compatibleFrom }) => compatibleFrom === null)).toEqual([]);
});

onServer("a database in use is waited for ten seconds, then refused by name, with nothing done", async () => {
  const [one, two] = await empty(2);
  await migrate(one as MigrationConnection, [first]);
  const altering = migrationOf("0002_b.sql", "ALTER TABLE a ADD COLUMN m int");
  await (two as MigrationConnection).transaction(async (reader) => {
    await reader.query("SELECT * FROM a", []);
    const refusal = expect(migrate(one as MigrationConnection, [first, altering])).rejects;
    await refusal.toBeInstanceOf(MigrationBusyError);
    await refusal.toThrow(/a table was in use for 10 s.*run the migration again/);
  });
  expect(await ran(one as MigrationConnection, [first, altering])).toEqual([altering.name]);
});

test("of four processes at once, each file is run by one", async () => {
  const connections = await empty(4);
  const all = await Promise.all(connections.map((connection) => ran(connection, [first, second])));
  expect(all.flat()).toEqual([first.name, second.name]);
  expect(await ask(connections[0] as MigrationConnection, "SELECT count(*)::int AS n FROM a")).toEqual([{ n: 1 }]);
});
