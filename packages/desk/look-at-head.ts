import type { ChainNode } from "#chain/node";
import { cursorOf, keepSent, moveCursor, releaseLease, seedCursor, takeLease } from "#db/chain/blocks";
import type { Db } from "#db/client";
import { type Instant, instant, millis } from "#units/time";
import { followHead } from "./follow-head.ts";

/** Longer than a look may take: one that died holds the next ones back no longer. */
const LEASE_SECONDS = 31;

/** One look at a chain's head. */
interface Look {
  readonly chain: string;
  readonly at: Instant;
}

/** A look of a minute that begins at `at`. */
interface LaterLook extends Look {
  readonly afterSeconds: number;
}

/** A block to ingest. */
interface Sent extends Look {
  readonly number: number;
  readonly hash: string;
  readonly parentHash: string;
}

/**
 * Sends the blocks that follow the cursor, from the fork when it was left, and moves the cursor after them. Returns when the
 * nodes' newest block was mined; null when another look is at it. Looks may come late, twice or out of order: each begins
 * where the cursor stands.
 * @throws DeepReorgError, a node's error.
 */
export async function lookAtHead(
  node: ChainNode,
  db: Db,
  { chain, at }: Look,
  send: (blocks: readonly Sent[]) => Promise<void>,
): Promise<Instant | null> {
  const take = () => takeLease(db, chain, `look ${at}`, at, LEASE_SECONDS);
  let held = await take();
  if (!held && !(await cursorOf(db, chain))) {
    const { latest } = await node.heads();
    await seedCursor(db, chain, { number: latest.number - 1, hash: latest.parentHash });
    held = await take();
  }
  if (!held) return null;
  let done = false;
  try {
    const { headers, to, headAt, fork } = await followHead(node, db, chain, held.cursor, at);
    const now = instant(Math.max(millis(at), millis(headAt))); // a look that came late sees blocks that are younger than it
    // Sent before the cursor moves: a crash between the two sends them again, and ingest stands that.
    await send(headers.map(({ number, hash, parentHash }) => ({ chain, number, hash, parentHash, at: now })));
    await keepSent(db, held, fork === null ? headers : [fork, ...headers]);
    await moveCursor(db, held, to, now, true);
    done = true;
    return headAt;
  } finally {
    if (!done) await releaseLease(db, held);
  }
}

/** Returns the looks of the rest of the minute that begins at `at`: one each `everySeconds`, none where that is 0. */
export function laterLooks({ chain, at }: Look, everySeconds: number): LaterLook[] {
  if (everySeconds === 0) return [];
  const step = Math.max(1, Math.round(everySeconds));
  return Array.from({ length: Math.ceil(60 / step) - 1 }, (_, i) => ({ chain, at, afterSeconds: (i + 1) * step }));
}

/** Returns the time of a look: of its minute, and of it in the minute. */
export const timeOf = ({ at, afterSeconds }: LaterLook): Instant => instant(millis(at) + afterSeconds * 1000);
