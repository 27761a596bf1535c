import { readFileSync } from "node:fs";
import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { afterAll, beforeAll, expect, test } from "vitest";
import { verifyAudit } from "#db/audit";
import { watchWallets } from "#db/chain/wallets";
import { drizzleOf } from "#db/drizzle";
import { auditLogs } from "#db/schema";
import type { Laptop } from "#local/laptop";
import { eventBus } from "#runtime/config";
import { testDesk } from "#testing/desk";
import { SOURCE } from "#topology/names";
import { instantOf } from "#units/time";

// At a deploy the bus and the queues hold facts that the release before published: packages/topology/facts.test.ts.
let desk: Laptop;
/** Whose event is taken back in what was captured. */
const WHALE = `0x${"a1".repeat(20)}`;
beforeAll(async () => {
  desk = await testDesk({ env: { INSTRUMENTS: "ETH-USDT-SWAP,BTC-USDT-SWAP" }, secrets: new Map() });
  const whale = { address: WHALE, label: "Whale", tags: [] };
  await watchWallets(desk.database.db, "ethereum", [whale], instantOf("2023-11-14T22:00:00.000Z"));
});
afterAll(() => desk.close());

test("facts of the last release are consumed as they were: audited once, and numbers asked for again", async () => {
  const details = readFileSync("packages/topology/last-release.ndjson", "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { to: string; body: { fact: string; entityId: string; body: unknown } })
    .filter(({ to }) => to === "bus")
    .map(({ body }) => body);
  const bus = new EventBridgeClient({});
  const Entries = details.map((detail) => ({
    ...{ Source: SOURCE, DetailType: detail.fact, EventBusName: eventBus() },
    Detail: JSON.stringify(detail),
  }));
  for (let times = 0; times < 2; times++) {
    await bus.send(new PutEventsCommand({ Entries }));
    await desk.drain();
  }
  bus.destroy();
  expect(desk.deadLetters()).toEqual([]);
  const told = details.map(({ fact, entityId, body }) => ({ action: fact, entityId, newValue: body }));
  const rows = await drizzleOf(desk.database.db)
    .select({ action: auditLogs.action, entityId: auditLogs.entityId, newValue: auditLogs.newValue })
    .from(auditLogs);
  expect(rows).toHaveLength(told.length);
  expect(rows).toEqual(expect.arrayContaining(told));
  expect(await verifyAudit(desk.database.db)).toMatchObject({ intact: true });
  const retractions = details.filter(({ fact }) => fact === "event.retracted").length;
  expect([desk.received("retractions"), desk.received("wallets")]).toEqual([2 * retractions, 2 * retractions]);
  // The second asking for the two biases is dropped by SQS: it is the same within five minutes.
  expect(desk.received("biases")).toBe(2);
});
