import { asc, isNotNull } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { asFullBlock, type FullBlock, headerOf } from "#chain/block";
import { cursorOf, seedCursor } from "#db/blocks";
import { blockCursors, chainBlocks, eventRefs, events } from "#db/schema";
import { watchWallets } from "#db/wallets";
import { type Desk, startDesk } from "#local/desk";
import type { Rpc } from "#runtime/rpc";
import { provide } from "#runtime/services";
import { tinyBlock, WHALE } from "#testing/tiny-recording";
import { instant } from "#units/time";

// watch-head, ingest-block and retract-events through the real queues, against a node whose chain the test changes.
const START = 1_700_000_040;
let chain: FullBlock[] = [];
let finalized = 0;
let desk: Desk;

/** Blocks 1 to `head`: of `branch` above `fork`, of "main" up to it. */
function grow(head: number, branch = "main", fork = 0): void {
  chain = Array.from({ length: head }, (_, i) => {
    const number = i + 1;
    const { block, receipts } = tinyBlock(number, START + number * 12, 2, number > fork ? branch : "main");
    const parent = chainHash(number - 1, number - 1 > fork ? branch : "main");
    return asFullBlock({ ...block, parentHash: parent }, receipts);
  });
}
const chainHash = (number: number, branch = "main"): string => tinyBlock(number, 0, 2, branch).block.hash;

const node: Rpc = {
  heads: async () => {
    const latest = headerOf(chain.at(-1)?.block);
    const seen = (number: number) => ({ number, hash: chainHash(number) });
    return { latest, safe: seen(finalized), finalized: seen(finalized) };
  },
  header: async (want) => {
    const found = chain.find(({ block }) =>
      typeof want === "number" ? Number(block.number) === want : block.hash === want,
    );
    return found ? headerOf(found.block) : null;
  },
  headers: async (from, count) => Promise.all(Array.from({ length: count }, (_, i) => node.header(from + i))),
  blockWithReceipts: async ({ hash }) => chain.find(({ block }) => block.hash === hash) ?? null,
  balances: async (requests) => requests.map(() => null),
  confirms: async () => true,
};

let now = START;
async function tick(): Promise<void> {
  now += 60;
  await desk.runSchedule("watch-head", instant(now * 1000));
  await desk.drain();
}

const hashes = async (): Promise<string[]> =>
  (await desk.database.db.select().from(chainBlocks).orderBy(asc(chainBlocks.number))).map((row) => row.hash);
const eventBlocks = async (): Promise<string[]> =>
  (await desk.database.db.select().from(events).orderBy(asc(events.blockNumber), asc(events.logIndex))).map(
    (row) => row.blockHash ?? "",
  );
const expected = (head: number, branch = "main", fork = 0): string[] =>
  Array.from({ length: head }, (_, i) => chainHash(i + 1, i + 1 > fork ? branch : "main"));
const twice = (list: readonly string[]): string[] => list.flatMap((one) => [one, one]);

beforeAll(async () => {
  desk = await startDesk({
    databaseDirectory: null,
    queueDirectory: null,
    env: { HEAD_POLL_SECONDS: "0" },
    secrets: new Map(),
  });
  provide("rpc", node);
  const { db } = desk.database;
  await watchWallets(db, "ethereum", [{ address: WHALE, label: "Whale", tags: [] }], instant(START * 1000));
  await seedCursor(db, "ethereum", { number: 0, hash: chainHash(0) });
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
  const gone = await desk.database.db.select().from(eventRefs).where(isNotNull(eventRefs.reorgedAt));
  expect(new Set(gone.map((ref) => ref.blockHash))).toEqual(new Set([chainHash(5), chainHash(6)]));
  expect(desk.deadLetters()).toEqual([]);
});

test("the first chain may win back; its events are revived under their ids", async () => {
  grow(10);
  await tick();
  expect(await hashes()).toEqual(expected(10));
  expect(await eventBlocks()).toEqual(twice(expected(10)));
  const gone = await desk.database.db.select().from(eventRefs).where(isNotNull(eventRefs.reorgedAt));
  expect(new Set(gone.map((ref) => ref.blockHash))).toEqual(new Set(expected(8, "b", 4).slice(4)));
});

test("below what was final the watcher stops with an error and touches nothing", async () => {
  finalized = 10;
  await tick();
  grow(12, "c", 7);
  await expect(tick()).rejects.toMatchObject({ name: "DeepReorgError", number: 10 });
  expect(await hashes()).toEqual(expected(10));
  const [cursor] = await desk.database.db.select().from(blockCursors);
  expect([cursor?.leaseUntil, cursor?.finalizedNumber]).toEqual([null, 10]);
  grow(11);
  await tick();
  expect((await cursorOf(desk.database.db, "ethereum"))?.number).toBe(11);
});
