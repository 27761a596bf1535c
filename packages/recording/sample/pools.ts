import { concat, getCreate2Address, id, keccak256 } from "ethers";
import { AAVE, DAI, FACTORY, LINK, pairCreation, type SampleToken, UNI, USDC, USDT, WBTC, WETH } from "./contracts.ts";

/** A Uniswap v2 pair as the agents see it: reserves as of the last block. */
export interface Pool {
  /** Lower case: the pair's address on mainnet, since factory, tokens and code are the same. */
  readonly address: string;
  readonly token0: SampleToken;
  readonly token1: SampleToken;
  readonly depthUsd: number;
  reserve0: bigint;
  reserve1: bigint;
}

const DEPTHS: readonly (readonly [SampleToken, SampleToken, number])[] = [
  [USDC, WETH, 200e6],
  [USDT, WETH, 150e6],
  [USDC, WBTC, 200e6],
  [WBTC, WETH, 100e6],
  [USDC, LINK, 120e6],
  [LINK, WETH, 60e6],
  [USDT, UNI, 120e6],
  [USDC, AAVE, 120e6],
  [USDC, USDT, 80e6],
  [USDC, DAI, 60e6],
];

const pairAddress = (token0: string, token1: string): string =>
  getCreate2Address(FACTORY, keccak256(concat([token0, token1])), keccak256(pairCreation())).toLowerCase();

/** Returns the sample's pools, still empty. */
export const emptyPools = (): Pool[] =>
  DEPTHS.map(([a, b, depthUsd]) => {
    const [token0, token1] = a.address < b.address ? [a, b] : [b, a];
    return {
      address: pairAddress(token0.address, token1.address),
      token0,
      token1,
      depthUsd,
      reserve0: 0n,
      reserve1: 0n,
    };
  });

/** Returns the pool of two tokens, in either order, or null. */
export const poolOf = (pools: readonly Pool[], a: SampleToken, b: SampleToken): Pool | null =>
  pools.find(({ token0, token1 }) => (token0 === a && token1 === b) || (token0 === b && token1 === a)) ?? null;

/** Returns what the pools would pay for `amount` along `path`, after Uniswap's 0.3 %. @throws RangeError without a pool. */
export function quote(pools: readonly Pool[], path: readonly SampleToken[], amount: bigint): bigint {
  return path.slice(1).reduce((held, take, index) => {
    const give = path[index] ?? take;
    const pool = poolOf(pools, give, take);
    if (!pool) throw new RangeError(`no pool of ${give.symbol} and ${take.symbol}`);
    const [into, out] = pool.token0 === give ? [pool.reserve0, pool.reserve1] : [pool.reserve1, pool.reserve0];
    const fed = held * 997n;
    return (fed * out) / (into * 1000n + fed);
  }, amount);
}

/** Returns how the pools would stand after a swap, for the next agent in the same block. */
export function applySwap(pools: readonly Pool[], path: readonly SampleToken[], amount: bigint): void {
  let held = amount;
  path.slice(1).forEach((take, index) => {
    const give = path[index] ?? take;
    const pool = poolOf(pools, give, take);
    if (!pool) return;
    const paid = quote(pools, [give, take], held);
    const forward = pool.token0 === give;
    pool.reserve0 += forward ? held : -paid;
    pool.reserve1 += forward ? -paid : held;
    held = paid;
  });
}

const SYNC = id("Sync(uint112,uint112)");

interface PoolLog {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
}

/** Sets the reserves to what the pairs themselves logged. */
export function syncPools(pools: readonly Pool[], logs: readonly PoolLog[]): void {
  for (const { address, topics, data } of logs) {
    if (topics[0] !== SYNC) continue;
    const pool = pools.find((one) => one.address === address);
    if (!pool) continue;
    pool.reserve0 = BigInt(data.slice(0, 66));
    pool.reserve1 = BigInt(`0x${data.slice(66)}`);
  }
}

/** Returns a token's price in the other of its pool, in whole tokens. */
export function priceIn({ token0, token1, reserve0, reserve1 }: Pool): number {
  return wholeTokens(token1, reserve1) / wholeTokens(token0, reserve0);
}

/** Returns an amount in whole tokens, as a double. */
export const wholeTokens = ({ decimals }: SampleToken, amount: bigint): number =>
  Number(amount) / Number(`1e${decimals}`);
