import { asc, eq } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { ChainEvent } from "#chain/event";
import { type TestDatabase, testDatabase } from "#testing/database";
import { decimalOf } from "#units/decimal";
import { idOf } from "#units/ids";
import { type Instant, instant } from "#units/time";
import * as schema from "../schema.ts";
import {
  cursorOf,
  keepSent,
  LeaseLostError,
  moveCursor,
  ownChain,
  releaseLease,
  seedCursor,
  takeLease,
} from "./blocks.ts";
import { eventById, positionOf, walletHistory } from "./events.ts";
import { type BlockRow, ingestBlock } from "./ingest.ts";
import { walletIdOf, watchWallets } from "./wallets.ts";

const CHAIN = "ethereum";
const ADDRESS = `0x${"a1".repeat(20)}`;
const START = Date.parse("2026-03-01T00:00:00.000Z");
const hash = (branch: string, number: number): string =>
  `0x${branch.repeat(56)}${number.toString(16).padStart(8, "0")}`;
const at = (number: number): Instant => instant(START + number * 12_000);

let test_: TestDatabase;
beforeAll(async () => {
  test_ = await testDatabase();
});
afterAll(() => test_.close());
beforeEach(async () => {
  const { db } = test_;
  const tables = [
    schema.biasContributions,
    schema.walletOutcomes,
    schema.eventAnalysis,
    schema.events,
    schema.eventRefs,
  ];
  for (const table of [...tables, schema.chainBlocks, schema.sentBlocks, schema.blockCursors, schema.wallets])
    await db.delete(table);
  await watchWallets(db, CHAIN, [{ address: ADDRESS, label: "Whale", tags: [] }], instant(START));
});

/** Block `number` of `branch`, whose parent is of `parent`. */
const blockRow = (number: number, branch = "a", parent = branch): BlockRow => ({
  chain: CHAIN,
  number,
  hash: hash(branch, number),
  parentHash: hash(parent, number - 1),
  timestamp: at(number),
  observedAt: instant(START + number * 12_000 + 3000),
  txCount: 1,
  logCount: 2,
  transferCount: 1,
});

function event(block: BlockRow, logIndex = 3, more: Partial<ChainEvent> = {}): ChainEvent {
  const walletId = walletIdOf(CHAIN, ADDRESS);
  const txHash = more.txHash ?? `0x${"ef".repeat(30)}${block.number.toString(16).padStart(4, "0")}`;
  return {
    id: idOf("event", CHAIN, block.hash, txHash, logIndex, walletId),
    chain: CHAIN,
    walletId,
    wallet: ADDRESS,
    timestamp: block.timestamp,
    observedAt: block.observedAt,
    blockNumber: block.number,
    blockHash: block.hash,
    txHash,
    logIndex,
    type: "swap",
    asset: "ETH",
    tokenAddress: "native",
    amount: decimalOf("1.234567890123456789"),
    direction: 1,
    notionalUsd: decimalOf("2500.10"),
    sizeFraction: null,
    venue: "uniswap_v3",
    counterparty: null,
    gasPriceGwei: decimalOf("31.5"),
    isFirstSinceWatch: false,
    evidence: {
      txIndex: 4,
      from: ADDRESS,
      to: null,
      router: null,
      gasUsed: "21000",
      legs: [],
      dust: [],
      venues: [],
      price: null,
      equityUsd: null,
      quality: { decode: 1, label: 1 },
    },
    ...more,
  };
}

const ingest = (block: BlockRow, ...events: ChainEvent[]) => ingestBlock(test_.db, block, events, { wins: true });
/** Returns the block that stands against this one; when none does, it is written. */
const conflictWith = async (block: BlockRow): Promise<number | null> =>
  (await ingestBlock(test_.db, block, [event(block)], { wins: false })).conflict;
const retractedBy = async (block: BlockRow, ...events: ChainEvent[]) => (await ingest(block, ...events)).retracted;
const stored = () =>
  test_.db.select().from(schema.events).orderBy(asc(schema.events.blockNumber), asc(schema.events.logIndex));
const firsts = async () => (await stored()).map((row) => row.isFirstSinceWatch);

test("an event comes back as it was written, and a second delivery changes nothing", async () => {
  const block = blockRow(5);
  for (let i = 0; i < 3; i++) await ingest(block, event(block));
  expect(await stored()).toHaveLength(1);
  const found = await eventById(test_.db, event(block).id);
  expect(found?.event).toEqual({ ...event(block), notionalUsd: "2500.1", isFirstSinceWatch: true });
  expect(found?.wallet).toMatchObject({ address: ADDRESS, label: "Whale" });
  expect(await eventById(test_.db, idOf("event", "none"))).toBeNull();
  const [wallet] = await test_.db.select().from(schema.wallets);
  expect(wallet?.lastActivity).toBe(at(5));
});

