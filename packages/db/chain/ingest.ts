import { and, between, eq, sql } from "drizzle-orm";
import type { ChainEvent } from "#chain/event";
import type { EventId, WalletId } from "#units/ids";
import type { Instant } from "#units/time";
import { recordset } from "../bulk.ts";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { rows } from "../rows.ts";
import { chainBlocks, eventRefs, events as eventRows } from "../schema.ts";
import * as kind from "../shape.ts";

const Waiting = kind.shape("wallets waiting", { id: kind.id("wallet") });

/** A block as it is kept. */
export interface BlockRow {
  readonly chain: string;
  readonly number: number;
  readonly hash: string;
  readonly parentHash: string;
  readonly timestamp: Instant;
  readonly observedAt: Instant;
  readonly txCount: number;
  readonly logCount: number;
  readonly transferCount: number;
}

/** An event that a reorg took back. */
export interface Retracted {
  readonly eventId: EventId;
  readonly walletId: WalletId;
  readonly blockNumber: number;
  readonly blockHash: string;
}

type Link = Pick<BlockRow, "chain" | "number" | "hash" | "parentHash">;

/**
 * Returns the lowest stored block that cannot be on one chain with `block`, or null when none contradicts it: another
 * hash at its number, a parent that is not the one below it, or a child of another block above it.
 */
async function conflictOf(db: Db, block: Link): Promise<number | null> {
  const { chain, number, hash, parentHash } = block;
  const near = await drizzleOf(db)
    .select({ number: chainBlocks.number, hash: chainBlocks.hash, parentHash: chainBlocks.parentHash })
    .from(chainBlocks)
    .where(and(eq(chainBlocks.chain, chain), between(chainBlocks.number, number - 1, number + 1)))
    .orderBy(chainBlocks.number);
  const contradicts = (other: (typeof near)[number]): boolean => {
    if (other.number < number) return other.hash !== parentHash;
    return other.number === number ? other.hash !== hash : other.parentHash !== hash;
  };
  return near.find(contradicts)?.number ?? null;
}

/** What became of a block. */
export interface Ingested {
  /** The lowest stored block that contradicts it (see `conflictOf`): nothing was written. Null when it is written. */
  readonly conflict: number | null;
  readonly retracted: readonly Retracted[];
}

/**
 * Writes a block and its events in one transaction. What contradicts it is taken back first when the block `wins`: the
 * caller has asked the chain. Returns what the work of the block's `observedAt` took back and did not come back since, so a
 * second call, which changes nothing, returns the same. `events` are in chain order, all of this block.
 */
export async function ingestBlock(
  db: Db,
  block: BlockRow,
  events: readonly ChainEvent[],
  { wins }: { readonly wins: boolean },
): Promise<Ingested> {
  return await drizzleOf(db).transaction(async (transaction) => {
    const tx = transaction as Db;
    // One block of a chain at a time; the queue orders them, this stands a redelivery that overlaps.
    await drizzleOf(tx).execute(
      sql`SELECT pg_advisory_xact_lock(hashtextextended(${`ingest ${block.chain}`}::text, 0))`,
    );
    // Asked together: an embedded database answers in one trip, a server behind a pooler in turn. The order is not promised.
    let [conflict, waiting] = await Promise.all([conflictOf(tx, block), walletsWaiting(tx, block, events)]);
    if (conflict !== null) {
      if (!wins) return { conflict, retracted: [] };
      await retractFrom(tx, block.chain, conflict, block.observedAt);
      waiting = await walletsWaiting(tx, block, events); // what they did before may be among what was taken back
    }
    const [retracted] = await Promise.all([
      retractedAt(tx, block.chain, block.observedAt),
      drizzleOf(tx).insert(chainBlocks).values(block).onConflictDoNothing(),
      unmarkLater(tx, block, waiting),
      insertEvents(tx, withFirst(events, waiting)),
    ]);
    return { conflict: null, retracted };
  });
}

/**
 * Takes back every event of blocks `from` and above: the registry keeps the rows, marked `at`; events, analyses,
 * contributions to biases and outcomes go. Run inside of a transaction.
 */
