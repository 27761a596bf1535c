import type { FullBlock, RawBlock, RawReceipt, RawTransaction } from "./block.ts";
import { NATIVE, type Token, tokenAt, WETH, ZERO_ADDRESS } from "./tokens.ts";
import { type Flow, type LegSource, type Marks, type Touch, touchesOf, type WatchSet } from "./touch.ts";

/** The net change of one asset (ETH and WETH are one) or one unknown token. `amount` is signed, in base units, never 0. */
export interface Leg {
  /** "native", WETH where its logs took part, or the contract. */
  readonly address: string;
  /** Null = not on the allow-list: no name, no price. */
  readonly token: Token | null;
  readonly amount: bigint;
  /** The log that names the leg: its first own token log; -1 for ether alone. */
  readonly logIndex: number;
  /** All logs behind the amount, ascending. */
  readonly logIndexes: readonly number[];
  readonly source: LegSource;
  /** The other sides, in order, without WETH's own wrapping. */
  readonly counterparties: readonly string[];
  readonly nft: boolean;
}

/** Ether that became WETH or the reverse and netted to nothing. */
export interface Wrap {
  readonly amount: bigint;
  readonly logIndex: number;
}

/** What one transaction netted to for one watched wallet. */
export interface Move {
  readonly wallet: string;
  readonly txIndex: number;
  readonly transaction: RawTransaction;
  readonly receipt: RawReceipt;
  /** Ascending by log index, then by address. */
  readonly legs: readonly Leg[];
  readonly wrap: Wrap | null;
  readonly marks: Marks;
}

/** Ether of a wallet at the end of the block before and of the block itself, in wei. */
export interface NativeBalance {
  readonly before: bigint;
  readonly after: bigint;
}

const NO_BALANCES: ReadonlyMap<string, NativeBalance> = new Map();

/** Returns the moves of the watched wallets in a block, without balances. Order as in `touchesOf`. */
export const netBlock = (full: FullBlock, watched: WatchSet): Move[] =>
  netMoves(touchesOf(full, watched), full, NO_BALANCES);

/**
 * Nets each touch into a move; touches that net to nothing give none. Ether inside of calls leaves no log: where the
 * wallet's balances are known and one transaction can have moved them, the residual is taken as its internal ether
 * (source `balance`); elsewhere ether unwrapped for the sender, and what a router wrapped less than it got, is inferred
 * (source `unwrap-inferred`).
 */
export function netMoves(
  touches: readonly Touch[],
  full: FullBlock,
  balances: ReadonlyMap<string, NativeBalance>,
): Move[] {
  const residuals = residualsOf(touches, full, balances);
  return touches.flatMap((touch) => {
    if (touch.failed) return [];
    const residual = residuals.get(touch.wallet);
    const extra = residual === undefined ? inferredFlow(touch) : balanceFlow(residual);
    const flows = extra ? [...touch.flows, extra] : touch.flows;
    const { wallet, txIndex, transaction, receipt, marks } = touch;
    const legs = legsOf(flows);
    const wrap = legs.some((leg) => leg.token?.asset === "ETH") ? null : wrapOf(flows);
    return legs.length === 0 && !wrap ? [] : [{ wallet, txIndex, transaction, receipt, legs, wrap, marks }];
  });
}

const keyOf = (flow: Flow): string => (flow.token === NATIVE ? WETH : flow.token);

/** Returns the net legs of a wallet's flows: ETH and WETH merged, zeros dropped, by log index and address. */
export function legsOf(flows: readonly Flow[]): Leg[] {
  const groups = new Map<string, Flow[]>();
  for (const flow of flows) {
    const key = keyOf(flow);
    const group = groups.get(key);
    if (group) group.push(flow);
    else groups.set(key, [flow]);
  }
  return [...groups.values()]
    .flatMap((group) => legOf(group) ?? [])
    .sort((a, b) => a.logIndex - b.logIndex || (a.address < b.address ? -1 : 1));
}

function legOf(flows: readonly Flow[]): Leg | null {
  const amount = flows.reduce((sum, flow) => sum + flow.amount, 0n);
  if (amount === 0n) return null;
  const own = flows.filter((flow) => flow.token !== NATIVE);
  const logs = (list: readonly Flow[]) =>
    [...new Set(list.map((f) => f.logIndex))].filter((i) => i >= 0).sort((a, b) => a - b);
  const address = own[0]?.token ?? NATIVE;
  const nft = flows.some((flow) => flow.nft);
  return {
    address,
    token: nft ? null : tokenAt(address),
    amount,
    logIndex: logs(own)[0] ?? -1,
    logIndexes: logs(flows),
    source: sourceOf(flows),
    counterparties: counterpartiesOf(flows),
    nft,
  };
}

function sourceOf(flows: readonly Flow[]): LegSource {
  const all: readonly LegSource[] = ["balance", "unwrap-inferred", "log"];
  return all.find((source) => flows.some((flow) => flow.source === source)) ?? "value";
}

