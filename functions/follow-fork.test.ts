import { asc, isNotNull } from "drizzle-orm";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { FullBlock } from "#chain/block";
import { cursorOf, ownChain, seedCursor } from "#db/chain/blocks";
import { watchWallets } from "#db/chain/wallets";
import { drizzleOf } from "#db/drizzle";
import { chainBlocks, eventRefs, events } from "#db/schema";
import type { Laptop } from "#local/laptop";
import { provide } from "#runtime/services";
import { chainNode, tinyChain } from "#testing/chain/chain-node";
import { NOBODY, WHALE } from "#testing/chain/tiny-recording";
import { testDesk } from "#testing/desk";
import { instant } from "#units/time";

// Forks that meet a desk whose own chain is not in its tables: it began above them, or has not ingested yet.
const START = 1_700_000_040;
let desk: Laptop;
let chain: FullBlock[] = [];
let abandoned: FullBlock[] = [];
let now = START;

beforeEach(async () => {
  desk = await testDesk({ env: { HEAD_POLL_SECONDS: "0" }, secrets: new Map() });
  provide(
    "rpc",
    chainNode(
      () => chain,
      () => 0,
      () => abandoned,
    ),
  );
  await watchWallets(
    desk.database.db,
    "ethereum",
    [{ address: WHALE, label: "Whale", tags: [] }],
    instant(START * 1000),
  );
});
afterEach(() => desk.close());

async function watch(): Promise<void> {
  now += 60;
  await desk.runSchedule("watch-head", instant(now * 1000));
}
const blocks = async () =>
  (await drizzleOf(desk.database.db).select().from(chainBlocks).orderBy(asc(chainBlocks.number))).map(
    ({ number, hash }) => [number, hash],
  );
const eventHashes = async () =>
  new Set((await drizzleOf(desk.database.db).select().from(events)).map(({ blockHash }) => blockHash));
/** Numbers and hashes of blocks `first` to `last` of a chain that is of `branch` above `fork`. */
const from = (first: number, last: number, branch = "main", fork = 0): [number, string][] =>
  tinyChain(START, last, branch, fork)
    .slice(first - 1)
    .map(({ block }) => [Number(block.number), block.hash]);
const hashOf = (number: number, branch = "main", fork = 0): string | undefined =>
  from(number, number, branch, fork)[0]?.[1];

test("first start at block 50, then a fork at 48: the seed is retracted and anchored again", async () => {
  chain = tinyChain(START, 50);
  await watch();
  await desk.drain();
  expect(await blocks()).toEqual(from(50, 50));
  expect(await eventHashes()).toEqual(new Set([hashOf(50)]));
  abandoned = chain;
  chain = tinyChain(START, 52, "b", 48);
  await watch();
  await desk.drain();
  expect(await blocks()).toEqual(from(50, 52, "b", 48));
  expect(await eventHashes()).toEqual(new Set(from(50, 52, "b", 48).map(([, hash]) => hash)));
  const gone = await drizzleOf(desk.database.db).select().from(eventRefs).where(isNotNull(eventRefs.reorgedAt));
  expect(new Set(gone.map(({ blockHash }) => blockHash))).toEqual(new Set([hashOf(50)]));
  const { hashes, anchor } = await ownChain(desk.database.db, "ethereum", 0, 60);
  expect([anchor, hashes.get(49)]).toEqual([49, hashOf(49, "b", 48)]);
  // And once more, from there: the anchor moves with the chain, not away from it.
  abandoned = [...abandoned, ...chain];
  chain = tinyChain(START, 54, "c", 47);
  await watch();
  await desk.drain();
  expect(await blocks()).toEqual(from(50, 54, "c", 47));
  expect(desk.deadLetters()).toEqual([]);
});

test("135 blocks sent and not ingested, then a fork of depth 1: followed", async () => {
  await seedCursor(desk.database.db, "ethereum", { number: 0, hash: NOBODY });
  chain = tinyChain(START, 135);
  await watch();
  expect([await blocks(), (await cursorOf(desk.database.db, "ethereum"))?.number]).toEqual([[], 135]);
  abandoned = chain;
  chain = tinyChain(START, 137, "b", 134);
  await watch();
  expect((await cursorOf(desk.database.db, "ethereum"))?.number).toBe(137);
  await desk.drain();
  expect(await blocks()).toEqual(from(1, 137, "b", 134));
  expect(await eventHashes()).toEqual(new Set(from(1, 137, "b", 134).map(([, hash]) => hash)));
  expect(desk.deadLetters()).toEqual([]);
});
