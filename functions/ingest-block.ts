import type { FullBlock } from "#chain/block";
import { type DecodeContext, eventsOf } from "#chain/decode";
import { balanceQuestions, holdingsOf } from "#chain/equity";
import { type LabelBook, labelBook, labelKind } from "#chain/labels";
import { netMoves } from "#chain/net";
import type { ChainNode } from "#chain/node";
import { MAX_PRICE_AGE_SECONDS, pricesAt } from "#chain/price";
import { touchesOf, type WatchSet, watchSet } from "#chain/touch";
import { countTransfers } from "#chain/transfers";
import { type BlockRow, ingestBlock } from "#db/chain/ingest";
import { allLabels } from "#db/chain/labels";
import { watchedIds } from "#db/chain/wallets";
import type { Db } from "#db/client";
import { closesBefore } from "#db/signals/prices";
import { consume } from "#runtime/consume";
import { measureAge } from "#runtime/metrics";
import type { MessageOf } from "#topology/messages";
import { type Instant, instant } from "#units/time";

/** The node has neither the block nor another one of its number: it lags, and the message is to be delivered again. */
class BlockMissingError extends Error {
  override name = "BlockMissingError";
  readonly number: number;
  readonly hash: string;
  constructor({ number, hash }: MessageOf<"block">) {
    super(`no node has block ${number} (${hash}) yet`);
    this.number = number;
    this.hash = hash;
  }
}

export const handler = consume("blocks", async (message, { database, rpc, settings, send, publish }) => {
  const { chain, number, hash, parentHash, at } = message;
  const [full, walletIds, labels] = await Promise.all([
    rpc.blockWithReceipts({ number, hash, parentHash }),
    watchedIds(database, chain),
    labelsOf(database, chain),
  ]);
  if (!full) {
    if (await isLost(rpc, message)) return;
    throw new BlockMissingError(message);
  }
  const { block } = full;
  const timestamp = instant(Number(block.timestamp) * 1000);
  const touches = touchesOf(full, watchSetOf(walletIds));
  const { instruments, barSeconds } = settings;
  const closes = await closesBefore(database, instruments, barSeconds, timestamp, MAX_PRICE_AGE_SECONDS);
  const prices = pricesAt(closes, timestamp);
  const touched = touches.map((touch) => touch.wallet);
  const questions = balanceQuestions(touched, number, prices);
  const answers = questions.length > 0 ? await rpc.balances(questions) : [];
  const { native, equity } = holdingsOf(questions, answers, number, prices);
  const context: DecodeContext = { chain, block, observedAt: at, labels, prices, walletIds, equity };
  const events = eventsOf(netMoves(touches, full, native), context);
  const row = rowOf(message, full, timestamp);
  let ingested = await ingestBlock(database, row, events, { wins: false });
  if (ingested.conflict !== null) {
    // An old message of a chain that lost must not take back the one that won.
    if (await isLost(rpc, message)) return;
    ingested = await ingestBlock(database, row, events, { wins: true });
  }
  measureAge("IngestLagSeconds", timestamp);
  await publish(
    "event.retracted",
    ingested.retracted.map(({ eventId, ...body }) => ({ entityType: "event", entityId: eventId, at, body })),
  );
  await send(
    "events",
    events.map(({ id }) => ({ eventId: id, at })),
  );
});

/** Returns whether the chain has another block at the message's number by now. @throws BlockMissingError when no node has any. */
async function isLost(rpc: Pick<ChainNode, "header">, message: MessageOf<"block">): Promise<boolean> {
  const canonical = await rpc.header(message.number);
  if (!canonical) throw new BlockMissingError(message);
  return canonical.hash !== message.hash;
}

/** Returns what is kept of a block. */
function rowOf(message: MessageOf<"block">, { block, receipts }: FullBlock, timestamp: Instant): BlockRow {
  const { chain, number, hash, parentHash, at } = message;
  const logCount = receipts.reduce((sum, receipt) => sum + receipt.logs.length, 0);
  const counts = { txCount: block.transactions.length, logCount, transferCount: countTransfers(receipts) };
  return { chain, number, hash, parentHash, timestamp, observedAt: at, ...counts };
}

const sets = new WeakMap<ReadonlyMap<string, string>, WatchSet>();

/** Returns the watch set of a list; the one of before for the list of before. */
function watchSetOf(walletIds: ReadonlyMap<string, string>): WatchSet {
  const known = sets.get(walletIds);
  if (known) return known;
  const set = watchSet(walletIds.keys());
  sets.set(walletIds, set);
  return set;
}

// Labels change with a release of a list, so a process reads them once.
const books = new WeakMap<Db, LabelBook>();

async function labelsOf(database: Db, chain: string): Promise<LabelBook> {
  const known = books.get(database);
  if (known) return known;
  const rows = await allLabels(database, chain);
  const book = labelBook(rows.map((row) => ({ ...row, kind: labelKind(row.kind) })));
  books.set(database, book);
  return book;
}
