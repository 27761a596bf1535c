import { and, asc, between, eq, isNull, lte, or, sql } from "drizzle-orm";
import type { Seen } from "#chain/reorg";
import { type Instant, instant, millis } from "#units/time";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { blockCursors, chainBlocks, sentBlocks } from "../schema.ts";

/** How far a chain was followed. `number` and `hash` are of the newest block sent to the queue. */
export interface Cursor {
  readonly number: number;
  readonly hash: string;
  readonly safe: number;
  readonly finalized: number;
}

/** The right to move a cursor. A newer lease has a higher fence and ends the right of the older ones. */
export interface Lease {
  readonly chain: string;
  readonly fence: number;
  readonly cursor: Cursor;
}

/** Another watcher took the cursor over. What this one did is harmless, but it must stop. */
export class LeaseLostError extends Error {
  override name = "LeaseLostError";
  readonly chain: string;
  readonly fence: number;
  constructor(chain: string, fence: number) {
    super(`${chain}: the lease with fence ${fence} was taken over`);
    this.chain = chain;
    this.fence = fence;
  }
}

const STREAM = "main";
const ofChain = (chain: string) => and(eq(blockCursors.chain, chain), eq(blockCursors.stream, STREAM));

const columns = {
  number: blockCursors.lastNumber,
  hash: blockCursors.lastHash,
  safe: blockCursors.safeNumber,
  finalized: blockCursors.finalizedNumber,
};

/**
 * Sets where following begins: the block before the first one wanted. A chain that has a cursor keeps it, so that a
 * restart carries on without a gap.
 */
export async function seedCursor(db: Db, chain: string, before: { number: number; hash: string }): Promise<void> {
  await drizzleOf(db).transaction(async (tx) => {
    const seeded = await tx
      .insert(blockCursors)
      .values({ chain, lastNumber: before.number, lastHash: before.hash, updatedAt: instant(0) })
      .onConflictDoNothing()
      .returning({ number: blockCursors.lastNumber });
    if (seeded.length > 0)
      await tx
        .insert(sentBlocks)
        .values({ chain, ...before, anchor: true })
        .onConflictDoNothing();
  });
}

/** Returns a chain's cursor, or null before it is seeded. */
export async function cursorOf(db: Db, chain: string): Promise<Cursor | null> {
  const [row] = await drizzleOf(db).select(columns).from(blockCursors).where(ofChain(chain));
  return row ?? null;
}

/**
 * Takes the cursor's lease for `seconds` from `at` on, or returns null when another has it, or there is no cursor. `at` is
 * the work's time. An owner that comes again takes it over from itself: its first run ended in the middle, or is fenced off.
 */
export async function takeLease(
  db: Db,
  chain: string,
  owner: string,
  at: Instant,
  seconds: number,
): Promise<Lease | null> {
  const { leaseUntil } = blockCursors;
  const [row] = await drizzleOf(db)
    .update(blockCursors)
    .set({ leaseOwner: owner, leaseUntil: instant(millis(at) + seconds * 1000), fence: sql`${blockCursors.fence} + 1` })
    .where(and(ofChain(chain), or(isNull(leaseUntil), lte(leaseUntil, at), eq(blockCursors.leaseOwner, owner))))
    .returning({ ...columns, fence: blockCursors.fence });
  if (!row) return null;
  const { fence, ...cursor } = row;
  return { chain, fence, cursor };
}

/**
 * Moves the cursor, also back to a fork; safe and finalized only grow. Returns the lease with the new cursor; with
 * `release` it is given back in the same statement.
 * @throws LeaseLostError when the lease was taken over.
 */
export async function moveCursor(db: Db, lease: Lease, to: Cursor, at: Instant, release = false): Promise<Lease> {
  const [row] = await drizzleOf(db)
    .update(blockCursors)
    .set({
      lastNumber: to.number,
      lastHash: to.hash,
      safeNumber: sql`GREATEST(${blockCursors.safeNumber}, ${to.safe}::bigint)`,
      finalizedNumber: sql`GREATEST(${blockCursors.finalizedNumber}, ${to.finalized}::bigint)`,
      updatedAt: at,
      ...(release && { leaseOwner: null, leaseUntil: null }),
    })
    .where(and(ofChain(lease.chain), eq(blockCursors.fence, lease.fence)))
    .returning(columns);
  if (!row) throw new LeaseLostError(lease.chain, lease.fence);
  return { ...lease, cursor: row };
}

/** Hashes of sent blocks are kept this far below the newest one: twice as deep as a fork is looked for. */
const KEPT = 256;

/**
 * Keeps the hashes of blocks that were sent, in place of those of their numbers, and forgets the oldest. Does nothing when
 * the lease was taken over. To be called before the cursor moves: above it hashes count for nothing.
 */
export async function keepSent(db: Db, lease: Lease, blocks: readonly Seen[]): Promise<void> {
  const { chain, fence } = lease;
  const newest = Math.max(...blocks.map(({ number }) => number));
  if (blocks.length === 0) return;
  const list = JSON.stringify(blocks.map(({ number, hash }) => ({ number, hash })));
  await drizzleOf(db).execute(sql`
    WITH gone AS (
      DELETE FROM sent_blocks WHERE chain = ${chain} AND number < ${newest - KEPT}::bigint)
    INSERT INTO sent_blocks (chain, number, hash)
    SELECT ${chain}::text, s.number, s.hash FROM json_to_recordset(${list}::text::json) AS s(number bigint, hash text)
    WHERE s.number >= ${newest - KEPT}::bigint AND EXISTS (
      SELECT FROM block_cursors c WHERE c.chain = ${chain} AND c.stream = ${STREAM} AND c.fence = ${fence}::bigint)
    ON CONFLICT (chain, number) DO UPDATE SET hash = EXCLUDED.hash`);
}

/** Gives the lease back. Does nothing when it was taken over. */
export async function releaseLease(db: Db, lease: Lease): Promise<void> {
  await drizzleOf(db)
    .update(blockCursors)
    .set({ leaseOwner: null, leaseUntil: null })
    .where(and(ofChain(lease.chain), eq(blockCursors.fence, lease.fence)));
}

/** The desk's own chain at and below the cursor. */
export interface OwnChain {
  /** By number: of the block that was sent last, else of the ingested one; gaps are possible. */
  readonly hashes: ReadonlyMap<number, string>;
  /** The number of the block after which following began; null when it is not among these. */
  readonly anchor: number | null;
}

/** Returns the desk's own chain from block `from` to `to`, whether ingested yet or not. */
export async function ownChain(db: Db, chain: string, from: number, to: number): Promise<OwnChain> {
  const ingested = await drizzleOf(db)
    .select({ number: chainBlocks.number, hash: chainBlocks.hash })
    .from(chainBlocks)
    .where(and(eq(chainBlocks.chain, chain), between(chainBlocks.number, from, to)))
    .orderBy(asc(chainBlocks.number));
  const sent = await drizzleOf(db)
    .select({ number: sentBlocks.number, hash: sentBlocks.hash, anchor: sentBlocks.anchor })
    .from(sentBlocks)
    .where(and(eq(sentBlocks.chain, chain), between(sentBlocks.number, from, to)))
    .orderBy(asc(sentBlocks.number));
  const hashes = new Map([...ingested, ...sent].map(({ number, hash }) => [number, hash]));
  return { hashes, anchor: sent.find(({ anchor }) => anchor)?.number ?? null };
}
