import { afterAll, beforeAll, expect, test } from "vitest";
import { latestReport } from "#db/reading/reports";
import type { WalletLine } from "#reporting/report";
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

test("the report of a run has everything up to and with its last instant, and biases and scores as of the last block", async () => {
  await writeDeskRows(database.db);
  const settings = readSettings({ GENERATED: "true", INPUT_NAME: "fixture" });
  const end = instantOf("2022-06-22T04:30:00.000Z");
  const { report, markdown, wallets, settled } = await buildRunReport(database.db, settings, START, end);
  expect(report.metrics.events.count).toBe(5);
  expect(report.scope).toMatchObject({ type: "run", start: START, end: "2022-06-22T04:30:00.001Z", generated: true });
  // The last block came at 00:14; the rows of bias are older or from 03:59 on.
  expect(report.biases.map((line) => [line.asset, line.value])).toEqual([["ETH", 0.1]]);
  expect(markdown).toContain("# Spyhop, whole run: 2022-06-21 00:00 to 06-22 04:30");
  // So are the scores: that of an hour before the run. Those of 01:00 and 02:00 came when outcomes had settled.
  const whale = (lines: readonly WalletLine[]) =>
    lines.find(({ wallet }) => wallet.label === "whale-03")?.credibility.find(({ horizon }) => horizon === "4h");
  expect(report.asOf).toEqual({ bias: "2022-06-21T00:15:02.800Z", rest: end });
  expect(whale(wallets)).toMatchObject({ score: 5.5, previous: 5.5, settled: { score: 7.1, edge: 0.7, bets: 4 } });
  expect(whale(settled)).toMatchObject({ score: 7.1, settled: null });
  expect(markdown).toContain(
    'As of 2022-06-21 00:15, as the biases and the orders knew them. After "settled": once outcomes had settled, as of 2022-06-22 04:30.',
  );
  expect(markdown).toContain("- 4h **5.5** · edge 20% · 4 bets; settled **7.1** · edge 70% · 4 bets");
  expect(markdown).toContain("- 4h no bet had settled; settled **4.1** · edge 5% · 4 bets");
  expect((await latestReport(database.db))?.markdown).toBe(markdown);
});
