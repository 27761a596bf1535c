import type { Header } from "#chain/block";
import type { ChainNode } from "#chain/node";
import { decideHead, type HeadDecision, type Heads, linked, MAX_REORG_DEPTH, type Seen } from "#chain/reorg";
import { type Cursor, type OwnChain, ownChain } from "#db/chain/blocks";
import type { Db } from "#db/client";
import { type Instant, instant, millis } from "#units/time";

/** The node's chain leaves the desk's below what was final, or deeper than the desk remembers. A person must look. */
export class DeepReorgError extends Error {
  override name = "DeepReorgError";
  readonly chain: string;
  readonly number: number;
  constructor(chain: string, number: number, reason: string) {
    super(
      `${chain} block ${number}: the node's chain is another one, ${reason}; nothing was changed (docs/runbook.md)`,
    );
    this.chain = chain;
    this.number = number;
  }
}

/** What one look at the head came to. */
export interface Followed {
  /** New blocks, ascending, each the child of the one before. */
  readonly headers: readonly Header[];
  /** Where `headers` begin when the desk's chain was left. */
  readonly fork: Seen | null;
  /** Where the cursor belongs once the blocks are sent. */
  readonly to: Cursor;
  /** When the nodes' newest block was mined, also one that is not followed. */
  readonly headAt: Instant;
}

/** Blocks sent in one run at most; a longer gap goes on in the next. */
const PAGE = 200;
/** Five slots without a block are rare: a node whose newest block is older than this hangs behind. */
const STALE_SECONDS = 60;

/**
 * Returns the blocks that follow the cursor on the node's chain, from the fork when it left the desk's chain and a
 * second provider agrees. A node behind the cursor gives none; one that is a minute behind `at` is passed over.
 * @throws DeepReorgError below what was final.
 */
export async function followHead(
  node: ChainNode,
  db: Db,
  chain: string,
  cursor: Cursor,
  at: Instant,
): Promise<Followed> {
  const heads = await node.heads(millis(at) / 1000 - STALE_SECONDS);
  const decision = await decide(node, db, chain, cursor, heads);
  if (decision.kind === "stop") throw new DeepReorgError(chain, decision.number, decision.reason);
  const from = decision.kind === "fork" ? decision.at : cursor;
  const { safe, finalized } = heads;
  const place = (seen: Seen): Cursor => ({ ...seen, safe: safe.number, finalized: finalized.number });
  const headAt = instant(heads.latest.timestamp * 1000);
  const none: Followed = { headers: [], to: place({ number: cursor.number, hash: cursor.hash }), headAt, fork: null };
  if (decision.kind !== "extend" && decision.kind !== "fork") return none;
  if (decision.kind === "fork" && !(await node.confirms(decision.next.number, decision.next.hash))) return none;
  const count = Math.min(PAGE, heads.latest.number - from.number);
  const fork = decision.kind === "fork" ? decision.at : null;
  const headers = linked(from, count === 1 ? [decision.next] : await node.headers(from.number + 1, count));
  const last = headers.at(-1);
  return last ? { headers, to: place({ number: last.number, hash: last.hash }), headAt, fork } : none;
}

type Settled = Exclude<HeadDecision, { kind: "need" }>;

async function decide(node: ChainNode, db: Db, chain: string, cursor: Cursor, heads: Heads): Promise<Settled> {
  const fetched = new Map<string, Header | null>();
  let next: Header | null | undefined = heads.latest.number === cursor.number + 1 ? heads.latest : undefined;
  let own: OwnChain = { hashes: new Map(), anchor: null };
  for (;;) {
    const { hashes: ours, anchor } = own;
    const state = { cursor, finalized: cursor.finalized, latest: heads.latest, ours, anchor, next, fetched };
    const decision = decideHead(state);
    if (decision.kind === "stop" && decision.reason === "too deep" && ours.size === 0) {
      own = await ownChain(db, chain, cursor.number - MAX_REORG_DEPTH, cursor.number);
      if (own.hashes.size > 0) continue;
    }
    if (decision.kind !== "need") return decision;
    const header = await node.header(decision.want);
    if (typeof decision.want === "number") next = header;
    else fetched.set(decision.want, header);
    if (ours.size === 0) own = await ownChain(db, chain, cursor.number - MAX_REORG_DEPTH, cursor.number);
  }
}
