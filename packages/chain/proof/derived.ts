import { RLP } from "@ethereumjs/rlp";
import type { RawBlock, RawReceipt, RawTransaction } from "../block.ts";
import { bytesOf, hexOf, keccakOf } from "../keccak.ts";
import type { Check } from "./check.ts";
import { typeOf } from "./encode.ts";

/** Returns the wei that a transaction pays for its gas in a block with that base fee.   Source: EIP-1559 */
export function gasPriceOf(transaction: RawTransaction, baseFeePerGas: string | null | undefined): bigint {
  if (typeOf(transaction) < 2) return BigInt(transaction.gasPrice ?? "0x0");
  const most = BigInt(transaction.maxFeePerGas ?? "0x0");
  const offered = BigInt(baseFeePerGas ?? "0x0") + BigInt(transaction.maxPriorityFeePerGas ?? "0x0");
  return most < offered ? most : offered;
}

/** Returns the address of the contract that `from` creates with its transaction of `nonce`.   Source: yellow paper, section 7 */
export function createdBy(from: string, nonce: string): string {
  const digits = BigInt(nonce);
  return hexOf(keccakOf(RLP.encode([bytesOf(from), digits])).subarray(12));
}

const GAS_PER_BLOB = 131_072n;

/**
 * Checks what a node says of a receipt beyond what the receipts' root proves, by what is proven: gas used by the cumulative
 * gas, the gas price by the transaction and the base fee, a new contract by sender and nonce, blob gas by the blobs.
 * The price of blob gas is checked against what the sender offered at most only: its formula changes with every fork.
 */
export function checkDerived(
  block: RawBlock,
  i: number,
  receipt: RawReceipt,
  before: RawReceipt | undefined,
  check: Check,
): void {
  const transaction = block.transactions[i];
  if (!transaction) return;
  const place = `transaction ${i}`;
  const { from, type, gasUsed, contractAddress, status } = receipt;
  check(from === transaction.from, "from", place, () => `is ${transaction.from}, its receipt's ${from}`);
  const same = type === null || type === undefined || Number(type) === typeOf(transaction);
  check(same, "receiptType", place, () => `is ${type}`);
  const spent = BigInt(receipt.cumulativeGasUsed) - BigInt(before?.cumulativeGasUsed ?? "0x0");
  check(BigInt(gasUsed) === spent, "gasUsed", place, () => `is ${gasUsed}, cumulative gas says ${spent}`);
  const stated = receipt.effectiveGasPrice ?? transaction.gasPrice;
  check(stated !== null && stated !== undefined, "gasPrice", place, () => "is not there");
  const due = gasPriceOf(transaction, block.baseFeePerGas);
  check(BigInt(stated ?? "0x0") === due, "gasPrice", place, () => `is ${stated}, the transaction pays ${due}`);
  if (transaction.to === null || transaction.to === undefined) {
    const none = contractAddress === null || contractAddress === undefined;
    const made = none ? status === "0x0" : contractAddress === createdBy(from, transaction.nonce);
    check(made, "contractAddress", place, () => `is ${contractAddress}`);
  }
  checkBlobs(transaction, receipt, place, check);
}

function checkBlobs(transaction: RawTransaction, receipt: RawReceipt, place: string, check: Check): void {
  const blobs = BigInt(typeOf(transaction) === 3 ? (transaction.blobVersionedHashes ?? []).length : 0);
  const { blobGasUsed, blobGasPrice } = receipt;
  if (blobGasUsed === null || blobGasUsed === undefined) return; // some nodes leave it out
  check(BigInt(blobGasUsed) === blobs * GAS_PER_BLOB, "blobGas", place, () => `is ${blobGasUsed} for ${blobs} blobs`);
  if (blobs === 0n) return;
  const fair = BigInt(blobGasPrice ?? "0x0") <= BigInt(transaction.maxFeePerBlobGas ?? "0x0");
  check(fair, "blobGas", place, () => `costs ${blobGasPrice}, more than the ${transaction.maxFeePerBlobGas} offered`);
}
