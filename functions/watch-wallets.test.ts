import { afterEach, beforeEach, expect, test } from "vitest";
import { allLabels } from "#db/chain/labels";
import { watchedWallets } from "#db/chain/wallets";
import { lambdaContext } from "#local/aws/jobs";
import { type LogLine, useSink } from "#runtime/log";
import { provide } from "#runtime/services";
import { type TestDatabase, testDatabase } from "#testing/database";
import { task } from "#topology/topology";
import { handler } from "./watch-wallets.ts";

let database: TestDatabase;
beforeEach(async () => {
  database = await testDatabase();
  provide("database", database.db);
});
afterEach(async () => {
  provide("database", null);
  await database.close();
});

const invoke = (input: unknown): Promise<unknown> =>
  handler(input, lambdaContext(task("watch-wallets"), Date.now() + 60_000));

const whale = "0x00000000219ab540356cbb839cbe05303d7705fa";
const list = {
  chain: "ethereum",
  at: "2026-01-02T03:04:05.000Z",
  wallets: [{ address: whale, label: "Whale", tags: ["starter"] }],
  labels: [{ address: whale, kind: "contract", name: "Beacon deposit", source: "test", date: "2026-01-01" }],
};

test("the list is watched from its time on, also when it is sent twice", async () => {
  expect(await invoke(list)).toEqual({ wallets: 1, labels: 1 });
  await invoke({ ...list, at: "2026-02-02T00:00:00.000Z" });
  const [only, ...others] = await watchedWallets(database.db, "ethereum");
  expect(others).toEqual([]);
  expect(only).toMatchObject({ address: whale, label: "Whale", watchedSince: "2026-01-02T03:04:05.000Z" });
  expect((await allLabels(database.db, "ethereum")).map(({ name }) => name)).toEqual(["Beacon deposit"]);
});

test("a malformed list is refused whole", async () => {
  const lines: LogLine[] = [];
  useSink((line) => lines.push(line));
  await expect(invoke({ ...list, wallets: [{ address: "" }] })).rejects.toThrow();
  await expect(invoke({})).rejects.toThrow();
  useSink(null);
  const refused = { level: "error", message: "watch-wallets: task failed", error: "ZodError" };
  expect(lines).toMatchObject([
    { ...refused, reason: expect.stringContaining('"address"') },
    { ...refused, reason: expect.stringContaining('"wallets"') },
  ]);
  expect(await watchedWallets(database.db, "ethereum")).toEqual([]);
});
