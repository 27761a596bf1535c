/** The command that checks a desk's records, as a process of its own, on the folder of a desk of this machine. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { appendAudit } from "#db/audit";
import type { Db } from "#db/client";
import { drizzleOf } from "#db/drizzle";
import { openEmbedded } from "#local/postgres/embedded-postgres";
import { headFileOf } from "#local/record-file";
import { runToEnd } from "#testing/command";
import { idOf } from "#units/ids";
import { instantOf } from "#units/time";

const root = mkdtempSync(join(tmpdir(), "audit-"));
const desk = join(root, "desk");
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function inDatabase(work: (db: Db) => Promise<unknown>): Promise<void> {
  const { db, close } = await openEmbedded(join(desk, "db"));
  await work(db);
  await close();
}

const audit = (...args: string[]) => runToEnd("operate/audit.ts", [...args, "--directory", desk]);

beforeAll(async () => {
  mkdirSync(desk);
  const entry = (n: number) => ({
    ...{ id: idOf("audit", n), at: instantOf("2026-01-05T00:00:00.000Z"), action: "trading.changed" },
    ...{ entityType: "control", entityId: idOf("control", "demo"), newValue: { n }, traceId: null },
  });
  await inDatabase((db) => appendAudit(db, [1, 2, 3].map(entry)));
});

test("a head that was printed shows later that the end was cut off, given by name or beside the folder", async () => {
  const head = await audit("head");
  expect(head.text).toMatch(/^\{"at":.*"audit":\{"rows":3,"hash":"[0-9a-f]{64}"\},"orders":\{.*\}\}\n$/);
  expect(head.code).toBe(0);
  const kept = join(root, "kept.ndjson");
  writeFileSync(kept, head.text);
  const whole = await audit("verify", "--head", kept);
  expect(whole.text).toMatch(/^audit log: 3 rows.*\norders: .*\ncompared with 1 head kept elsewhere: nothing cut off/);
  expect(whole.code).toBe(0);

  await inDatabase(async (db) => {
    await drizzleOf(db).execute("ALTER TABLE audit_logs DISABLE TRIGGER USER");
    await drizzleOf(db).execute("DELETE FROM audit_logs WHERE seq = 3");
  });
  const alone = await audit("verify");
  expect(alone.text).toMatch(/compared with no head: that an end was cut off.* would not show/);
  expect(alone.code).toBe(0);
  const cut = /^audit_logs, row 3: end cut off\nBrokenRecordsError: the records of this desk are broken in one place\./;
  for (const told of [await audit("verify", "--head", kept), await audit("head", "--head", kept)]) {
    expect(told.text).toMatch(cut);
    expect(told.code).toBe(1);
  }
  writeFileSync(headFileOf(desk), head.text);
  expect(await audit("verify")).toMatchObject({ code: 1, text: expect.stringMatching(cut) });
}, 300_000);
