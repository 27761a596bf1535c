import type { Agent, Moment } from "./agent.ts";
import { type Call, coarse, roundAmount, swapCall } from "./calls.ts";
import type { Cast } from "./cast.ts";
import { LINK, type SampleToken, USDC, USDT, WBTC, WETH } from "./contracts.ts";
import { applySwap, type Pool, priceIn, quote, wholeTokens } from "./pools.ts";

/** A pool may stand this far from the market before an arbitrageur moves it back: a little above Uniswap's fee. */
const BAND = 0.0045;
const CYCLES: readonly (readonly SampleToken[])[] = [LINK, WBTC, USDT].flatMap((token) => [
  [USDC, WETH, token, USDC],
  [USDC, token, WETH, USDC],
]);
const SIZES_USD = [20_000, 60_000, 150_000, 300_000, 600_000];

const priceOf = ({ market, atMs }: Moment, { asset }: SampleToken): number =>
  asset === "USD" ? 1 : market.price(asset, atMs);

/** Returns the swap that brings a pool to the market's price, or none while it stands near it. */
function align(moment: Moment, pool: Pool, from: string): Call[] {
  const { token0, token1 } = pool;
  const target = priceOf(moment, token0) / priceOf(moment, token1);
  const gap = priceIn(pool) / target - 1;
  if (Math.abs(gap) < BAND) return [];
  // Above the market, token0 is dear: sell it. Reserves move along their constant product.
  const [give, take] = gap > 0 ? [token0, token1] : [token1, token0];
  const [held0, held1] = [wholeTokens(token0, pool.reserve0), wholeTokens(token1, pool.reserve1)];
  const root = Math.sqrt(held0 * held1);
  const needed = gap > 0 ? root / Math.sqrt(target) - held0 : root * Math.sqrt(target) - held1;
  const amount = roundAmount(give, needed);
  const least = coarse((quote(moment.pools, [give, take], amount) * 98n) / 100n);
  applySwap(moment.pools, [give, take], amount);
  return [swapCall({ from, give, take, through: [], amount, least })];
}

/** Returns the best round trip from USDC to USDC in one transaction, or none that pays. */
function cycle(moment: Moment, from: string): Call[] {
  let best: { path: readonly SampleToken[]; amount: bigint; gain: bigint } | null = null;
  for (const path of CYCLES) {
    for (const usd of SIZES_USD) {
      const amount = roundAmount(USDC, usd);
      const gain = quote(moment.pools, path, amount) - amount;
      if (gain > 50_000_000n && gain > (best?.gain ?? 0n)) best = { path, amount, gain };
    }
  }
  if (!best) return [];
  const { path, amount } = best;
  applySwap(moment.pools, path, amount);
  return [swapCall({ from, give: USDC, take: USDC, through: path.slice(1, -1), amount, least: amount })];
}

/** Returns the arbitrageurs: the first turns round trips between pools, the second holds pools to the market. */
export function arbitrageAgents({ arbitrageurs }: Cast): Agent[] {
  const [first, second] = arbitrageurs;
  if (!first || !second) return [];
  return [(moment) => cycle(moment, first), (moment) => moment.pools.flatMap((pool) => align(moment, pool, second))];
}
