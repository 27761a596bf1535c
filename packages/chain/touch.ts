import type { FullBlock, RawReceipt, RawTransaction } from "./block.ts";
import { NATIVE, WETH, ZERO_ADDRESS } from "./tokens.ts";
import { COW_NATIVE, TOPIC } from "./topics.ts";
import {
  addressIn,
  type CowTrade,
  cowTradeOf,
  type Swap,
  swapOf,
  type Transfer,
  transferOf,
  wordOf,
} from "./transfers.ts";

/** How an amount is known. */
export type LegSource = "log" | "value" | "unwrap-inferred" | "balance";

/** One movement of one token in or out of a wallet. `amount` is signed for the wallet, in base units. */
export interface Flow {
  readonly token: string;
  readonly amount: bigint;
  readonly counterparty: string | null;
  /** -1 = no log: ether in the transaction's value. */
  readonly logIndex: number;
  readonly source: LegSource;
  readonly nft: boolean;
}

/** What protocols said in a transaction's logs, for all parties. */
export interface Marks {
  readonly transfers: readonly Transfer[];
  readonly swaps: readonly Swap[];
  readonly trades: readonly CowTrade[];
  /** Pools that said Mint, and pools that said Burn or Collect. */
  readonly minted: readonly string[];
  readonly burned: readonly string[];
  readonly lending: readonly LendingMark[];
}

export interface LendingMark {
  readonly contract: string;
  readonly action: "lend" | "unlend" | "borrow" | "repay";
  /** The addresses in its topics: asset, user, beneficiary. */
  readonly parties: readonly string[];
}

/** A watched wallet in a transaction: what moved for it, by logs and value alone. Failed transactions have no flows. */
export interface Touch {
  readonly wallet: string;
  readonly txIndex: number;
  readonly transaction: RawTransaction;
  readonly receipt: RawReceipt;
  readonly failed: boolean;
  readonly flows: readonly Flow[];
  readonly marks: Marks;
}

/** Watched addresses, ready for lookups by address and by the word of an indexed topic. */
export interface WatchSet {
  readonly addresses: ReadonlySet<string>;
  readonly words: ReadonlySet<string>;
}

/** Returns a watch set of lower-case addresses. Good to some 100,000 of them. */
export const watchSet = (addresses: Iterable<string>): WatchSet => {
  const set = new Set(addresses);
  return { addresses: set, words: new Set([...set].map(wordOf)) };
};

/**
 * Returns every watched wallet with every transaction that it sent or that moved something of it, in block order and
 * then by address.
 */
export function touchesOf({ block, receipts }: FullBlock, watched: WatchSet): Touch[] {
  const touches: Touch[] = [];
  for (let i = 0; i < block.transactions.length; i++) {
    const transaction = block.transactions[i];
    const receipt = receipts[i];
    if (!transaction || !receipt) continue;
    const wallets = walletsIn(transaction, receipt, watched);
    if (wallets.size === 0) continue;
    const failed = receipt.status === "0x0";
    const marks = marksOf(receipt);
    for (const wallet of [...wallets].sort()) {
      const flows = failed ? [] : flowsOf(wallet, transaction, receipt, marks);
      if (flows.length === 0 && transaction.from !== wallet) continue;
      touches.push({ wallet, txIndex: i, transaction, receipt, failed, flows, marks });
    }
  }
  return touches;
}

function walletsIn(transaction: RawTransaction, receipt: RawReceipt, { addresses, words }: WatchSet): Set<string> {
  const found = new Set<string>();
  if (addresses.has(transaction.from)) found.add(transaction.from);
  const to = transaction.to ?? receipt.contractAddress;
  if (to && transaction.value !== "0x0" && addresses.has(to)) found.add(to);
  for (const { topics } of receipt.logs) {
    const first = topics[0];
    const one = topics[1];
    if (one === undefined) continue;
    if (first === TOPIC.transfer) {
      if (words.has(one)) found.add(addressIn(one));
      const two = topics[2];
      if (two !== undefined && words.has(two)) found.add(addressIn(two));
    } else if (first === TOPIC.wethDeposit || first === TOPIC.wethWithdrawal || first === TOPIC.cowTrade) {
      if (words.has(one)) found.add(addressIn(one));
    }
  }
  return found;
}

