import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { appendAudit } from "#db/audit";
import { drizzleOf } from "#db/drizzle";
import type { Laptop } from "#local/laptop";
import { headFileOf, recordFile } from "#local/record-file";
import { type LogLine, useSink } from "#runtime/log";
import { provide } from "#runtime/services";
import { testDesk } from "#testing/desk";
import { idOf } from "#units/ids";
import { instantOf } from "#units/time";

let desk: Laptop;
let lines: LogLine[] = [];
const folder = mkdtempSync(join(tmpdir(), "records-"));
const copy = headFileOf(join(folder, "desk/"));

beforeAll(async () => {
  useSink((line) => void lines.push(line));
  desk = await testDesk({ env: {}, secrets: new Map() });
  provide("copy", recordFile(copy));
});
afterAll(async () => {
  useSink(null);
  await desk.close();
  rmSync(folder, { recursive: true });
});

/** Runs the job on a day. Returns what it said of the records. */
async function runOn(day: number): Promise<readonly LogLine[]> {
  lines = [];
  await desk.runSchedule("maintain-storage", instantOf(`2026-03-0${day}T00:15:00.000Z`));
  return lines.filter(({ message }) => message.startsWith("records"));
}
const append = (n: number) =>
  appendAudit(desk.database.db, [
    {
      ...{ id: idOf("audit", n), at: instantOf("2026-03-01T00:00:00.000Z"), action: "x", entityType: "x" },
      ...{ entityId: idOf("x", n), newValue: { n }, traceId: null },
    },
  ]);

test("each day is compared with every day before; what is cut rings until it is judged, and makes no new head", async () => {
  expect(await runOn(1)).toMatchObject([{ level: "info", compared: 0, audit: { rows: 0 } }]);
  await append(1);
  await append(2);
  expect(await runOn(2)).toMatchObject([{ message: "records whole", compared: 1, audit: { rows: 2 } }]);
  expect(await runOn(2)).toMatchObject([{ compared: 2 }]); // EventBridge may deliver twice
  const kept = readFileSync(copy, "utf8");
  expect(kept.trim().split("\n")).toHaveLength(2);

  await drizzleOf(desk.database.db).execute("ALTER TABLE audit_logs DISABLE TRIGGER USER");
  await drizzleOf(desk.database.db).execute("DELETE FROM audit_logs WHERE seq = 2");
  const cut = { level: "error", message: "records broken", table: "audit_logs", where: "row 2", reason: "end cut off" };
  for (const day of [3, 4]) expect(await runOn(day)).toMatchObject([cut]);
  expect(readFileSync(copy, "utf8")).toBe(kept);
  await append(3); // as long as before, and another
  expect(await runOn(5)).toMatchObject([{ where: "row 2", reason: "rewritten after row 0" }]);
});

test("a copy with a line that is none is named, and the day's check fails", async () => {
  provide("copy", recordFile(join(import.meta.dirname, "maintain-storage.ts")));
  await expect(runOn(6)).rejects.toThrow(/maintain-storage\.ts, line 1: this is no head/);
});
