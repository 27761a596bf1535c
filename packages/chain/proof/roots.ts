import type { RawBlock, RawReceipt } from "../block.ts";
import { hexOf, keccakOf } from "../keccak.ts";
import { type Check, UNKNOWN_FORK } from "./check.ts";
import {
  encodeHeader,
  encodeReceipt,
  encodeTransaction,
  encodeWithdrawal,
  LAST_TYPE,
  typeOf,
  unknownFields,
} from "./encode.ts";
import { orderedRoot } from "./trie.ts";

/** Checks that the block's hash is the one of its header: so every header field is what the chain has. */
export function checkHeader(block: RawBlock, check: Check): void {
  const hash = hexOf(keccakOf(encodeHeader(block)));
  const strange = hash === block.hash ? [] : unknownFields(block);
  check(strange.length === 0, "fork", "block", () => `has the fields ${strange.join(", ")}; ${UNKNOWN_FORK}`);
  check(hash === block.hash, "headerHash", "block", () => `the header's hash is ${hash}`);
}

/**
 * Checks each transaction's hash, and transactions and receipts against the roots in the header. `unsigned` takes the hash of a transaction
 * without a signature as it stands: a development chain hashes those of impersonated senders in a way of its own.
 */
export function checkRoots(block: RawBlock, receipts: readonly RawReceipt[], unsigned: boolean, check: Check): void {
  const { transactions } = block;
  transactions.forEach((transaction, i) => {
    const type = typeOf(transaction);
    check(type <= LAST_TYPE, "transactionType", `transaction ${i}`, () => `is ${transaction.type}; ${UNKNOWN_FORK}`);
  });
  const encoded = transactions.map(encodeTransaction);
  transactions.forEach((transaction, i) => {
    if (unsigned && isUnsigned(transaction)) return;
    const hash = hexOf(keccakOf(encoded[i] ?? new Uint8Array(0)));
    check(hash === transaction.hash, "transactionHash", `transaction ${i}`, () => `its content's hash is ${hash}`);
  });
  const root = orderedRoot(encoded);
  check(root === block.transactionsRoot, "transactionsRoot", "block", () => `the transactions' root is ${root}`);
  const typed = receipts.map((receipt, i) => encodeReceipt(receipt, transactions[i] ? typeOf(transactions[i]) : 0));
  const outcome = orderedRoot(typed);
  check(outcome === block.receiptsRoot, "receiptsRoot", "block", () => `the receipts' root is ${outcome}`);
}

/** Checks the withdrawals against their root. Before Shanghai there are neither. */
export function checkWithdrawals({ withdrawals, withdrawalsRoot }: RawBlock, check: Check): void {
  const listed = withdrawals ?? null;
  const committed = withdrawalsRoot ?? null;
  if (committed === null) {
    check((listed ?? []).length === 0, "withdrawalsRoot", "block", () => "there is none for its withdrawals");
    return;
  }
  check(listed !== null, "withdrawalsRoot", "block", () => "its withdrawals are left out");
  const root = orderedRoot((listed ?? []).map(encodeWithdrawal));
  check(root === committed, "withdrawalsRoot", "block", () => `the withdrawals' root is ${root}`);
}

/** Returns whether a transaction carries no signature, as those of impersonated senders on a development chain. */
export const isUnsigned = ({ r, s }: { readonly r: string; readonly s: string }): boolean =>
  BigInt(r) === 0n && BigInt(s) === 0n;
