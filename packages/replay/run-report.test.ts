import { afterAll, beforeAll, expect, test } from "vitest";
import { latestReport } from "#db/reading/reports";
import { readSettings } from "#runtime/config";
import { type TestDatabase, testDatabase } from "#testing/database";
import { START, writeDeskRows } from "#testing/desk-rows";
import { instantOf } from "#units/time";
import { buildRunReport } from "./run-report.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

test("the report of a run has everything up to and with its last instant, and biases as of the last block", async () => {
  await writeDeskRows(database.db);
  const settings = readSettings({ GENERATED: "true", INPUT_NAME: "fixture" });
  const end = instantOf("2022-06-22T04:30:00.000Z");
  const { report, markdown, wallets } = await buildRunReport(database.db, settings, START, end);
  expect(report.metrics.events.count).toBe(5);
  expect(report.scope).toMatchObject({ type: "run", start: START, end: "2022-06-22T04:30:00.001Z", generated: true });
  // The last block came at 00:14; the rows of bias are older or from 03:59 on.
  expect(report.biases.map((line) => [line.asset, line.value])).toEqual([["ETH", 0.1]]);
  expect(markdown).toContain("# Spyhop, whole run: 2022-06-21 00:00 to 06-22 04:30");
  expect(wallets.map((line) => line.wallet.label)).toContain("whale-03");
  expect((await latestReport(database.db))?.markdown).toBe(markdown);
});
