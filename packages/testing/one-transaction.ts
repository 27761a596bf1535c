import type { FullBlock, RawLog } from "#chain/block";
import { WETH } from "#chain/tokens";
import { TOPIC } from "#chain/topics";
import { wordOf } from "#chain/transfers";

export const WALLET = `0x${"a1".repeat(20)}`;
export const ROUTER = `0x${"c3".repeat(20)}`;
export const POOL = `0x${"d4".repeat(20)}`;
export const USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48";
export const HASH = `0x${"01".repeat(32)}`;
export const word = (amount: bigint): string => amount.toString(16).padStart(64, "0");

export const log = (address: string, topics: readonly string[], data: string, index: number): RawLog => ({
  address,
  topics,
  data,
  blockNumber: "0x1",
  blockHash: HASH,
  transactionHash: HASH,
  logIndex: `0x${index.toString(16)}`,
});
/** Returns an ERC-20 Transfer. */
export const transfer = (token: string, from: string, to: string, amount: bigint, index: number): RawLog =>
  log(token, [TOPIC.transfer, wordOf(from), wordOf(to)], `0x${word(amount)}`, index);
/** Returns a Deposit of WETH. */
export const deposit = (to: string, amount: bigint, index: number) =>
  log(WETH, [TOPIC.wethDeposit, wordOf(to)], `0x${word(amount)}`, index);
/** Returns a Withdrawal of WETH. */
export const withdrawal = (from: string, amount: bigint, index: number) =>
  log(WETH, [TOPIC.wethWithdrawal, wordOf(from)], `0x${word(amount)}`, index);

/** One transaction: from the wallet to the router unless said otherwise. */
export interface Sent {
  readonly to?: string;
  readonly value?: bigint;
  readonly logs?: readonly RawLog[];
  readonly status?: string;
  readonly from?: string;
  readonly input?: string;
}

/** Returns a block of one transaction. Its hashes and bloom are not real. */
export function blockOf({
  to = ROUTER,
  value = 0n,
  logs = [],
  status = "0x1",
  from = WALLET,
  input = "0x12345678",
}: Sent): FullBlock {
  const place = { blockHash: HASH, blockNumber: "0x1" };
  return {
    block: {
      number: "0x1",
      hash: HASH,
      parentHash: HASH,
      timestamp: "0x62b12d28",
      logsBloom: "0x",
      miner: ROUTER,
      transactions: [{ ...place, hash: HASH, from, to, value: `0x${value.toString(16)}`, input }],
    },
    receipts: [{ ...place, transactionHash: HASH, gasUsed: "0x5208", effectiveGasPrice: "0x1", status, logs }],
  };
}
