import type { RawBlock, RawLog, RawReceipt } from "#chain/block";
import { bloomBits, hexOf, keccakOf } from "#chain/keccak";
import { encodeHeader, encodeReceipt, encodeTransaction, encodeWithdrawal, typeOf } from "#chain/proof/encode";
import { orderedRoot } from "#chain/proof/trie";

const hex = (value: number | bigint): string => `0x${value.toString(16)}`;

/** Returns the logs bloom that exactly holds the addresses and topics of `logs`. */
export function bloomOf(logs: readonly Pick<RawLog, "address" | "topics">[]): string {
  const bytes = new Uint8Array(256);
  for (const value of new Set(logs.flatMap(({ address, topics }) => [address, ...topics]))) {
    const packed = bloomBits(value);
    const low = packed % 4_194_304;
    for (const bit of [low & 2047, low >> 11, Math.floor(packed / 4_194_304)]) {
      bytes[255 - (bit >> 3)] = (bytes[255 - (bit >> 3)] ?? 0) | (1 << (bit & 7));
    }
  }
  return hexOf(bytes);
}

/**
 * Returns a block and its receipts made to hold together: cumulative gas, blooms, roots and the header's hash are computed
 * from what the transactions and receipts say, and everything is put in its place. Transactions keep their hashes.
 */
export function sealed(block: RawBlock, receipts: readonly RawReceipt[]): { block: RawBlock; receipts: RawReceipt[] } {
  const { transactions, withdrawals, withdrawalsRoot: _, ...open } = block;
  let gas = 0n;
  const outcomes = receipts.map((receipt) => {
    gas += BigInt(receipt.gasUsed);
    return { ...receipt, cumulativeGasUsed: hex(gas), logsBloom: bloomOf(receipt.logs) };
  });
  const header = {
    ...open,
    gasUsed: hex(gas),
    logsBloom: bloomOf(outcomes.flatMap(({ logs }) => logs)),
    transactionsRoot: orderedRoot(transactions.map(encodeTransaction)),
    receiptsRoot: orderedRoot(
      outcomes.map((one, i) => encodeReceipt(one, transactions[i] ? typeOf(transactions[i]) : 0)),
    ),
    ...(withdrawals ? { withdrawals, withdrawalsRoot: orderedRoot(withdrawals.map(encodeWithdrawal)) } : {}),
  };
  const hash = hexOf(keccakOf(encodeHeader(header)));
  const at = (i: number) => ({ blockHash: hash, blockNumber: block.number, transactionIndex: hex(i) });
  let logIndex = 0;
  return {
    block: { ...header, hash, transactions: transactions.map((one, i) => ({ ...one, ...at(i) })) },
    receipts: outcomes.map(({ logs, ...one }, i) => {
      const place = { ...at(i), transactionHash: transactions[i]?.hash ?? "0x" };
      const placed = logs.map((log) => ({ ...log, ...place, logIndex: hex(logIndex++) }));
      return { ...place, ...one, ...place, logs: placed }; // places first and logs last, as in a node's JSON
    }),
  };
}
