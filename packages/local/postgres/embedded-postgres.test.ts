import { existsSync } from "node:fs";
import { cp, mkdtemp, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { drizzleOf } from "#db/drizzle";
import { FolderInUseError } from "#host/folder-lock";
import { anyRows } from "#testing/any-rows";
import { startProgram } from "#testing/command";
import { openEmbedded } from "./embedded-postgres.ts";

let root = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "embedded-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const chains = sql`SELECT count(*)::int AS n FROM chains`;

test("a database in memory is migrated", async () => {
  const { db, close } = await openEmbedded(null);
  expect(await anyRows(db, chains)).toEqual([{ n: 10 }]);
  await close();
  await close();
});

test("a folder keeps its rows, and nobody opens it twice", async () => {
  const folder = join(root, "deep", "desk");
  const first = await openEmbedded(folder);
  await drizzleOf(first.db).execute(sql`UPDATE chains SET confirmations = 7 WHERE chain = 'base'`);
  await expect(openEmbedded(folder)).rejects.toBeInstanceOf(FolderInUseError);
  await expect(openEmbedded(folder)).rejects.toThrow(/in use by this process since .*name another folder/);
  await first.close();
  const second = await openEmbedded(folder);
  expect(await anyRows(second.db, sql`SELECT confirmations FROM chains WHERE chain = 'base'`)).toEqual([
    { confirmations: 7 },
  ]);
  await second.close();
});

test("a newer schema is refused and the folder is let go", async () => {
  const folder = join(root, "newer");
  const { db, close } = await openEmbedded(folder);
  await drizzleOf(db).execute(
    sql`INSERT INTO schema_migrations(name, sha256) VALUES ('9999_later.sql', ${"0".repeat(64)})`,
  );
  await close();
  await expect(openEmbedded(folder)).rejects.toThrow(/newer schema.*9999_later\.sql/);
  // Still the schema's error, not the lock's.
  await expect(openEmbedded(folder)).rejects.toThrow(/newer schema/);
});

test("a killed process leaves a folder that opens, with what it had committed", async () => {
  const folder = join(root, "killed");
  const program = `
    import { openEmbedded } from "./packages/local/postgres/embedded-postgres.ts";
    import { sql } from "drizzle-orm";
    const { db } = await openEmbedded(${JSON.stringify(folder)});
    await db.execute(sql\`CREATE TABLE written (n int)\`);
    for (let n = 0; ; n += 1) { await db.execute(sql\`INSERT INTO written VALUES (\${n})\`); console.log(n); }`;
  const { child, wrote, ended } = startProgram(["--input-type=module-typescript", "-e", program]);
  try {
    await wrote(/^20$/m);
    await expect(openEmbedded(folder)).rejects.toThrow(`in use by process ${child.pid}`);
  } finally {
    child.kill("SIGKILL");
  }
  expect(await ended).toBe("SIGKILL");
  const { db, close } = await openEmbedded(folder);
  const [written] = await anyRows(db, sql`SELECT count(*)::int AS n FROM written`);
  expect(written?.n).toBeGreaterThanOrEqual(20);
  await close();
});

test("a cluster in the making is given up with the process that asked for it", async () => {
  const folder = join(root, "orphan");
  // Whose input is at its end from the start: as it is when that process was killed.
  const making = startProgram([join(import.meta.dirname, "new-cluster.ts"), folder]);
  expect(await making.ended).toBe(1);
  expect(existsSync(join(folder, "PG_VERSION"))).toBe(false);
});

/** Without the note that PostgreSQL leaves while it starts. */
const filesOf = async (folder: string) => (await readdir(folder)).filter((file) => file !== "postmaster.pid").sort();

test("a damaged folder is named and left as it is; one that was never finished is made again", async () => {
  const whole = join(root, "whole");
  await (await openEmbedded(whole)).close();
  const damages: readonly [name: string, damage: (folder: string) => Promise<void>][] = [
    ["control", (folder) => writeFile(join(folder, "global/pg_control"), Buffer.alloc(8192))],
    ["truncated", (folder) => truncate(join(folder, "global/pg_control"), 10)],
    ["version", (folder) => rm(join(folder, "PG_VERSION"))],
    ["base", (folder) => rm(join(folder, "base"), { recursive: true })],
  ];
  for (const [name, damage] of damages) {
    const folder = join(root, name);
    await cp(whole, folder, { recursive: true });
    await damage(folder);
    const files = await filesOf(folder);
    const opened = openEmbedded(folder);
    await expect(opened).rejects.toMatchObject({ name: "DamagedDatabaseError", folder });
    await expect(opened).rejects.toThrow(/does not open: .*Move that folder away to begin with an empty one/);
    expect(await filesOf(folder)).toEqual(files);
  }
  await writeFile(join(root, "version.making"), "");
  const { db, close } = await openEmbedded(join(root, "version"));
  expect(await anyRows(db, chains)).toEqual([{ n: 10 }]);
  await close();
  expect(await readdir(root)).not.toContain("version.making");
});

test("a lock that is no lock is taken over", async () => {
  const folder = join(root, "garbled");
  await writeFile(`${folder}.lock`, "{");
  const { db, close } = await openEmbedded(folder);
  expect(await anyRows(db, chains)).toEqual([{ n: 10 }]);
  await close();
  expect(await readdir(root)).not.toContain("garbled.lock");
});
