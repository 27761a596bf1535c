import type { Header } from "./block.ts";

/** A block as the desk knows it: number and hash. */
export interface Seen {
  readonly number: number;
  readonly hash: string;
}

/** What a node says about its chain. */
export interface Heads {
  readonly latest: Header;
  readonly safe: Seen;
  readonly finalized: Seen;
}

/** How many headers below the cursor are compared before the desk gives up. */
export const MAX_REORG_DEPTH = 128;

/**
 * What to do next. `extend`: blocks after `from` follow the cursor. `wait`: nothing to do, or the node lags.
 * `fork`: the desk's chain leaves the node's after `at`; the desk's anchor is replaced by the node's block when the chains
 * part at it or below, since nothing below was ever followed. `stop`: it leaves below what was final, or deeper than the
 * desk remembers: a person must look. `need`: fetch the header of that number or hash, then ask again.
 */
export type HeadDecision =
  | { readonly kind: "extend"; readonly next: Header }
  | { readonly kind: "wait"; readonly reason: "at head" | "lagging node" | "competing head" | "missing header" }
  | { readonly kind: "fork"; readonly at: Seen; readonly next: Header }
  | { readonly kind: "stop"; readonly reason: "below finalized" | "too deep"; readonly number: number }
  | { readonly kind: "need"; readonly want: number | string };

export interface HeadState {
  readonly cursor: Seen;
  /** The highest number ever seen as finalized; 0 = none. */
  readonly finalized: number;
  readonly latest: Header;
  /** The desk's own hashes by number, at and below the cursor; gaps are allowed. */
  readonly ours: ReadonlyMap<number, string>;
  /** The block after which the desk began to follow the chain, when it is among `ours`; null = deeper, or not known. */
  readonly anchor: number | null;
  /** The node's headers by hash, and its block after the cursor; null = asked for and not there. */
  readonly next: Header | null | undefined;
  readonly fetched: ReadonlyMap<string, Header | null>;
}

/**
 * Decides how the desk follows a node's head. A node behind the cursor is lagging, whatever its hashes: nothing is
 * touched. A different head of the cursor's own height may still lose, so only a block above the cursor decides. From
 * there it walks back by parent hash, not by number, so that a node behind a balancer cannot mix two chains.
 */
export function decideHead(state: HeadState): HeadDecision {
  const { cursor, latest, next } = state;
  if (latest.number < cursor.number) return { kind: "wait", reason: "lagging node" };
  if (latest.number === cursor.number) {
    return { kind: "wait", reason: latest.hash === cursor.hash ? "at head" : "competing head" };
  }
  if (next === undefined) return { kind: "need", want: cursor.number + 1 };
  if (next === null) return { kind: "wait", reason: "missing header" };
  if (next.parentHash === cursor.hash) return { kind: "extend", next };
  return walkBack(state, next);
}

function walkBack({ cursor, finalized, ours, anchor, fetched }: HeadState, next: Header): HeadDecision {
  let child = next;
  for (;;) {
    const number = child.number - 1;
    const own = number === cursor.number ? cursor.hash : ours.get(number);
    if (own === child.parentHash) return { kind: "fork", at: { number, hash: own }, next: child };
    if (number <= finalized) return { kind: "stop", reason: "below finalized", number };
    if (number === anchor) return { kind: "fork", at: { number, hash: child.parentHash }, next: child };
    const deep = cursor.number - number >= MAX_REORG_DEPTH || !knownBelow(ours, number);
    if (deep) return { kind: "stop", reason: "too deep", number };
    const parent = fetched.get(child.parentHash);
    if (parent === undefined) return { kind: "need", want: child.parentHash };
    if (parent?.number !== number) return { kind: "wait", reason: "missing header" };
    child = parent;
  }
}

function knownBelow(ours: ReadonlyMap<number, string>, number: number): boolean {
  for (const known of ours.keys()) if (known < number) return true;
  return false;
}

/** Returns the prefix of `headers` (ascending) that links, one after another, to `from`. */
export function linked(from: Seen, headers: readonly (Header | null)[]): Header[] {
  const chain: Header[] = [];
  let last: Seen = from;
  for (const header of headers) {
    if (!header || header.number !== last.number + 1 || header.parentHash !== last.hash) break;
    chain.push(header);
    last = header;
  }
  return chain;
}