test("first since watch is by chain position, whatever came first", async () => {
  const [four, five, six] = [blockRow(4), blockRow(5), blockRow(6)];
  await ingest(five, event(five, 3), event(five, 9));
  expect(await firsts()).toEqual([true, false]);
  await ingest(six, event(six));
  expect(await firsts()).toEqual([true, false, false]);
  await ingest(four, event(four));
  expect(await firsts()).toEqual([true, false, false, false]);
});

test("a reorg takes back the tail and what was computed from it; the same block may come back", async () => {
  const { db } = test_;
  for (const number of [5, 6, 7]) await ingest(blockRow(number), event(blockRow(number)));
  const lost = event(blockRow(6));
  await db.insert(schema.eventAnalysis).values({ eventId: lost.id, confidence: decimalOf("0.5"), analyzedAt: at(6) });
  const shared = { eventId: lost.id, asset: "ETH", walletId: lost.walletId };
  await db
    .insert(schema.biasContributions)
    .values({ ...shared, timeframe: "1h", at: at(6), channel: "swap", d: 1, w: 0.5, factors: {} });
  const outcome = {
    horizon: "1h",
    direction: 1,
    enteredAt: at(6),
    entryPrice: decimalOf("1"),
    exitPrice: decimalOf("1"),
    asOf: at(9),
  } as const;
  await db
    .insert(schema.walletOutcomes)
    .values({ ...shared, ...outcome, forwardReturn: 0, marketReturn: 0, beta: 1, volatility: 1, excess: 0 });

  const fork = { ...blockRow(6, "b", "a"), observedAt: at(20) };
  const before = await stored();
  expect(await conflictWith(fork)).toBe(6);
  expect(await stored()).toEqual(before);
  const retracted = await retractedBy(fork, event(fork));
  expect((await stored()).map((row) => row.blockHash)).toEqual([hash("a", 5), hash("b", 6)]);
  for (const table of [schema.eventAnalysis, schema.biasContributions, schema.walletOutcomes]) {
    expect(await db.select().from(table)).toEqual([]);
  }
  expect(retracted.map((row) => row.blockHash).sort()).toEqual([hash("a", 6), hash("a", 7)]);
  // A redelivery finds the same facts to publish again.
  expect(await retractedBy(fork, event(fork))).toEqual(retracted);

  const back = { ...blockRow(6), observedAt: at(30) };
  await ingest(back, { ...event(blockRow(6)), observedAt: at(30) });
  expect((await stored()).map((row) => row.blockHash)).toEqual([hash("a", 5), hash("a", 6)]);
  const [ref] = await db.select().from(schema.eventRefs).where(eq(schema.eventRefs.id, lost.id));
  expect(ref?.reorgedAt).toBeNull();
  const late = await db
    .select()
    .from(schema.eventRefs)
    .where(eq(schema.eventRefs.reorgedAt, at(20)));
  expect(late.map((row) => row.blockHash)).toEqual([hash("a", 7)]);
});

test("what a fork's block takes back does not count as before it", async () => {
  await ingest(blockRow(6), event(blockRow(6)));
  await ingest(blockRow(7, "b"), event(blockRow(7, "b")));
  expect(await firsts()).toEqual([true]);
});

test("a transaction that is mined again in another block is one event", async () => {
  const txHash = `0x${"77".repeat(32)}`;
  await ingest(blockRow(5), event(blockRow(5), 3, { txHash }));
  await ingest(blockRow(5, "b", "a"));
  await ingest(blockRow(6, "b"), event(blockRow(6, "b"), 3, { txHash }));
  expect((await stored()).map((row) => row.blockNumber)).toEqual([6]);
});

test("a parent or a child that does not fit is a conflict, a gap is none", async () => {
  await ingest(blockRow(5));
  expect(await conflictWith(blockRow(6, "b"))).toBe(5);
  expect(await conflictWith(blockRow(4, "b"))).toBe(5);
  expect([...(await ownChain(test_.db, CHAIN, 0, 9)).hashes]).toEqual([[5, hash("a", 5)]]);
  expect(await conflictWith(blockRow(4, "a"))).toBeNull();
  expect(await conflictWith(blockRow(8, "b"))).toBeNull();
  expect([...(await ownChain(test_.db, CHAIN, 0, 9)).hashes.keys()].sort()).toEqual([4, 5, 8]);
});

