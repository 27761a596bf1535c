import { RLP } from "@ethereumjs/rlp";
import { hexOf, keccakOf } from "../keccak.ts";

/** A node of the trie: its items, before they are encoded. An item is bytes, or a child that is shorter than its hash. */
type Item = Uint8Array | readonly Item[];

interface Entry {
  /** The key's half-bytes. */
  readonly path: readonly number[];
  readonly value: Uint8Array;
}

const NOTHING = new Uint8Array(0);

/**
 * Returns the root of the Merkle Patricia trie that holds the n-th of `values` under the RLP of n, as a header commits to
 * its transactions, receipts and withdrawals. No key is the beginning of another, so no branch holds a value.
 * Built at once from all the values: the kept tries insert one by one, hash each branch on the way again, and take twice the
 * time that all of a block's proof may.   Source: Ethereum yellow paper, appendix D; docs/benchmarks.md
 */
export function orderedRoot(values: readonly Uint8Array[]): string {
  const entries = values.map((value, n): Entry => ({ path: halves(RLP.encode(n)), value }));
  entries.sort((a, b) => comparePaths(a.path, b.path));
  return hexOf(keccakOf(RLP.encode(nodeOf(entries, 0) as Uint8Array)));
}

const halves = (key: Uint8Array): number[] => Array.from(key).flatMap((byte) => [byte >> 4, byte & 15]);

function comparePaths(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((half, i) => half !== b[i]);
  return (a[at] ?? 0) - (b[at] ?? 0);
}

/** Returns the node of sorted `entries` whose paths are equal before `depth`. */
function nodeOf(entries: readonly Entry[], depth: number): Item {
  const [first] = entries;
  const last = entries.at(-1);
  if (!first || !last) return NOTHING;
  if (first === last) return [packed(first.path.slice(depth), true), first.value];
  let shared = depth; // sorted: what the first and the last share, all share
  while (first.path[shared] === last.path[shared]) shared += 1;
  const branch = branchOf(entries, shared);
  return shared === depth ? branch : [packed(first.path.slice(depth, shared), false), referenceTo(branch)];
}

function branchOf(entries: readonly Entry[], depth: number): Item {
  const children: Entry[][] = Array.from({ length: 16 }, () => []);
  for (const entry of entries) children[entry.path[depth] ?? 0]?.push(entry);
  return [...children.map((child) => referenceTo(nodeOf(child, depth + 1))), NOTHING];
}

/** Returns what a parent holds of a node: the node where its encoding is shorter than 32 bytes, else its hash. */
function referenceTo(node: Item): Item {
  if (node === NOTHING) return NOTHING;
  const encoded = RLP.encode(node as Uint8Array);
  return encoded.length < 32 ? node : keccakOf(encoded);
}

/** Returns half-bytes as bytes, with the flags for odd length and for a leaf. Source: yellow paper, appendix C, hex-prefix. */
function packed(path: readonly number[], leaf: boolean): Uint8Array {
  const flag = (leaf ? 2 : 0) + (path.length % 2);
  const whole = path.length % 2 ? [flag, ...path] : [flag, 0, ...path];
  return Uint8Array.from({ length: whole.length / 2 }, (_, i) => ((whole[2 * i] ?? 0) << 4) | (whole[2 * i + 1] ?? 0));
}
