import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readControl } from "#db/trading/control";
import { type LogLine, useSink } from "#runtime/log";
import { provide } from "#runtime/services";
import { type TestDatabase, testDatabase } from "#testing/database";
import { loadHandlers } from "./aws/jobs.ts";
import { controlInMemory } from "./control-board.ts";
import { doorOf, openDoor } from "./door.ts";

let directory: string;
let database: TestDatabase;
let close: () => Promise<void>;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "door-"));
  writeFileSync(join(directory, "door.json"), "of a desk that was killed", { mode: 0o644 });
  database = await testDatabase();
  provide("database", database.db);
  provide("control", controlInMemory("demo"));
  close = await openDoor(directory, await loadHandlers());
});
afterEach(async () => {
  await close();
  provide("database", null);
  await database.close();
  rmSync(directory, { recursive: true });
});

const halt = {
  ...{ act: "control", mode: "demo", to: "HALTED", confirmed: false, mappings: null },
  ...{ actor: "anna", reason: "a test", at: "2026-01-05T12:00:00.000Z" },
};
const post = (url: string, headers: Record<string, string>, body: unknown = halt) =>
  fetch(url, { method: "POST", headers, body: JSON.stringify(body) });

test("who can read the folder's file may operate the running desk, and nobody else", async () => {
  const door = await doorOf(directory);
  if (door === null) throw new Error("the desk has no door");
  expect(statSync(join(directory, "door.json")).mode & 0o777).toBe(0o600);
  for (const headers of [{}, { authorization: "Bearer " }, { authorization: `Bearer ${"0".repeat(64)}` }])
    expect((await post(door.url, headers as Record<string, string>)).status).toBe(403);
  expect(await readControl(database.db, "demo")).toMatchObject({ state: "ACTIVE", epoch: 1 });
  const reply = await post(door.url, { authorization: `Bearer ${door.token}` });
  expect([reply.status, await reply.json()]).toMatchObject([200, { done: true, control: { epoch: 2 } }]);
  expect(await readControl(database.db, "demo")).toMatchObject({ state: "HALTED", actor: "anna", reason: "a test" });
});

test("what it cannot take is refused by name, and logged without the word", async () => {
  const lines: LogLine[] = [];
  useSink((line) => lines.push(line));
  const door = await doorOf(directory);
  const reply = await post(door?.url ?? "", { authorization: `Bearer ${door?.token}` }, { act: "sql" });
  useSink(null);
  expect([reply.status, await reply.text()]).toEqual([500, expect.stringMatching(/ZodError/)]);
  expect(lines.map(({ level }) => level)).toEqual(["error", "warn"]);
  expect(JSON.stringify(lines)).not.toContain(door?.token);
});

test("a desk that has ended has no door", async () => {
  const door = await doorOf(directory);
  await close();
  expect(await doorOf(directory)).toBeNull();
  await expect(post(door?.url ?? "", {})).rejects.toThrow();
  close = async () => undefined;
});
