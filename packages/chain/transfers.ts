import type { RawLog, RawReceipt } from "./block.ts";
import { WETH, ZERO_ADDRESS } from "./tokens.ts";
import { COW_SETTLEMENT, TOPIC } from "./topics.ts";

/** A token that moved. Minted: `from` is the zero address; burned: `to` is. Base units; for an NFT the amount is 1. */
export interface Transfer {
  readonly token: string;
  readonly from: string;
  readonly to: string;
  readonly amount: bigint;
  readonly logIndex: number;
  readonly nft: boolean;
  /** A Deposit or Withdrawal of WETH: ether moved the other way. */
  readonly wrapping: boolean;
}

/** Returns the address in a 32-byte word, in lower case. */
export const addressIn = (word: string): string => `0x${word.slice(26)}`;

/** Returns an address as the 32-byte word that an indexed topic holds. */
export const wordOf = (address: string): string => `0x000000000000000000000000${address.slice(2)}`;

/** Returns the n-th 32-byte word of `data` as an unsigned number; 0 when the data ends before it. */
export const uintAt = (data: string, n: number): bigint => {
  const word = data.slice(2 + 64 * n, 66 + 64 * n);
  return word === "" ? 0n : BigInt(`0x${word}`);
};

/** Returns the n-th 32-byte word of `data` as a two's complement number. */
export const intAt = (data: string, n: number): bigint => BigInt.asIntN(256, uintAt(data, n));

/**
 * Returns what a log says about a token's movement, or null when it says nothing: an ERC-20 or ERC-721 Transfer, or
 * WETH's Deposit (a mint) and Withdrawal (a burn), which emit no Transfer. Logs of any other shape are skipped.
 * Words are cut by hand: about a thousand times faster than an ABI decoder.   Source: ERC-20, ERC-721, WETH9
 */
export function transferOf(log: RawLog): Transfer | null {
  switch (log.topics[0]) {
    case TOPIC.transfer:
      return plainTransfer(log);
    case TOPIC.wethDeposit:
    case TOPIC.wethWithdrawal:
      return wrappingOf(log);
    default:
      return null;
  }
}

function plainTransfer({ topics, data, address: token, logIndex }: RawLog): Transfer | null {
  const [, from, to, tokenId] = topics;
  if (!from || !to) return null; // a Transfer without indexed parties: older than the standard
  const nft = tokenId !== undefined;
  if (!nft && data.length < 66) return null;
  const amount = nft ? 1n : uintAt(data, 0);
  const parties = { from: addressIn(from), to: addressIn(to) };
  return { token, ...parties, amount, logIndex: Number(logIndex), nft, wrapping: false };
}

function wrappingOf({ topics, data, address: token, logIndex }: RawLog): Transfer | null {
  const party = topics[1];
  if (token !== WETH || !party) return null;
  const holder = addressIn(party);
  const parties =
    topics[0] === TOPIC.wethDeposit ? { from: ZERO_ADDRESS, to: holder } : { from: holder, to: ZERO_ADDRESS };
  return { token, ...parties, amount: uintAt(data, 0), logIndex: Number(logIndex), nft: false, wrapping: true };
}

/** Returns how many Transfer logs (ERC-20 and ERC-721) the receipts hold. */
export function countTransfers(receipts: readonly RawReceipt[]): number {
  let count = 0;
  for (const { logs } of receipts) for (const log of logs) if (log.topics[0] === TOPIC.transfer) count += 1;
  return count;
}

/** A Swap log. `given` and `taken` are what the pool gave out and took in, of its token 0 and token 1. */
export interface Swap {
  readonly kind: "v2" | "v3";
  readonly pool: string;
  readonly logIndex: number;
  readonly taken: readonly [bigint, bigint];
  readonly given: readonly [bigint, bigint];
}

const positive = (value: bigint): bigint => (value > 0n ? value : 0n);

/** Returns a Uniswap v2 or v3 Swap (forks emit the same), or null for any other log.   Source: UniswapV2Pair, UniswapV3Pool */
export function swapOf(log: RawLog): Swap | null {
  const { topics, data, address: pool } = log;
  const logIndex = Number(log.logIndex);
  if (topics[0] === TOPIC.v2Swap && topics.length === 3 && data.length >= 258) {
    const [in0, in1, out0, out1] = [uintAt(data, 0), uintAt(data, 1), uintAt(data, 2), uintAt(data, 3)];
    return { kind: "v2", pool, logIndex, taken: [in0, in1], given: [out0, out1] };
  }
  if (topics[0] === TOPIC.v3Swap && topics.length === 3 && data.length >= 322) {
    const [a, b] = [intAt(data, 0), intAt(data, 1)]; // signed for the pool: positive = it took
    return { kind: "v3", pool, logIndex, taken: [positive(a), positive(b)], given: [positive(-a), positive(-b)] };
  }
  return null;
}

/** A filled CoW order. `owner` gave `sellToken` and got `buyToken`; native ether is 0xeee…eee. */
export interface CowTrade {
  readonly owner: string;
  readonly sellToken: string;
  readonly buyToken: string;
  readonly sellAmount: bigint;
  readonly buyAmount: bigint;
  readonly logIndex: number;
}

/** Returns a Trade of CoW's settlement contract, or null for any other log.   Source: GPv2Settlement */
export function cowTradeOf(log: RawLog): CowTrade | null {
  const owner = log.topics[1];
  if (log.topics[0] !== TOPIC.cowTrade || log.address !== COW_SETTLEMENT || !owner) return null;
  return {
    owner: addressIn(owner),
    sellToken: `0x${log.data.slice(26, 66)}`,
    buyToken: `0x${log.data.slice(90, 130)}`,
    sellAmount: uintAt(log.data, 2),
    buyAmount: uintAt(log.data, 3),
    logIndex: Number(log.logIndex),
  };
}
