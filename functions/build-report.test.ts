import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { latestReport } from "#db/reading/reports";
import { reports } from "#db/schema";
import { armByHand } from "#db/trading/arming";
import { forgetBus } from "#runtime/publish";
import { provide } from "#runtime/services";
import { type TestDatabase, testDatabase } from "#testing/database";
import { writeDeskRows } from "#testing/desk-rows";
import type { Arming } from "#trading/arming";
import { decimalOf } from "#units/decimal";
import { instantOf } from "#units/time";
import { handler } from "./build-report.ts";

/** A bus that takes everything and keeps what it took. */
const taken: { DetailType: string; Detail: string }[] = [];
const bus = createServer(async (request, response) => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const { Entries } = JSON.parse(Buffer.concat(chunks).toString());
  taken.push(...Entries);
  response.setHeader("content-type", "application/x-amz-json-1.1");
  response.end(JSON.stringify({ FailedEntryCount: 0, Entries: Entries.map(() => ({ EventId: "1" })) }));
});

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
  await writeDeskRows(database.db);
  await new Promise<void>((resolve) => bus.listen(0, "127.0.0.1", resolve));
  vi.stubEnv("AWS_ENDPOINT_URL", `http://127.0.0.1:${(bus.address() as AddressInfo).port}`);
  vi.stubEnv("AWS_REGION", "local");
  vi.stubEnv("AWS_ACCESS_KEY_ID", "local");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "local");
  vi.stubEnv("EVENT_BUS", "bus");
  vi.stubEnv("GENERATED", "true");
  provide("database", database.db);
});
afterAll(async () => {
  provide("database", null);
  forgetBus();
  vi.unstubAllEnvs();
  bus.closeAllConnections();
  bus.close();
  await database.close();
});

const run = (time: string): Promise<unknown> =>
  (handler as unknown as (event: unknown, context: unknown) => Promise<unknown>)(
    { time },
    { getRemainingTimeInMillis: () => 10_000 },
  );

test("a tick on the boundary builds the four hours before it, once, and says so on the bus each time", async () => {
  await run("2022-06-21T04:00:00Z");
  const first = await latestReport(database.db);
  await run("2022-06-21T04:00:00Z");
  expect(await latestReport(database.db)).toEqual(first);
  expect(await database.db.$count(reports)).toBe(1);
  expect(first?.report.scope).toMatchObject({
    type: "4h",
    start: "2022-06-21T00:00:00.000Z",
    end: "2022-06-21T04:00:00.000Z",
  });
  expect(first?.markdown).toContain("whale-03 bought 1.2M USD of ETH");
  const details = taken.map((entry) => [entry.DetailType, JSON.parse(entry.Detail)]);
  expect(details).toEqual(
    Array(2).fill([
      "report.built",
      expect.objectContaining({
        fact: "report.built",
        entityType: "report",
        entityId: first?.id,
        at: "2022-06-21T04:00:00.000Z",
      }),
    ]),
  );
});

test("between boundaries it builds what has passed of the period", async () => {
  await run("2022-06-21T04:31:00Z");
  const { report } = (await latestReport(database.db)) ?? {};
  expect(report?.scope).toMatchObject({
    type: "partial",
    start: "2022-06-21T04:00:00.000Z",
    end: "2022-06-21T04:31:00.000Z",
  });
  expect(report?.metrics.events.count).toBe(1);
});

test("the report of a live desk has its arming: until when, by whom, its caps, and why it does not hold", async () => {
  const arming: Arming = {
    ...{ format: "spyhop-arming/1", mode: "live", venue: "okx", account: "77", policyHash: "a".repeat(64), epoch: 1 },
    ...{ maxNotionalUsd: decimalOf("5000"), maxDailyLossUsd: decimalOf("50") },
    ...{ notBefore: instantOf("2022-06-21T08:00:00.000Z"), notAfter: instantOf("2022-06-22T08:00:00.000Z") },
  };
  const signed = { text: JSON.stringify(arming), signature: "AAAA" };
  const by = { mode: "live", arming: signed, actor: "anna", reason: "a test", at: arming.notBefore } as const;
  await armByHand(database.db, by, () => ({ arming }), null);
  vi.stubEnv("SPYHOP_MODE", "live");
  await run("2022-06-21T12:00:00Z");
  vi.stubEnv("SPYHOP_MODE", undefined);
  const { report, markdown } = (await latestReport(database.db)) ?? {};
  expect(report?.arming).toEqual({
    ...{ notAfter: arming.notAfter, by: "anna", maxNotionalUsd: "5000", maxDailyLossUsd: "50" },
    problem: "the arming is not signed by the desk's key (ARMING_KEY)",
  });
  expect(markdown).toContain("| Armed | no, nothing is opened: the arming is not signed by the desk");
});
