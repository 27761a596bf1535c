import type { RawBlock, RawLog, RawReceipt } from "./block.ts";
import { type Blooms, bloomsOf, isWhole, missingIn } from "./proof/bloom.ts";
import type { Check, IntegrityCheck } from "./proof/check.ts";
import { checkDerived } from "./proof/derived.ts";
import { checkHeader, checkRoots, checkWithdrawals, isUnsigned } from "./proof/roots.ts";
import { senderOf } from "./proof/sender.ts";
import type { Touch } from "./touch.ts";

/** What a block must be for the desk to take it. */
export interface Expected {
  readonly number: number;
  readonly hash: string;
  readonly parentHash: string;
}

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

/** How blocks are proven: each in full, or those far behind the head by what links them. */
export type Verify = "full" | "linked";

/** How one block is proven. */
export interface Proof {
  readonly verify: Verify;
  /** Whether transactions without a signature are taken: those of a generated recording alone. */
  readonly unsigned: boolean;
}

/** Every root, every signature. */
export const FULL: Proof = { verify: "full", unsigned: false };

/** Some 64 slots of 12 s: two epochs, after which a block is final. */
const FAR_BEHIND_SECONDS = 768;

/**
 * Returns how to prove a block that was mined `behindSeconds` before the desk saw the head: in full near the head, or
 * always where `verify` says so. A desk that catches up takes the blocks far behind as `linked`: by header hash, parent
 * links, blooms and a second provider's hash.
 */
export const proofFor = (verify: Verify, behindSeconds: number): Verify =>
  verify === "linked" && behindSeconds > FAR_BEHIND_SECONDS ? "linked" : "full";

/**
 * Checks that `block` (as `asFullBlock` returns it) is the expected one and that `receipts` are its receipts, complete and
 * in order: the header's hash, counts, places, log indexes 0 to n − 1 over the block, what receipts say beyond their
 * encoding. In `full` each transaction's hash and the roots of transactions, receipts and withdrawals are computed again, so
 * that no amount, party, status or log can be another than what the hash commits to; `linked` compares the logs' bloom
 * instead, which finds mistakes of nodes and caches, not a forger's work.
 *
 * Not proven by any of it: that the hash is of the canonical chain (a second provider's word); the sender, which is in
 * no encoding (its receipt must say the same; `checkSenders` recovers those of watched wallets' transactions, so a
 * transaction that is hidden by another sender in both, and moves no token, stays unseen); the price of blob gas below the
 * offer, blob gas that a node leaves out; balances, which are a node's word.
 * @throws IntegrityError with the first check that fails.   Source: docs/decisions/0012-block-proofs.md
 */
export function checkBlock(
  block: RawBlock,
  receipts: readonly RawReceipt[],
  expected: Expected,
  { verify, unsigned }: Proof = FULL,
): void {
  const check = checkOf(expected);
  const { transactions } = block;
  check(block.hash === expected.hash, "hash", "block", () => `is ${block.hash}`);
  check(Number(block.number) === expected.number, "number", "block", () => `is ${block.number}`);
  check(block.parentHash === expected.parentHash, "parentHash", "block", () => `is ${block.parentHash}`);
  checkHeader(block, check);
  const counts = () => `${receipts.length} receipts for ${transactions.length} transactions`;
  check(receipts.length === transactions.length, "receiptCount", "block", counts);
  let logs = 0;
  receipts.forEach((receipt, i) => {
    checkPlace(block, i, receipt, check);
    for (const log of receipt.logs) checkLog(log, receipt, block, logs++, check);
    checkDerived(block, i, receipt, receipts[i - 1], check);
  });
  checkWithdrawals(block, check);
  if (verify === "full") checkRoots(block, receipts, unsigned, check);
  else checkBlooms(bloomsOf(block.logsBloom), receipts, check);
}

/**
 * Checks that the transactions of `touches` were signed by whom they name as their sender. `unsigned` takes those without a
 * signature.
 * @throws IntegrityError naming the transaction
 */
export function checkSenders(touches: readonly Touch[], expected: Expected, unsigned: boolean): void {
  const check = checkOf(expected);
  for (const [i, transaction] of new Map(touches.map((touch) => [touch.txIndex, touch.transaction]))) {
    if (unsigned && isUnsigned(transaction)) continue;
    const sender = senderOf(transaction);
    check(
      sender === transaction.from,
      "sender",
      `transaction ${i}`,
      () => `is ${transaction.from}, signed by ${sender}`,
    );
  }
}

const checkOf =
  (expected: Expected): Check =>
  (ok, name, place, problem) => {
    if (!ok) throw new IntegrityError(name, expected, place, problem());
  };

function checkPlace(block: RawBlock, i: number, receipt: RawReceipt, check: Check): void {
  const place = `transaction ${i}`;
  const transaction = block.transactions[i];
  const own = transaction?.blockHash;
  const { blockHash, blockNumber, transactionHash } = receipt;
  check(own === block.hash, "transactionBlock", place, () => `is of ${own}`);
  const number = transaction?.blockNumber;
  check(number === block.number, "transactionBlock", place, () => `is of ${number}`);
  check(blockHash === block.hash, "receiptBlock", place, () => `is of ${blockHash}`);
  check(blockNumber === block.number, "receiptBlock", place, () => `is of ${blockNumber}`);
  check(transactionHash === transaction?.hash, "receiptTransaction", place, () => `is of ${transactionHash}`);
}

function checkLog(log: RawLog, receipt: RawReceipt, block: RawBlock, index: number, check: Check): void {
  const place = `log ${log.logIndex}`;
  const { transactionHash } = log;
  check(log.blockHash === block.hash, "logBlock", place, () => `is of ${log.blockHash}`);
  check(log.blockNumber === block.number, "logBlock", place, () => `is of ${log.blockNumber}`);
  check(transactionHash === receipt.transactionHash, "logTransaction", place, () => `is of ${transactionHash}`);
  check(Number(log.logIndex) === index, "logIndex", place, () => `is the block's log ${index}`);
}

function checkBlooms(blooms: Blooms, receipts: readonly RawReceipt[], check: Check): void {
  for (const { logs } of receipts) {
    for (const log of logs) {
      const lacks = missingIn(blooms, log);
      check(lacks === null, "bloom", `log ${log.logIndex}`, () => `has not got ${lacks}`);
    }
  }
  check(isWhole(blooms), "bloom", "block", () => "has bits that no log sets: a log is missing");
}
