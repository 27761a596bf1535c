import type { FullBlock, RawLog } from "#chain/block";
import { WETH } from "#chain/tokens";
import { TOPIC } from "#chain/topics";
import { wordOf } from "#chain/transfers";
import { generatedBlock } from "./chain/generated-block.ts";
import { NOBODY } from "./chain/tiny-recording.ts";

export const WALLET = `0x${"a1".repeat(20)}`;
export const ROUTER = `0x${"c3".repeat(20)}`;
export const POOL = `0x${"d4".repeat(20)}`;
export const USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48";
export const word = (amount: bigint): string => amount.toString(16).padStart(64, "0");

// Its place is set when the block is made; the index stays as it is given.
export const log = (address: string, topics: readonly string[], data: string, index: number): RawLog => ({
  address,
  topics,
  data,
  blockNumber: "0x1",
  blockHash: "0x",
  transactionHash: "0x",
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

/**
 * Returns a block of one transaction, without a signature, whose hashes, roots and bloom are real. Logs keep the indexes that
 * they were given, so that a test can leave some out.
 */
export function blockOf(sent: Sent): FullBlock {
  const { to = ROUTER, value = 0n, logs = [], status = "0x1", from = WALLET, input = "0x12345678" } = sent;
  const transaction = { from, to, value, input, logs, failed: status === "0x0" };
  const planned = { number: 1, timestamp: 0x62b12d28, fork: "berlin" as const, transactions: [transaction] };
  const { block, receipts } = generatedBlock(planned, NOBODY);
  const [receipt] = receipts;
  if (!receipt) throw new RangeError("no receipt");
  const own = receipt.logs.map((one, i) => ({ ...one, logIndex: logs[i]?.logIndex ?? one.logIndex }));
  return { block, receipts: [{ ...receipt, logs: own }] };
}
