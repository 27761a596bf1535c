import { asc, isNotNull } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { FullBlock } from "#chain/block";
import { cursorOf, seedCursor } from "#db/chain/blocks";
import { watchWallets } from "#db/chain/wallets";
import { drizzleOf } from "#db/drizzle";
import { auditLogs, blockCursors, chainBlocks, eventRefs, events } from "#db/schema";
import type { Laptop } from "#local/laptop";
import { type LogLine, useSink } from "#runtime/log";
import { send } from "#runtime/send";
import { provide } from "#runtime/services";
import { chainNode, tinyChain } from "#testing/chain/chain-node";
import { NOBODY, WHALE } from "#testing/chain/tiny-recording";
import { testDesk } from "#testing/desk";
import { instant } from "#units/time";

// watch-head, ingest-block and retract-events through the real queues, against a node whose chain the test changes.
const START = 1_700_000_040;
let chain: FullBlock[] = [];
let finalized = 0;
let desk: Laptop;

/** Blocks 1 to `head`: of `branch` above `fork`, of "main" up to it. */
function grow(head: number, branch = "main", fork = 0): void {
  chain = tinyChain(START, head, branch, fork);
}
let abandoned: FullBlock[] = [];
const node = chainNode(
  () => chain,
  () => finalized,
  () => abandoned,
);

let now = START;
async function tick(): Promise<void> {
  now += 60;
  await desk.runSchedule("watch-head", instant(now * 1000));
  await desk.drain();
}

const hashes = async (): Promise<string[]> =>
  (await drizzleOf(desk.database.db).select().from(chainBlocks).orderBy(asc(chainBlocks.number))).map(
    (row) => row.hash,
  );
const eventBlocks = async (): Promise<string[]> =>
  (await drizzleOf(desk.database.db).select().from(events).orderBy(asc(events.blockNumber), asc(events.logIndex))).map(
    (row) => row.blockHash ?? "",
  );
const expected = (head: number, branch = "main", fork = 0): string[] =>
  tinyChain(START, head, branch, fork).map(({ block }) => block.hash);
const twice = (list: readonly string[]): string[] => list.flatMap((one) => [one, one]);

beforeAll(async () => {
  desk = await testDesk({ env: { HEAD_POLL_SECONDS: "0" }, secrets: new Map() });
  provide("rpc", node);
  const db = drizzleOf(desk.database.db);
  await watchWallets(db, "ethereum", [{ address: WHALE, label: "Whale", tags: [] }], instant(START * 1000));
  await seedCursor(db, "ethereum", { number: 0, hash: NOBODY });
});
afterAll(() => desk.close());

test("follows the head without a gap, twice the same", async () => {
  grow(6);
  await tick();
  await tick();
  expect(await hashes()).toEqual(expected(6));
  expect(await eventBlocks()).toEqual(twice(expected(6)));
});

test("a lagging node and a competing head touch nothing", async () => {
  grow(4, "late", 2);
  await tick();
  grow(6, "rival", 5);
  await tick();
  expect(await hashes()).toEqual(expected(6));
});

test("a reorg replaces blocks and events, and says what it took back", async () => {
  grow(8, "b", 4);
  await tick();
  expect(await hashes()).toEqual(expected(8, "b", 4));
  expect(await eventBlocks()).toEqual(twice(expected(8, "b", 4)));
  const gone = await drizzleOf(desk.database.db).select().from(eventRefs).where(isNotNull(eventRefs.reorgedAt));
  expect(new Set(gone.map((ref) => ref.blockHash))).toEqual(new Set(expected(6).slice(4)));
  expect(desk.deadLetters()).toEqual([]);
  // From the tick by a message's attribute to the block, and by a field of the fact to the audit log.
  const traces = await drizzleOf(desk.database.db).selectDistinct({ id: auditLogs.traceId }).from(auditLogs);
  expect(traces).toEqual([{ id: `local-watch-head-${instant(now * 1000)}` }]);
});

test("a late message of a block that lost takes nothing back", async () => {
  const before = [await hashes(), await eventBlocks()];
  abandoned = tinyChain(START, 6);
  const [block] = abandoned.slice(-1).map((full) => full.block);
  const { hash, parentHash } = block!;
  await send("blocks", [{ chain: "ethereum", number: 6, hash, parentHash, at: instant(now * 1000) }]);
  await desk.drain();
  expect([await hashes(), await eventBlocks()]).toEqual(before);
  expect(desk.deadLetters()).toEqual([]);
  abandoned = [];
});

test("the first chain may win back; its events are revived under their ids", async () => {
  grow(10);
  await tick();
  expect(await hashes()).toEqual(expected(10));
  expect(await eventBlocks()).toEqual(twice(expected(10)));
  const gone = await drizzleOf(desk.database.db).select().from(eventRefs).where(isNotNull(eventRefs.reorgedAt));
  expect(new Set(gone.map((ref) => ref.blockHash))).toEqual(new Set(expected(8, "b", 4).slice(4)));
});

test("below what was final the watcher stops with an error and touches nothing", async () => {
  finalized = 10;
  await tick();
  grow(12, "c", 7);
  const lines: LogLine[] = [];
  useSink((line) => lines.push(line));
  await expect(tick()).rejects.toMatchObject({ name: "DeepReorgError", number: 10 });
  useSink(null);
  expect(lines).toMatchObject([{ level: "error", message: "watch-head: run failed", error: "DeepReorgError" }]);
  expect(await hashes()).toEqual(expected(10));
  const [cursor] = await drizzleOf(desk.database.db).select().from(blockCursors);
  expect([cursor?.leaseUntil, cursor?.finalizedNumber]).toEqual([null, 10]);
  grow(11);
  await tick();
  expect((await cursorOf(desk.database.db, "ethereum"))?.number).toBe(11);
});