/** Ether on its way into WETH or out of it, on either side. */
const wrapping = ({ token, counterparty }: Flow): boolean =>
  (token === WETH && counterparty === ZERO_ADDRESS) || (token === NATIVE && counterparty === WETH);

function counterpartiesOf(flows: readonly Flow[]): string[] {
  return [
    ...new Set(flows.flatMap((flow) => (flow.counterparty === null || wrapping(flow) ? [] : [flow.counterparty]))),
  ];
}

function wrapOf(flows: readonly Flow[]): Wrap | null {
  const own = flows.filter(wrapping).filter((flow) => flow.token === WETH);
  const [first] = own;
  const amount = own.reduce((sum, flow) => sum + flow.amount, 0n);
  return first && amount !== 0n ? { amount: amount < 0n ? -amount : amount, logIndex: first.logIndex } : null;
}

const balanceFlow = (amount: bigint): Flow | null =>
  amount === 0n ? null : { token: NATIVE, amount, counterparty: null, logIndex: -1, source: "balance", nft: false };

/**
 * Returns the ether that the sender most likely got inside of calls, or null. Two cases only. It gave tokens and got
 * none: the last WETH that somebody else unwrapped is its payout (earlier ones are a token's own tax). It paid with value
 * and got tokens: what others wrapped less than the value came back.
 * Measured against the call traces of five mainnet blocks: 28 of 29 exact, the other 0.9 % too high.
 */
function inferredFlow(touch: Touch): Flow | null {
  const { wallet, transaction, flows, marks } = touch;
  const others = marks.transfers.filter((t) => t.wrapping && t.from !== wallet && t.to !== wallet);
  if (transaction.from !== wallet || others.length === 0) return null;
  const legs = legsOf(flows);
  const isEther = (leg: Leg): boolean => leg.address === NATIVE || leg.address === WETH;
  const gave = legs.some((leg) => !isEther(leg) && leg.amount < 0n);
  const got = legs.some((leg) => !isEther(leg) && leg.amount > 0n);
  const ether = legs.find(isEther)?.amount ?? 0n;
  const last = others.filter((t) => t.to === ZERO_ADDRESS).at(-1);
  const flow = { token: NATIVE, counterparty: null, source: "unwrap-inferred" as const, nft: false };
  const sold = gave && (!got || marks.burned.length > 0) && ether === 0n;
  if (sold && last) return { ...flow, amount: last.amount, logIndex: last.logIndex };
  const value = BigInt(transaction.value);
  const spent = others.reduce((sum, t) => (t.from === ZERO_ADDRESS ? sum + t.amount : sum - t.amount), 0n);
  const isRefund = got && ether === -value && spent > 0n && isRefundOf(value - spent, value);
  return isRefund ? { ...flow, amount: value - spent, logIndex: others[0]?.logIndex ?? -1 } : null;
}

/**
 * Whether the part of the value that was not wrapped came back. Above a fifth it was rather spent where no log tells;
 * around a hundredth it is a router's fee (in the same traces: four of four).
 */
function isRefundOf(rest: bigint, value: bigint): boolean {
  if (rest <= 0n) return false;
  const perMille = (rest * 1000n) / value;
  return rest * 5n <= value && (perMille < 2n || perMille > 20n);
}

const GWEI = 1_000_000_000n;

/** Returns the wei that a wallet paid for a transaction that it sent. */
function feeOf({ transaction, receipt }: Touch): bigint {
  const price = BigInt(receipt.effectiveGasPrice ?? transaction.gasPrice ?? "0x0");
  const blob = BigInt(receipt.blobGasUsed ?? "0x0") * BigInt(receipt.blobGasPrice ?? "0x0");
  return BigInt(receipt.gasUsed) * price + blob;
}

/**
 * Returns, per wallet, the ether that its balances show beyond value, WETH, fees and validator withdrawals. Only where
 * exactly one successful transaction touched it: with two, nobody could say which one moved it. A fee recipient has none.
 */
function residualsOf(
  touches: readonly Touch[],
  { block }: FullBlock,
  balances: ReadonlyMap<string, NativeBalance>,
): Map<string, bigint> {
  const residuals = new Map<string, bigint>();
  for (const [wallet, { before, after }] of balances) {
    const own = touches.filter((touch) => touch.wallet === wallet);
    if (wallet === block.miner || own.filter((touch) => !touch.failed).length !== 1) continue;
    const known = own.reduce((sum, touch) => sum + knownEther(touch), withdrawnTo(wallet, block));
    residuals.set(wallet, after - before - known);
  }
  return residuals;
}

function knownEther(touch: Touch): bigint {
  const fee = touch.transaction.from === touch.wallet ? feeOf(touch) : 0n;
  return touch.flows.reduce((sum, flow) => (flow.token === NATIVE ? sum + flow.amount : sum), -fee);
}

const withdrawnTo = (wallet: string, { withdrawals }: RawBlock): bigint =>
  (withdrawals ?? []).reduce(
    (sum, { address, amount }) => (address === wallet ? sum + BigInt(amount) * GWEI : sum),
    0n,
  );
