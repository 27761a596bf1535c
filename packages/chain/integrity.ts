import type { RawBlock, RawReceipt } from "./block.ts";
import { bloomBits } from "./keccak.ts";

/** What a block must be for the desk to take it. */
export interface Expected {
  readonly number: number;
  readonly hash: string;
  readonly parentHash: string;
}

export type IntegrityCheck =
  | "hash"
  | "number"
  | "parentHash"
  | "receiptCount"
  | "transactionBlock"
  | "receiptBlock"
  | "receiptTransaction"
  | "logBlock"
  | "logTransaction"
  | "logIndex"
  | "bloom";

/** A node's block and receipts do not belong together, or are not what was asked for. `check` says which test failed. */
export class IntegrityError extends Error {
  override name = "IntegrityError";
  readonly check: IntegrityCheck;
  readonly blockNumber: number;
  readonly blockHash: string;
  readonly place: string;
  constructor(check: IntegrityCheck, expected: Expected, place: string, problem: string) {
    super(`block ${expected.number} (${expected.hash}): ${check} at ${place}: ${problem}`);
    this.check = check;
    this.blockNumber = expected.number;
    this.blockHash = expected.hash;
    this.place = place;
  }
}

/**
 * Checks that `block` is the expected one and that `receipts` are its receipts, complete and in order: counts, hashes,
 * numbers, log indexes strictly increasing over the block, and the bloom of all logs equal to the header's, so that a
 * missing log shows as well as a foreign one. It finds mistakes of nodes and caches, not a forger's work: no root is proven.
 * @throws IntegrityError with the first check that fails.
 */
export function checkBlock(block: RawBlock, receipts: readonly RawReceipt[], expected: Expected): void {
  const fail = (check: IntegrityCheck, place: string, problem: string): never => {
    throw new IntegrityError(check, expected, place, problem);
  };
  const { transactions } = block;
  if (block.hash !== expected.hash) fail("hash", "block", `is ${block.hash}`);
  if (Number(block.number) !== expected.number) fail("number", "block", `is ${block.number}`);
  if (block.parentHash !== expected.parentHash) fail("parentHash", "block", `is ${block.parentHash}`);
  if (receipts.length !== transactions.length) {
    fail("receiptCount", "block", `${receipts.length} receipts for ${transactions.length} transactions`);
  }
  const bloom = bloomOf(block.logsBloom) ?? fail("bloom", "block", "is not 256 bytes");
  const seen = new Uint8Array(256);
  let lastIndex = -1;
  for (let i = 0; i < transactions.length; i++) {
    const transaction = transactions[i];
    const receipt = receipts[i];
    if (!transaction || !receipt) continue; // equal lengths: never
    const place = `transaction ${i}`;
    if (transaction.blockHash !== block.hash) fail("transactionBlock", place, `is of ${transaction.blockHash}`);
    if (receipt.blockHash !== block.hash) fail("receiptBlock", place, `is of ${receipt.blockHash}`);
    if (Number(receipt.blockNumber) !== expected.number) fail("receiptBlock", place, `is of ${receipt.blockNumber}`);
    if (receipt.transactionHash !== transaction.hash)
      fail("receiptTransaction", place, `is of ${receipt.transactionHash}`);
    lastIndex = checkLogs(receipt, expected, { bloom, seen }, lastIndex, fail);
  }
  if (seen.some((byte, i) => byte !== bloom[i])) fail("bloom", "block", "has bits that no log sets: a log is missing");
}

type Fail = (check: IntegrityCheck, place: string, problem: string) => never;

interface Blooms {
  readonly bloom: Uint8Array;
  readonly seen: Uint8Array;
}

/** Returns the last log index. */
function checkLogs(receipt: RawReceipt, expected: Expected, blooms: Blooms, before: number, fail: Fail): number {
  let last = before;
  for (const log of receipt.logs) {
    const place = `log ${log.logIndex}`;
    if (log.blockHash !== expected.hash) fail("logBlock", place, `is of ${log.blockHash}`);
    if (Number(log.blockNumber) !== expected.number) fail("logBlock", place, `is of ${log.blockNumber}`);
    if (log.transactionHash !== receipt.transactionHash) fail("logTransaction", place, `is of ${log.transactionHash}`);
    const index = Number(log.logIndex);
    if (!(index > last)) fail("logIndex", place, `follows ${last}`);
    last = index;
    if (!holds(blooms, log.address)) fail("bloom", place, `lacks the address ${log.address}`);
    for (const topic of log.topics) if (!holds(blooms, topic)) fail("bloom", place, `lacks the topic ${topic}`);
  }
  return last;
}

// Addresses and topics repeat from block to block. At most some 10 MB.
const CACHE_LIMIT = 50_000;
const bits = new Map<string, number>();

/** Returns whether the bloom holds `value`, and notes that it was seen. */
function holds({ bloom, seen }: Blooms, value: string): boolean {
  let packed = bits.get(value);
  if (packed === undefined) {
    packed = bloomBits(value);
    if (bits.size >= CACHE_LIMIT) bits.clear();
    bits.set(value, packed);
  }
  const low = packed % 4_194_304;
  return [low & 2047, low >> 11, Math.floor(packed / 4_194_304)].every((bit) => {
    const place = 255 - (bit >> 3); // bit 0 is the lowest bit of the last byte
    const mask = 1 << (bit & 7);
    (seen[place] as number) |= mask;
    return ((bloom[place] as number) & mask) !== 0;
  });
}

const digit = (code: number): number => (code <= 57 ? code - 48 : (code | 32) - 87);

function bloomOf(hex: string): Uint8Array | null {
  if (hex.length !== 514) return null;
  const bytes = new Uint8Array(256);
  for (let i = 0; i < 256; i++) bytes[i] = (digit(hex.charCodeAt(2 * i + 2)) << 4) | digit(hex.charCodeAt(2 * i + 3));
  return bytes;
}
