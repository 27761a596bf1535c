import { and, between, eq, isNull, lte, or, sql } from "drizzle-orm";
import { type Instant, instant, millis } from "#units/time";
import type { Db } from "../client.ts";
import { blockCursors, chainBlocks } from "../schema.ts";

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
  await db
    .insert(blockCursors)
    .values({ chain, lastNumber: before.number, lastHash: before.hash, updatedAt: instant(0) })
    .onConflictDoNothing();
}

/** Returns a chain's cursor, or null before it is seeded. */
export async function cursorOf(db: Db, chain: string): Promise<Cursor | null> {
  const [row] = await db.select(columns).from(blockCursors).where(ofChain(chain));
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
  const [row] = await db
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
  const [row] = await db
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

/** Gives the lease back. Does nothing when it was taken over. */
export async function releaseLease(db: Db, lease: Lease): Promise<void> {
  await db
    .update(blockCursors)
    .set({ leaseOwner: null, leaseUntil: null })
    .where(and(ofChain(lease.chain), eq(blockCursors.fence, lease.fence)));
}

/** Returns the hashes of the ingested blocks `from` to `to` by number; blocks not ingested yet are absent. */
export async function ownHashes(db: Db, chain: string, from: number, to: number): Promise<Map<number, string>> {
  const list = await db
    .select({ number: chainBlocks.number, hash: chainBlocks.hash })
    .from(chainBlocks)
    .where(and(eq(chainBlocks.chain, chain), between(chainBlocks.number, from, to)))
    .orderBy(chainBlocks.number);
  return new Map(list.map(({ number, hash }) => [number, hash]));
}
