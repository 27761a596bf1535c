import type { FullBlock, RawLog, RawReceipt, RawTransaction } from "./block.ts";
import { NATIVE, WETH } from "./tokens.ts";
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

/** Logs whose first indexed word is an owner. */
const PARTY_TOPICS: ReadonlySet<string> = new Set([
  TOPIC.transfer,
  TOPIC.wethDeposit,
  TOPIC.wethWithdrawal,
  TOPIC.cowTrade,
]);

function walletsIn(transaction: RawTransaction, receipt: RawReceipt, { addresses, words }: WatchSet): Set<string> {
  const found = new Set<string>();
  if (addresses.has(transaction.from)) found.add(transaction.from);
  const to = transaction.to ?? receipt.contractAddress;
  if (to && transaction.value !== "0x0" && addresses.has(to)) found.add(to);
  const look = (word: string | undefined): void => {
    if (word !== undefined && words.has(word)) found.add(addressIn(word));
  };
  for (const { topics } of receipt.logs) {
    const topic = topics[0];
    if (topic === undefined || !PARTY_TOPICS.has(topic)) continue;
    look(topics[1]);
    if (topic === TOPIC.transfer) look(topics[2]);
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

const BURNS: ReadonlySet<string> = new Set([TOPIC.v2Burn, TOPIC.v3Burn, TOPIC.v3Collect]);

// Aave's and Compound's tokens emit a v2 Mint too, but take in one token; a pair takes in two.
function isPoolMint({ topics, address }: RawLog, transfers: readonly Transfer[]): boolean {
  if (topics[0] === TOPIC.v3Mint) return true;
  if (topics[0] !== TOPIC.v2Mint) return false;
  return new Set(transfers.filter((one) => one.to === address).map((one) => one.token)).size > 1;
}

/** Returns what the logs of a receipt say, for all parties, in log order. */
export function marksOf({ logs }: RawReceipt): Marks {
  const transfers = logs.flatMap((log) => transferOf(log) ?? []);
  return {
    transfers,
    swaps: logs.flatMap((log) => swapOf(log) ?? []),
    trades: logs.flatMap((log) => cowTradeOf(log) ?? []),
    minted: logs.flatMap((log) => (isPoolMint(log, transfers) ? [log.address] : [])),
    burned: logs.flatMap((log) => (BURNS.has(log.topics[0] ?? "") ? [log.address] : [])),
    lending: logs.flatMap((log): LendingMark[] => {
      const action = LENDING[log.topics[0] ?? ""];
      return action ? [{ contract: log.address, action, parties: log.topics.slice(1).map(addressIn) }] : [];
    }),
  };
}

/**
 * Returns the movements of `wallet` in a successful transaction: its value, token transfers, the ether that WETH takes
 * in and pays out, and native ether of a CoW order. Moves to itself are left out.
 */
export function flowsOf(wallet: string, transaction: RawTransaction, receipt: RawReceipt, marks: Marks): Flow[] {
  const to = transaction.to ?? receipt.contractAddress ?? null;
  // When the wallet called WETH itself, the transaction's value is the ether of the Deposit.
  const wrapsItself = transaction.from === wallet && to === WETH;
  return [
    ...valueFlows(wallet, transaction, to),
    ...marks.transfers.flatMap((transfer) => transferFlows(wallet, transfer, wrapsItself)),
    ...marks.trades.filter((trade) => trade.owner === wallet && trade.buyToken === COW_NATIVE).map(tradeFlow),
  ];
}

function valueFlows(wallet: string, { from, value }: RawTransaction, to: string | null): Flow[] {
  const amount = BigInt(value);
  if (amount === 0n || from === to) return [];
  const flow = { token: NATIVE, logIndex: -1, source: "value" as const, nft: false };
  if (from === wallet) return [{ ...flow, amount: -amount, counterparty: to }];
  return to === wallet ? [{ ...flow, amount, counterparty: from }] : [];
}

function transferFlows(wallet: string, transfer: Transfer, wrapsItself: boolean): Flow[] {
  const { token, from, to, amount, logIndex, nft, wrapping } = transfer;
  if (amount === 0n || from === to) return []; // a Transfer of nothing is how addresses are poisoned
  const gave = from === wallet;
  if (!gave && to !== wallet) return [];
  const signed = gave ? -amount : amount;
  const flow: Flow = { token, amount: signed, counterparty: gave ? to : from, logIndex, source: "log", nft };
  // WETH pays the ether of a Withdrawal to its source, and took the ether of a Deposit from its holder.
  if (!wrapping || (!gave && wrapsItself)) return [flow];
  return [flow, { token: NATIVE, amount: -signed, counterparty: WETH, logIndex, source: "log", nft: false }];
}

const tradeFlow = ({ buyAmount: amount, logIndex }: CowTrade): Flow => ({
  token: NATIVE,
  amount,
  counterparty: null,
  logIndex,
  source: "log",
  nft: false,
});
