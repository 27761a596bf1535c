import { keccak } from "./keccak.ts";

const V2: readonly { readonly venue: string; readonly factory: string; readonly code: string }[] = [
  {
    venue: "uniswap_v2",
    factory: "5c69bee701ef814a2b6a3edd4b1652cb9cc5aa6f",
    code: "96e8ac4277198ff8b6f785478aa9a39f403cb768dd02cbee326c3e7da348845f",
  },
  {
    venue: "sushiswap",
    factory: "c0aee478e3658e2610c5f7a4a2e1777ce9e4f2ac",
    code: "e18a34eb0e04b04f7a0ac29a6e80748dca96319b42c54d679cb821dca90c6303",
  },
];
const V3 = {
  factory: "1f98431c8ad98523631ae4a59f267346ea31f984",
  code: "e34f199b19b2b4f47f68442619d555527d244f78a3297ea89325f843f87b8b54",
};
const V3_FEES = [100, 500, 3000, 10_000];

// What is proven stays true.
const CACHE_LIMIT = 50_000;
const proven = new Map<string, string>();

const create2 = (factory: string, salt: string, code: string): string =>
  `0x${keccak(`0xff${factory}${salt.slice(2)}${code}`).slice(26)}`;

/**
 * Returns whose pool `pool` is, proven from its address: the factories deploy with CREATE2, so factory, tokens and fee
 * give the address and nobody else can have it. Null when no known factory made it for two of `tokens`; the Swap topic
 * alone proves nothing, since forks and fakes emit the same.   Source: EIP-1014; UniswapV2Library, PoolAddress
 */
export function poolVenue(kind: "v2" | "v3", pool: string, tokens: readonly string[]): string | null {
  const known = proven.get(pool);
  if (known) return known;
  const sorted = [...new Set(tokens)].sort();
  for (const [i, token0] of sorted.entries()) {
    for (const token1 of sorted.slice(i + 1)) {
      const venue = kind === "v2" ? v2Venue(pool, token0, token1) : v3Venue(pool, token0, token1);
      if (!venue) continue;
      if (proven.size >= CACHE_LIMIT) proven.clear();
      proven.set(pool, venue);
      return venue;
    }
  }
  return null;
}

function v2Venue(pool: string, token0: string, token1: string): string | null {
  const salt = keccak(`0x${token0.slice(2)}${token1.slice(2)}`);
  return V2.find(({ factory, code }) => create2(factory, salt, code) === pool)?.venue ?? null;
}

function v3Venue(pool: string, token0: string, token1: string): string | null {
  const pad = (hex: string) => hex.padStart(64, "0");
  const made = (fee: number) => {
    const salt = keccak(`0x${pad(token0.slice(2))}${pad(token1.slice(2))}${pad(fee.toString(16))}`);
    return create2(V3.factory, salt, V3.code) === pool;
  };
  return V3_FEES.some(made) ? "uniswap_v3" : null;
}
