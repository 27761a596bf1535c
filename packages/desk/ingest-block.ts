import type { FullBlock } from "#chain/block";
import { eventsOf } from "#chain/decode";
import { balanceQuestions, holdingsOf } from "#chain/equity";
import type { ChainEvent } from "#chain/event";
import { type LabelBook, labelBook, labelKind } from "#chain/labels";
import { netMoves } from "#chain/net";
import type { ChainNode } from "#chain/node";
import { MAX_PRICE_AGE_SECONDS, pricesAt } from "#chain/price";
import { touchesOf, type WatchSet, watchSet } from "#chain/touch";
import { countTransfers } from "#chain/transfers";
import { type BlockRow, type Retracted, ingestBlock as storeBlock } from "#db/chain/ingest";
import { allLabels } from "#db/chain/labels";
import { watchedIds } from "#db/chain/wallets";
import type { Db } from "#db/client";
import { closesBefore } from "#db/signals/prices";
import type { EventId, WalletId } from "#units/ids";
import { type Instant, instant, millis } from "#units/time";

/** A block to ingest, as the head was followed to it at `at`. */
export interface BlockJob {
  readonly chain: string;
  readonly number: number;
  readonly hash: string;
  readonly parentHash: string;
  readonly at: Instant;
}

/** Whose prices value what moved. */
export interface Priced {
  readonly instruments: readonly string[];
  readonly barSeconds: number;
}

/** What a block came to. A repeated call says the same events. */
export interface IngestedBlock {
  readonly timestamp: Instant;
  /** In the order of the block. */
  readonly eventIds: readonly EventId[];
  /** Events of blocks that this one put off the chain. */
  readonly retracted: readonly Retracted[];
}

/** The node has neither the block nor another one of its number: it lags, and the message is to be delivered again. */
class BlockMissingError extends Error {
  override name = "BlockMissingError";
  readonly number: number;
  readonly hash: string;
  constructor({ number, hash }: BlockJob) {
    super(`no node has block ${number} (${hash}) yet`);
    this.number = number;
    this.hash = hash;
  }
}

/**
 * Stores a block and what the watched wallets did in it. A block that contradicts stored ones replaces them when the
 * chain says so by now. Returns null when the chain has another block in its place.
 * @throws BlockMissingError when no node has any block of its number yet.
 */
export async function ingestBlock(
  node: ChainNode,
  db: Db,
  priced: Priced,
  job: BlockJob,
): Promise<IngestedBlock | null> {
  const { chain, number, hash, parentHash } = job;
  const [walletIds, labels] = await Promise.all([watchedIds(db, chain), labelsOf(db, chain)]);
  const watched = watchSetOf(walletIds);
  const asker = { watched, seenAt: millis(job.at) / 1000 };
  const full = await node.blockWithReceipts({ number, hash, parentHash }, asker);
  if (!full) {
    if (await isLost(node, job)) return null;
    throw new BlockMissingError(job);
  }
  const row = rowOf(job, full);
  const events = await eventsIn(node, db, priced, { full, row, walletIds, labels });
  let stored = await storeBlock(db, row, events, { wins: false });
  if (stored.conflict !== null) {
    // An old message of a chain that lost must not take back the one that won.
    if (await isLost(node, job)) return null;
    stored = await storeBlock(db, row, events, { wins: true });
  }
  return { timestamp: row.timestamp, eventIds: events.map(({ id }) => id), retracted: stored.retracted };
}

/** Returns whether the chain has another block at the job's number by now. @throws BlockMissingError when no node has any. */
async function isLost(node: Pick<ChainNode, "header">, job: BlockJob): Promise<boolean> {
  const canonical = await node.header(job.number);
  if (!canonical) throw new BlockMissingError(job);
  return canonical.hash !== job.hash;
}

/** Returns what is kept of a block. */
function rowOf({ chain, number, hash, parentHash, at }: BlockJob, { block, receipts }: FullBlock): BlockRow {
  const timestamp = instant(Number(block.timestamp) * 1000);
  const logCount = receipts.reduce((sum, receipt) => sum + receipt.logs.length, 0);
  const counts = { txCount: block.transactions.length, logCount, transferCount: countTransfers(receipts) };
  return { chain, number, hash, parentHash, timestamp, observedAt: at, ...counts };
}

interface Found {
  readonly full: FullBlock;
  readonly row: BlockRow;
  readonly walletIds: ReadonlyMap<string, WalletId>;
  readonly labels: LabelBook;
}

/** Returns the events of the wallets that a block touches: asks for the prices and balances that they need, and decodes. */
async function eventsIn(
  node: ChainNode,
  db: Db,
  { instruments, barSeconds }: Priced,
  { full, row, walletIds, labels }: Found,
): Promise<ChainEvent[]> {
  const { chain, number, timestamp, observedAt } = row;
  const touches = touchesOf(full, watchSetOf(walletIds));
  const closes = await closesBefore(db, instruments, barSeconds, timestamp, MAX_PRICE_AGE_SECONDS);
  const prices = pricesAt(closes, timestamp);
  const touched = touches.map((touch) => touch.wallet);
  const questions = balanceQuestions(touched, number, prices);
  const answers = questions.length > 0 ? await node.balances(questions) : [];
  const { native, equity } = holdingsOf(questions, answers, number, prices);
  const moves = netMoves(touches, full, native);
  return eventsOf(moves, { chain, block: full.block, observedAt, labels, prices, walletIds, equity });
}

const sets = new WeakMap<ReadonlyMap<string, string>, WatchSet>();

/** Returns the watch set of a list; the one of before for the list of before. */
function watchSetOf(walletIds: ReadonlyMap<string, WalletId>): WatchSet {
  const known = sets.get(walletIds);
  if (known) return known;
  const set = watchSet(walletIds.keys());
  sets.set(walletIds, set);
  return set;
}

// Labels change with a release of a list, so a process reads them once.
const books = new WeakMap<Db, LabelBook>();

async function labelsOf(db: Db, chain: string): Promise<LabelBook> {
  const known = books.get(db);
  if (known) return known;
  const rows = await allLabels(db, chain);
  const book = labelBook(rows.map((row) => ({ ...row, kind: labelKind(row.kind) })));
  books.set(db, book);
  return book;
}
