import { sql } from "drizzle-orm";
import { afterAll, beforeEach, expect, test } from "vitest";
import { type TestDatabase, testDatabase } from "#testing/database";
import { idOf } from "#units/ids";
import { instantOf } from "#units/time";
import { type AuditEntry, appendAudit, verifyAudit } from "./audit.ts";
import { digest } from "./server/digest.ts";

let database: TestDatabase | null = null;
const fresh = async () => {
  await database?.close();
  database = await testDatabase();
  return database.db;
};
afterAll(() => database?.close());
let db: TestDatabase["db"];
beforeEach(async () => {
  db = await fresh();
});

const entry = (n: number, minute = n): AuditEntry => ({
  id: idOf("audit", n),
  at: instantOf(`2022-06-21T00:${String(minute).padStart(2, "0")}:00.000Z`),
  action: "trading.changed",
  entityType: "control",
  entityId: idOf("control", "demo"),
  traceId: null,
  newValue: {
    z: 1.5,
    a: ["é", null, true],
    big: "115792089237316195423570985008687907853269984665640564039457584007913129639935",
  },
});
const three = [entry(1), entry(2), entry(3)];
const tamper = async (statement: ReturnType<typeof sql>) => {
  await db.execute(sql`ALTER TABLE audit_logs DISABLE TRIGGER USER`);
  await db.execute(statement);
};

test("an empty log is intact", async () => {
  expect(await verifyAudit(db)).toEqual({ intact: true, rows: 0, head: "0".repeat(64) });
});

test("entries are chained, and a repeated one is not appended again", async () => {
  expect(await appendAudit(db, three)).toBe(3);
  expect(await appendAudit(db, [entry(2), entry(4), entry(4)])).toBe(1);
  expect(await verifyAudit(db)).toMatchObject({ intact: true, rows: 4 });
});

test("writers at once make one chain", async () => {
  await Promise.all(Array.from({ length: 10 }, (_, n) => appendAudit(db, [entry(n)])));
  expect(await verifyAudit(db)).toMatchObject({ intact: true, rows: 10 });
});

test("the order of one call never shows, and a replay gives the same chain", async () => {
  await appendAudit(db, three);
  const first = await verifyAudit(db);
  db = await fresh();
  await appendAudit(db, [...three].reverse());
  expect(await verifyAudit(db)).toEqual(first);
});

test("the order of calls shows in the chain, not in the digest", async () => {
  for (const one of three) await appendAudit(db, [one]);
  const inOrder = (await digest(db)).digest;
  db = await fresh();
  for (const one of [...three].reverse()) await appendAudit(db, [one]);
  expect(await verifyAudit(db)).toMatchObject({ intact: true });
  expect((await digest(db)).digest).toBe(inOrder);
});

test("a changed row is found", async () => {
  await appendAudit(db, three);
  await tamper(sql`UPDATE audit_logs SET new_value = '{"z":2}' WHERE seq = 2`);
  expect(await verifyAudit(db)).toEqual({ intact: false, seq: 2, reason: "row changed" });
});

test("a removed row is found", async () => {
  await appendAudit(db, three);
  await tamper(sql`DELETE FROM audit_logs WHERE seq = 2`);
  expect(await verifyAudit(db)).toEqual({ intact: false, seq: 2, reason: "row missing" });
});

test("a row that was rewritten with a hash of its own breaks the link after it", async () => {
  await appendAudit(db, three);
  await tamper(sql`UPDATE audit_logs SET hash = ${"f".repeat(64)} WHERE seq = 1`);
  expect(await verifyAudit(db)).toEqual({ intact: false, seq: 1, reason: "row changed" });
  await tamper(sql`UPDATE audit_logs SET prev_hash = ${"e".repeat(64)} WHERE seq = 1`);
  expect(await verifyAudit(db)).toEqual({ intact: false, seq: 1, reason: "link broken" });
});

/** Where the log stands, as a copy elsewhere keeps it. */
const standing = async () => {
  const verdict = await verifyAudit(db);
  if (!verdict.intact) throw new Error(verdict.reason);
  return { rows: verdict.rows, hash: verdict.head };
};

test("a cut end shows against a head kept elsewhere, and against that alone", async () => {
  const kept = [await standing()];
  await appendAudit(db, three);
  kept.push(await standing());
  expect(await verifyAudit(db, kept)).toMatchObject({ intact: true, rows: 3 });
  await tamper(sql`DELETE FROM audit_logs WHERE seq = 3`);
  expect(await verifyAudit(db)).toMatchObject({ intact: true, rows: 2 });
  expect(await verifyAudit(db, kept)).toEqual({ intact: false, seq: 3, reason: "end cut off" });
  await appendAudit(db, [entry(9)]); // as many rows as before, and whole by itself
  expect(await verifyAudit(db, kept)).toEqual({ intact: false, seq: 3, reason: "rewritten after row 0" });
});

test("a chain that was rewritten from a row on, with fresh hashes, shows between two kept heads", async () => {
  const kept = [];
  for (const one of [...three, entry(4), entry(5)]) {
    await appendAudit(db, [one]);
    kept.push(await standing());
  }
  await tamper(sql`DELETE FROM audit_logs WHERE seq >= 3`);
  await appendAudit(db, [{ ...entry(3), action: "another" }, entry(4), entry(5), entry(6)]);
  expect(await verifyAudit(db)).toMatchObject({ intact: true, rows: 6 });
  expect(await verifyAudit(db, kept)).toEqual({ intact: false, seq: 3, reason: "rewritten after row 2" });
  expect(await verifyAudit(db, kept.slice(4))).toEqual({ intact: false, seq: 5, reason: "rewritten after row 0" });
  expect(await verifyAudit(db, kept.slice(0, 2))).toMatchObject({ intact: true });
});
