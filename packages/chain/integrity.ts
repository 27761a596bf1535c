import type { RawBlock, RawLog, RawReceipt } from "./block.ts";
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
  const check: Check = (ok, name, place, problem) => {
    if (!ok) throw new IntegrityError(name, expected, place, problem());
  };
  const { transactions } = block;
  check(block.hash === expected.hash, "hash", "block", () => `is ${block.hash}`);
  check(Number(block.number) === expected.number, "number", "block", () => `is ${block.number}`);
  check(block.parentHash === expected.parentHash, "parentHash", "block", () => `is ${block.parentHash}`);
  const counts = () => `${receipts.length} receipts for ${transactions.length} transactions`;
  check(receipts.length === transactions.length, "receiptCount", "block", counts);
  const bloom = bloomOf(block.logsBloom);
  check(bloom !== null, "bloom", "block", () => "is not 256 bytes");
  const blooms: Blooms = { bloom: bloom ?? new Uint8Array(256), seen: new Uint8Array(256) };
  let lastIndex = -1;
  receipts.forEach((receipt, i) => {
    const place = `transaction ${i}`;
    const own = transactions[i]?.blockHash;
    const hash = transactions[i]?.hash;
    check(own === block.hash, "transactionBlock", place, () => `is of ${own}`);
    check(receipt.blockHash === block.hash, "receiptBlock", place, () => `is of ${receipt.blockHash}`);
    check(Number(receipt.blockNumber) === expected.number, "receiptBlock", place, () => `is of ${receipt.blockNumber}`);
    check(receipt.transactionHash === hash, "receiptTransaction", place, () => `is of ${receipt.transactionHash}`);
    for (const log of receipt.logs) lastIndex = checkLog(log, receipt, expected, blooms, lastIndex, check);
  });
  const whole = blooms.seen.every((byte, i) => byte === blooms.bloom[i]);
  check(whole, "bloom", "block", () => "has bits that no log sets: a log is missing");
}

type Check = (ok: boolean, name: IntegrityCheck, place: string, problem: () => string) => void;

interface Blooms {
  readonly bloom: Uint8Array;
  readonly seen: Uint8Array;
}

/** Returns the log's index. */
function checkLog(
  log: RawLog,
  receipt: RawReceipt,
  expected: Expected,
  blooms: Blooms,
  before: number,
  check: Check,
): number {
  const place = `log ${log.logIndex}`;
  const index = Number(log.logIndex);
  const { transactionHash } = log;
  check(log.blockHash === expected.hash, "logBlock", place, () => `is of ${log.blockHash}`);
  check(Number(log.blockNumber) === expected.number, "logBlock", place, () => `is of ${log.blockNumber}`);
  check(transactionHash === receipt.transactionHash, "logTransaction", place, () => `is of ${transactionHash}`);
  check(index > before, "logIndex", place, () => `follows ${before}`);
  check(holds(blooms, log.address), "bloom", place, () => `lacks the address ${log.address}`);
  for (const topic of log.topics) check(holds(blooms, topic), "bloom", place, () => `lacks the topic ${topic}`);
  return index;
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
  const first = mark(bloom, seen, low & 2047);
  const second = mark(bloom, seen, low >> 11);
  return mark(bloom, seen, Math.floor(packed / 4_194_304)) && first && second;
}

function mark(bloom: Uint8Array, seen: Uint8Array, bit: number): boolean {
  const place = 255 - (bit >> 3); // bit 0 is the lowest bit of the last byte
  const mask = 1 << (bit & 7);
  (seen[place] as number) |= mask;
  return ((bloom[place] as number) & mask) !== 0;
}

const digit = (code: number): number => (code <= 57 ? code - 48 : (code | 32) - 87);

function bloomOf(hex: string): Uint8Array | null {
  if (hex.length !== 514) return null;
  const bytes = new Uint8Array(256);
  for (let i = 0; i < 256; i++) bytes[i] = (digit(hex.charCodeAt(2 * i + 2)) << 4) | digit(hex.charCodeAt(2 * i + 3));
  return bytes;
}