test("history stops before a chain position and knows nothing of what came later", async () => {
  const { db } = test_;
  for (const number of [3, 5, 4])
    await ingest(blockRow(number), event(blockRow(number), 3), event(blockRow(number), 9));
  const five = event(blockRow(5), 9);
  const before = await walletHistory(db, five.walletId, positionOf(five), at(0));
  expect(before.map((row) => row.id)).toEqual(
    [
      [3, 3],
      [3, 9],
      [4, 3],
      [4, 9],
      [5, 3],
    ].map(([number, log]) => event(blockRow(number as number), log).id),
  );
  expect(await walletHistory(db, five.walletId, positionOf(five), at(5))).toHaveLength(1);
  expect((await walletHistory(db, five.walletId, positionOf(five), at(0), 2)).map((row) => row.timestamp)).toEqual([
    at(4),
    at(5),
  ]);
});

test("one watcher holds the cursor; an older fence is refused", async () => {
  const { db } = test_;
  await seedCursor(db, CHAIN, { number: 4, hash: hash("a", 4) });
  await seedCursor(db, CHAIN, { number: 1, hash: hash("a", 1) });
  const first = await takeLease(db, CHAIN, "one", at(0), 59);
  expect(first?.cursor).toEqual({ number: 4, hash: hash("a", 4), safe: 0, finalized: 0 });
  expect(await takeLease(db, CHAIN, "two", at(0), 59)).toBeNull();
  const moved = await moveCursor(db, first!, { number: 5, hash: hash("a", 5), safe: 3, finalized: 2 }, at(1));
  const second = await takeLease(db, CHAIN, "two", at(5), 59);
  expect(second?.fence).toBe(first!.fence + 1);
  await expect(moveCursor(db, moved, moved.cursor, at(5))).rejects.toBeInstanceOf(LeaseLostError);
  await releaseLease(db, moved);
  expect(await takeLease(db, CHAIN, "three", at(6), 59)).toBeNull();
  await moveCursor(db, second!, { number: 4, hash: hash("a", 4), safe: 1, finalized: 1 }, at(6));
  expect(await cursorOf(db, CHAIN)).toEqual({ number: 4, hash: hash("a", 4), safe: 3, finalized: 2 });
  await releaseLease(db, second!);
  const third = await takeLease(db, CHAIN, "three", at(6), 59);
  const retried = await takeLease(db, CHAIN, "three", at(6), 59); // Lambda tries a run again that ended in the middle
  expect(retried).toEqual({ ...third, fence: third!.fence + 1 });
  await expect(moveCursor(db, third!, third!.cursor, at(6))).rejects.toBeInstanceOf(LeaseLostError);
});

test("hashes are kept when blocks are sent, above those of ingested ones, by the holder of the lease alone", async () => {
  const { db } = test_;
  const seen = (branch: string, ...numbers: number[]) =>
    numbers.map((number) => ({ number, hash: hash(branch, number) }));
  const own = async () => {
    const { hashes, anchor } = await ownChain(db, CHAIN, 0, 1000);
    return { hashes: [...hashes].sort(([a], [b]) => a - b), anchor };
  };
  const pairs = (branch: string, ...numbers: number[]) => numbers.map((number) => [number, hash(branch, number)]);
  await seedCursor(db, CHAIN, { number: 4, hash: hash("a", 4) });
  await seedCursor(db, CHAIN, { number: 1, hash: hash("a", 1) });
  expect(await own()).toEqual({ hashes: pairs("a", 4), anchor: 4 });
  const first = (await takeLease(db, CHAIN, "one", at(0), 59))!;
  await keepSent(db, first, []);
  await keepSent(db, first, seen("a", 5, 6, 7));
  await ingest(blockRow(5));
  await ingest(blockRow(6));
  await keepSent(db, first, seen("b", 6, 7));
  expect(await own()).toEqual({ hashes: [...pairs("a", 4, 5), ...pairs("b", 6, 7)], anchor: 4 });
  await keepSent(db, first, seen("c", 4, 5));
  expect(await own()).toEqual({ hashes: [...pairs("c", 4, 5), ...pairs("b", 6, 7)], anchor: 4 });
  await takeLease(db, CHAIN, "two", at(60), 59);
  await keepSent(db, first, seen("d", 5));
  expect((await own()).hashes).toContainEqual([5, hash("c", 5)]);
  const third = (await takeLease(db, CHAIN, "three", at(120), 59))!;
  await keepSent(db, third, seen("b", 8, 261));
  // 256 below the newest; what was ingested is still known by its own row.
  expect(await own()).toEqual({ hashes: [...pairs("c", 5), ...pairs("b", 6, 7, 8, 261)], anchor: null });
});
