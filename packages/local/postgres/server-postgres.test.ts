import { afterEach, expect, test } from "vitest";
import { watchWallets } from "#db/chain/wallets";
import { connectPostgres } from "#db/server/connect";
import { digest } from "#db/server/digest";
import { migrate } from "#db/server/migrate";
import { readMigrations } from "#db/server/migration";
import { readEnv } from "#runtime/config";
import { type ServerDatabase, serverDatabase } from "#testing/database";
import { instantOf } from "#units/time";
import { MIGRATIONS } from "./embedded-postgres.ts";
import {
  DatabaseUrlError,
  OccupiedDatabaseError,
  onServer,
  openServer,
  ReplayedDatabaseError,
  UnreachableDatabaseError,
} from "./server-postgres.ts";

const needsServer = test.skipIf(readEnv("TEST_DATABASE_URL") === null);
const REPLAY = { kind: "replay", name: "it's one" } as const;
const WALLET = [{ address: `0x${"0a".repeat(20)}`, label: null, tags: [] }];
const AT = instantOf("2022-06-21T00:00:00.000Z");

let database: ServerDatabase | null = null;
afterEach(async () => {
  await database?.drop();
  database = null;
});
async function url(): Promise<string> {
  database = await serverDatabase();
  return database?.url ?? "";
}

async function opened(at: string, use: Parameters<typeof openServer>[1], watch: boolean): Promise<string> {
  const { db, close } = await openServer(at, use, true);
  if (watch) await watchWallets(db, "ethereum", WALLET, AT);
  const { digest: found } = await digest(db);
  await close();
  return found;
}

test("a text that is no URL of a server is refused without repeating it", async () => {
  for (const text of ["", "localhost/secret", "mysql://user:secret@host/name"]) {
    const error = await openServer(text, REPLAY).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DatabaseUrlError);
    expect(String(error)).not.toContain("secret");
  }
});

test("a server that does not answer is named, without its password", async () => {
  const error = await onServer("postgres://user:secret@127.0.0.1:1/name", ({ migrations }) =>
    migrate(migrations, []),
  ).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UnreachableDatabaseError);
  expect(String(error)).toContain("127.0.0.1:1");
  expect(String(error)).not.toContain("secret");
});

needsServer("a replay empties the database of an earlier replay, and gets what a new one would", async () => {
  const at = await url();
  const first = await opened(at, REPLAY, false);
  const used = await opened(at, REPLAY, true);
  expect(used).not.toBe(first);
  expect(await opened(at, { kind: "replay", name: "another" }, false)).toBe(first);
});

needsServer("a replay leaves an earlier one as it is, unless it is told to replace it", async () => {
  const at = await url();
  const used = await opened(at, REPLAY, true);
  const refusal = expect(openServer(at, { kind: "replay", name: "another" })).rejects;
  await refusal.toBeInstanceOf(ReplayedDatabaseError);
  await refusal.toThrow(/holds the replay of it's one\. Give --replace to empty it first/);
  const { db, close } = connectPostgres(at);
  expect((await digest(db)).digest).toBe(used);
  await close();
});

needsServer("a live desk carries on in its own database, and no replay touches it", async () => {
  const at = await url();
  const used = await opened(at, { kind: "live" }, true);
  expect(await opened(at, { kind: "live" }, false)).toBe(used);
  const refusal = expect(openServer(at, REPLAY)).rejects;
  await refusal.toBeInstanceOf(OccupiedDatabaseError);
  await refusal.toThrow(/holds the live desk; a replay of it's one needs one of its own/);
  expect(await opened(at, { kind: "live" }, false)).toBe(used);
});

needsServer("a live desk refuses the database of a replay", async () => {
  const at = await url();
  await opened(at, REPLAY, false);
  await expect(openServer(at, { kind: "live" })).rejects.toThrow(/holds the replay of it's one/);
});

needsServer("a database with rows and without a mark is another desk's: nothing of it changes", async () => {
  const at = await url();
  const { db, migrations, close } = connectPostgres(at);
  await migrate(migrations, await readMigrations(MIGRATIONS));
  await watchWallets(db, "ethereum", WALLET, AT);
  const before = await digest(db);
  for (const use of [REPLAY, { kind: "live" }] as const)
    await expect(openServer(at, use)).rejects.toThrow(/holds rows of another desk \(wallets\)/);
  expect(await digest(db)).toEqual(before);
  await close();
});