export async function retractFrom(db: Db, chain: string, from: number, at: Instant): Promise<void> {
  await drizzleOf(db).execute(sql`
    WITH orphan AS (
      UPDATE event_refs SET reorged_at = ${at}::timestamptz
      WHERE chain = ${chain} AND block_number >= ${from}::bigint AND reorged_at IS NULL
      RETURNING id, "timestamp"),
    gone_events AS (DELETE FROM events e USING orphan o WHERE e.id = o.id AND e."timestamp" = o."timestamp"),
    gone_contributions AS (DELETE FROM bias_contributions c USING orphan o WHERE c.event_id = o.id),
    gone_outcomes AS (DELETE FROM wallet_outcomes w USING orphan o WHERE w.event_id = o.id),
    gone_analyses AS (DELETE FROM event_analysis a USING orphan o WHERE a.event_id = o.id)
    DELETE FROM chain_blocks WHERE chain = ${chain} AND number >= ${from}::bigint`);
}

/** Returns the events that were taken back by the work of `at` and did not come back since, by id. */
async function retractedAt(db: Db, chain: string, at: Instant): Promise<Retracted[]> {
  const found = await drizzleOf(db)
    .select({
      eventId: eventRefs.id,
      walletId: eventRefs.walletId,
      blockNumber: eventRefs.blockNumber,
      blockHash: eventRefs.blockHash,
    })
    .from(eventRefs)
    .where(and(eq(eventRefs.chain, chain), eq(eventRefs.reorgedAt, at)))
    .orderBy(eventRefs.id);
  return found.map((row) => ({ ...row, blockNumber: row.blockNumber ?? 0, blockHash: row.blockHash ?? "" }));
}

/** Returns the ids of the events' wallets that had none since they are watched, up to this block. */
async function walletsWaiting(db: Db, block: BlockRow, events: readonly ChainEvent[]): Promise<ReadonlySet<string>> {
  if (events.length === 0) return new Set();
  const ids = [...new Set(events.map((event) => event.walletId))].sort();
  const without = await rows(
    db,
    Waiting,
    sql`SELECT w.id FROM wallets w
        WHERE w.id = ANY(${sql.param(ids)}::uuid[]) AND w.watched_since <= ${block.timestamp}::timestamptz AND NOT EXISTS (
          SELECT 1 FROM event_refs r WHERE r.wallet_id = w.id AND r.reorged_at IS NULL
            AND r."timestamp" >= w.watched_since AND r.block_number < ${block.number}::bigint)`,
  );
  return new Set(without.map((row) => row.id));
}

/** Takes the mark from later events that came before this block did. */
async function unmarkLater(db: Db, block: BlockRow, waiting: ReadonlySet<string>): Promise<void> {
  if (waiting.size === 0) return;
  await drizzleOf(db).execute(sql`UPDATE events SET is_first_since_watch = false
    WHERE wallet_id = ANY(${sql.param([...waiting].sort())}::uuid[]) AND is_first_since_watch AND chain = ${block.chain}
      AND block_number > ${block.number}::bigint AND "timestamp" >= ${block.timestamp}::timestamptz`);
}

/** Returns the events with the first one of each waiting wallet marked. */
function withFirst(events: readonly ChainEvent[], waiting: ReadonlySet<string>): ChainEvent[] {
  const left = new Set(waiting);
  return events.map((event) => ({ ...event, isFirstSinceWatch: left.delete(event.walletId) }));
}

/** One statement: the registry and the events. An event that a reorg took back and brings again is revived under its id. */
async function insertEvents(db: Db, events: readonly ChainEvent[]): Promise<void> {
  if (events.length === 0) return;
  const source = recordset(eventRows, events.map(rowOf));
  await drizzleOf(db).execute(sql`
    WITH src AS (SELECT ${source.names} FROM ${source.rows}),
    ref AS (
      INSERT INTO event_refs (id, "timestamp", wallet_id, chain, tx_hash, log_index, block_number, block_hash)
      SELECT id, "timestamp", wallet_id, chain, tx_hash, log_index, block_number, block_hash FROM src ORDER BY id
      ON CONFLICT (id) DO UPDATE SET reorged_at = NULL
      RETURNING id),
    active AS (
      UPDATE wallets w SET last_activity = GREATEST(w.last_activity, s.at)
      FROM (SELECT wallet_id, max("timestamp") AS at FROM src GROUP BY wallet_id) s WHERE w.id = s.wallet_id)
    INSERT INTO events (${source.names})
    SELECT src.* FROM src JOIN ref USING (id) ORDER BY src.id
    ON CONFLICT (id, "timestamp") DO NOTHING`);
}

/** The columns of `events`: those of the event that are called alike, and the others by name. */
const rowOf = ({ wallet, type, gasPriceGwei, evidence, ...event }: ChainEvent): typeof eventRows.$inferInsert => ({
  ...event,
  eventType: type,
  gasPrice: gasPriceGwei,
  rawData: evidence,
});
