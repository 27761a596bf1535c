import { asc } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { FullBlock } from "#chain/block";
import { watchWallets } from "#db/chain/wallets";
import { chainBlocks, eventRefs } from "#db/schema";
import { chainNode, tinyChain } from "#testing/chain/chain-node";
import { WHALE } from "#testing/chain/tiny-recording";
import { type TestDatabase, testDatabase } from "#testing/database";
import { instant } from "#units/time";
import { type BlockJob, ingestBlock } from "./ingest-block.ts";

// Against a real database and a node whose chain the test changes.
const START = 1_700_000_040;
const PRICED = { instruments: ["ETH-USDT-SWAP"], barSeconds: 300 };

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
  await watchWallets(database.db, "ethereum", [{ address: WHALE, label: "Whale", tags: [] }], instant(START * 1000));
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.db.delete(eventRefs);
  await database.db.delete(chainBlocks);
});

/** The chain as the node has it, and blocks that it abandoned, which it serves by hash alone. */
let chain: FullBlock[] = [];
let abandoned: FullBlock[] = [];
const node = chainNode(
  () => chain,
  () => 0,
  () => abandoned,
);

const jobOf = (blocks: readonly FullBlock[], number: number): BlockJob => {
  const block = blocks.find((full) => Number(full.block.number) === number)?.block;
  if (!block) throw new RangeError(`no block ${number}`);
  const { hash, parentHash } = block;
  return { chain: "ethereum", number, hash, parentHash, at: instant((START + 600) * 1000) };
};
const ingest = (job: BlockJob) => ingestBlock(node, database.db, PRICED, job);
const stored = async () =>
  (await database.db.select().from(chainBlocks).orderBy(asc(chainBlocks.number))).map(({ hash }) => hash);

test("a block is stored with its counts and the events of who is watched, and again it says the same", async () => {
  chain = tinyChain(START, 3);
  const job = jobOf(chain, 2);
  const first = await ingest(job);
  expect(first?.eventIds).toHaveLength(2);
  expect(first).toMatchObject({ timestamp: instant((START + 24) * 1000), retracted: [] });
  expect(await ingest(job)).toEqual(first);
  const [row] = await database.db.select().from(chainBlocks);
  expect(row).toMatchObject({ number: 2, hash: job.hash, txCount: 2, transferCount: 2, observedAt: job.at });
});

test("a node that does not have the block yet lags: nothing is stored and the message comes again", async () => {
  const job = jobOf(tinyChain(START, 4), 4);
  chain = tinyChain(START, 3);
  await expect(ingest(job)).rejects.toMatchObject({ name: "BlockMissingError", number: 4, hash: job.hash });
  expect(await stored()).toEqual([]);
});

test("a block that no node has and that the chain has replaced is passed over", async () => {
  const job = jobOf(tinyChain(START, 3, "lost", 2), 3);
  chain = tinyChain(START, 3);
  expect(await ingest(job)).toBeNull();
  expect(await stored()).toEqual([]);
});

test("the chain's block takes back the one that it replaced; the replaced one takes nothing back", async () => {
  const lost = tinyChain(START, 3, "lost", 2);
  chain = lost;
  const before = await ingest(jobOf(lost, 3));
  chain = tinyChain(START, 3);
  abandoned = lost;
  const won = await ingest(jobOf(chain, 3));
  expect(won?.retracted.map(({ eventId }) => eventId).toSorted()).toEqual(before?.eventIds.toSorted());
  expect(await ingest(jobOf(lost, 3))).toBeNull();
  expect(await stored()).toEqual([jobOf(chain, 3).hash]);
});
