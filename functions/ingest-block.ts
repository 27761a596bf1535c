import { type DecodeContext, eventsOf } from "#chain/decode";
import { balanceQuestions, holdingsOf } from "#chain/equity";
import { type LabelBook, labelBook, labelKind } from "#chain/labels";
import { netMoves } from "#chain/net";
import { pricesAt } from "#chain/price";
import { touchesOf, watchSet } from "#chain/touch";
import { countTransfers } from "#chain/transfers";
import type { Db } from "#db/client";
import { type BlockRow, conflictOf, ingestBlock, retractedAt } from "#db/ingest";
import { allLabels } from "#db/labels";
import { closesBefore } from "#db/prices";
import { watchedWallets } from "#db/wallets";
import { consume } from "#runtime/consume";
import { measureAge } from "#runtime/metrics";
import type { MessageOf } from "#topology/messages";
import { instant } from "#units/time";

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
  const full = await rpc.blockWithReceipts({ number, hash, parentHash });
  if (!full || (await conflictOf(database, message)) !== null) {
    // An old message of a chain that lost must not take back the one that won.
    const canonical = await rpc.header(number);
    if (canonical && canonical.hash !== hash) return;
    if (!full || !canonical) throw new BlockMissingError(message);
  }
  const { block, receipts } = full;
  const timestamp = instant(Number(block.timestamp) * 1000);
  const watched = await watchedWallets(database, chain);
  const touches = touchesOf(full, watchSet(watched.map((wallet) => wallet.address)));
  const prices = pricesAt(
    await closesBefore(database, settings.instruments, settings.barSeconds, timestamp),
    timestamp,
  );
  const questions = balanceQuestions(
    touches.map((touch) => touch.wallet),
    number,
    prices,
  );
  const answers = questions.length > 0 ? await rpc.balances(questions) : [];
  const { native, equity } = holdingsOf(questions, answers, number, prices);
  const walletIds = new Map(watched.map(({ address, id }) => [address, id]));
  const labels = await labelsOf(database, chain);
  const context: DecodeContext = { chain, block, observedAt: at, labels, prices, walletIds, equity };
  const events = eventsOf(netMoves(touches, full, native), context);
  const logCount = receipts.reduce((sum, receipt) => sum + receipt.logs.length, 0);
  const counts = { txCount: block.transactions.length, logCount, transferCount: countTransfers(receipts) };
  const row: BlockRow = { chain, number, hash, parentHash, timestamp, observedAt: at, ...counts };
  await ingestBlock(database, row, events);
  measureAge("IngestLagSeconds", timestamp);
  const retracted = await retractedAt(database, chain, at);
  await publish(
    "event.retracted",
    retracted.map(({ eventId, ...body }) => ({ entityType: "event", entityId: eventId, at, body })),
  );
  await send(
    "events",
    events.map(({ id }) => ({ eventId: id, at })),
  );
});

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
