import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { DamagedQueuesError } from "./aws/queues.ts";
import { startLaptop } from "./laptop.ts";
import { openEmbedded } from "./postgres/embedded-postgres.ts";

const folder = mkdtempSync(join(tmpdir(), "spyhop-laptop-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("where the queues do not open, the database is closed again: what stays open keeps the process from ending", async () => {
  writeFileSync(join(folder, "fauxqs.db"), "this is no database ".repeat(500));
  const closed: string[] = [];
  const openDatabase = async () => {
    const database = await openEmbedded(null);
    const close = async () => {
      await database.close();
      closed.push("database");
    };
    return { ...database, close };
  };
  const parts = { databaseDirectory: null, queueDirectory: folder, env: {}, secrets: new Map<string, string>() };
  await expect(startLaptop({ ...parts, openDatabase })).rejects.toThrow(DamagedQueuesError);
  expect(closed).toEqual(["database"]);
});