const LENDING: Readonly<Record<string, LendingMark["action"]>> = {
  [TOPIC.aaveDeposit]: "lend",
  [TOPIC.aaveSupply]: "lend",
  [TOPIC.aaveWithdraw]: "unlend",
  [TOPIC.aaveBorrow]: "borrow",
  [TOPIC.aaveV2Borrow]: "borrow",
  [TOPIC.aaveRepay]: "repay",
  [TOPIC.aaveV2Repay]: "repay",
};

/** Returns what the logs of a receipt say, for all parties, in log order. */
export function marksOf({ logs }: RawReceipt): Marks {
  const marks = {
    transfers: [] as Transfer[],
    swaps: [] as Swap[],
    trades: [] as CowTrade[],
    minted: [] as string[],
    burned: [] as string[],
    lending: [] as LendingMark[],
  };
  for (const log of logs) {
    const topic = log.topics[0];
    if (topic === undefined) continue;
    const transfer = transferOf(log);
    if (transfer) marks.transfers.push(transfer);
    const swap = swapOf(log);
    if (swap) marks.swaps.push(swap);
    const trade = cowTradeOf(log);
    if (trade) marks.trades.push(trade);
    if (topic === TOPIC.v2Mint || topic === TOPIC.v3Mint) marks.minted.push(log.address);
    if (topic === TOPIC.v2Burn || topic === TOPIC.v3Burn || topic === TOPIC.v3Collect) marks.burned.push(log.address);
    const action = LENDING[topic];
    if (action) marks.lending.push({ contract: log.address, action, parties: log.topics.slice(1).map(addressIn) });
  }
  return marks;
}

/**
 * Returns the movements of `wallet` in a successful transaction: its value, token transfers, the ether that WETH takes
 * in and pays out, and native ether of a CoW order. Moves to itself are left out.
 */
export function flowsOf(wallet: string, transaction: RawTransaction, receipt: RawReceipt, marks: Marks): Flow[] {
  const flows: Flow[] = [];
  const value = BigInt(transaction.value);
  const to = transaction.to ?? receipt.contractAddress ?? null;
  if (value > 0n && transaction.from !== to) {
    const native = { token: NATIVE, logIndex: -1, source: "value" as const, nft: false };
    if (transaction.from === wallet) flows.push({ ...native, amount: -value, counterparty: to });
    if (to === wallet) flows.push({ ...native, amount: value, counterparty: transaction.from });
  }
  for (const { token, from, to: receiver, amount, logIndex, nft } of marks.transfers) {
    if (amount === 0n || from === receiver) continue; // a Transfer of nothing is how addresses are poisoned
    const flow = { token, logIndex, source: "log" as const, nft };
    if (from === wallet) flows.push({ ...flow, amount: -amount, counterparty: receiver });
    if (receiver === wallet) flows.push({ ...flow, amount, counterparty: from });
    if (token !== WETH) continue;
    const native = { token: NATIVE, counterparty: WETH, logIndex, source: "log" as const, nft: false };
    // WETH pays the ether of a Withdrawal to its source, and took the ether of a Deposit from its holder. When the
    // wallet called WETH itself, the transaction's value is that ether.
    if (from === wallet && receiver === ZERO_ADDRESS) flows.push({ ...native, amount });
    const counted = transaction.from === wallet && to === WETH;
    if (receiver === wallet && from === ZERO_ADDRESS && !counted) flows.push({ ...native, amount: -amount });
  }
  for (const trade of marks.trades) {
    if (trade.owner !== wallet || trade.buyToken !== COW_NATIVE) continue;
    const { buyAmount: amount, logIndex } = trade;
    flows.push({ token: NATIVE, amount, counterparty: null, logIndex, source: "log", nft: false });
  }
  return flows;
}
