import type { Agent, Moment } from "./agent.ts";
import {
  addLiquidity,
  type Call,
  coarse,
  ETHER,
  removeLiquidity,
  roundAmount,
  type Side,
  sendEther,
  sendNothing,
  sendToken,
  swapCall,
  tokenOf,
} from "./calls.ts";
import type { Cast } from "./cast.ts";
import { AAVE, DAI, LINK, type SampleToken, UNI, USDC, USDT, WBTC, WETH } from "./contracts.ts";
import { FAKE_USDC } from "./genesis.ts";
import { applySwap, poolOf, quote, wholeTokens } from "./pools.ts";
import { type Random, randomOf } from "./random.ts";

/** How often something happens in a block: the mean number of each. */
interface Bustle {
  readonly swaps: number;
  readonly ether: number;
  readonly tokens: number;
  readonly exchange: number;
}
const BUSTLE: Bustle = { swaps: 0.75, ether: 0.9, tokens: 0.45, exchange: 0.35 };
const FAILS = 0.03;
const BLOCKS_BETWEEN_TRICKS = 45;
const BLOCKS_BETWEEN_DEPOSITS = 110;

/** What the crowd swaps: give, take and what lies between. */
const ROUTES: readonly (readonly [Side, Side, ...SampleToken[]])[] = [
  [USDC, ETHER],
  [ETHER, USDC],
  [USDT, WETH],
  [WETH, USDT],
  [ETHER, USDT],
  [USDC, WBTC],
  [WBTC, USDC],
  [WBTC, ETHER],
  [LINK, ETHER],
  [ETHER, LINK],
  [USDC, LINK],
  [LINK, USDC],
  [UNI, USDT],
  [USDT, UNI],
  [UNI, ETHER, USDT],
  [ETHER, AAVE, USDC],
  [USDC, AAVE],
  [AAVE, USDC],
  [USDC, USDT],
  [USDT, USDC],
  [USDC, DAI],
  [DAI, USDC],
  [DAI, WETH, USDC],
];

const priceOf = ({ market, atMs }: Moment, side: Side): number => {
  const { asset } = tokenOf(side);
  return asset === "USD" ? 1 : market.price(asset, atMs);
};

const small = (random: Random): number => {
  const draw = random.unit();
  return 150 + 12_000 * draw * draw * draw;
};

/** Returns a small swap; now and then one that asks for more than the pools pay, which fails on chain. */
function swapOf(moment: Moment, from: string, random: Random): Call {
  const [give, take, ...through] = random.pick(ROUTES);
  const amount = roundAmount(give, small(random) / priceOf(moment, give));
  const path = [tokenOf(give), ...through, tokenOf(take)];
  const paid = quote(moment.pools, path, amount);
  const fails = random.chance(FAILS);
  if (!fails) applySwap(moment.pools, path, amount);
  const least = coarse(fails ? paid * 2n : (paid * 93n) / 100n);
  return swapCall({ from, give, take, through, amount, least });
}

/** Returns how many times something with this mean happens: 0, 1 or 2. */
const times = (mean: number, random: Random): number =>
  Number(random.chance(mean / 2)) + Number(random.chance(mean / 2));

/** Returns the crowd: small swaps, payments, and small traffic with exchanges. */
function traders({ crowd, exchanges }: Cast, random: Random): Agent {
  const etherOf = (moment: Moment) => roundAmount(ETHER, small(random) / 3 / priceOf(moment, ETHER));
  return (moment) => {
    const calls: Call[] = [];
    for (let left = times(BUSTLE.swaps, random); left > 0; left -= 1) {
      calls.push(swapOf(moment, random.pick(crowd), random));
    }
    for (let left = times(BUSTLE.ether, random); left > 0; left -= 1) {
      calls.push(sendEther(random.pick(crowd), random.pick(crowd), etherOf(moment)));
    }
    for (let left = times(BUSTLE.tokens, random); left > 0; left -= 1) {
      const token = random.pick([USDC, USDT, DAI, LINK]);
      const amount = roundAmount(token, small(random) / 3 / priceOf(moment, token));
      calls.push(sendToken(token.address, random.pick(crowd), random.pick(crowd), amount));
    }
    for (let left = times(BUSTLE.exchange, random); left > 0; left -= 1) {
      const [exchange, trader] = [random.pick(exchanges), random.pick(crowd)];
      const [from, to] = random.chance(0.5) ? [exchange, trader] : [trader, exchange];
      const token = random.pick([USDC, USDT]);
      const amount = roundAmount(token, small(random));
      calls.push(
        random.chance(0.5) ? sendEther(from, to, etherOf(moment)) : sendToken(token.address, from, to, amount),
      );
    }
    return calls;
  };
}

/** Returns an address that begins and ends like another. */
const lookalike = (address: string): string =>
  `${address.slice(0, 6)}${"0123456789abcdef".repeat(2)}${address.slice(-4)}`;

/** Returns a scammer: zero transfers that put a lookalike into a whale's history, and gifts of a false USDC. */
function scammer({ scammer: from, whales, exchanges }: Cast, random: Random): Agent {
  return () => {
    if (!random.chance(1 / BLOCKS_BETWEEN_TRICKS)) return [];
    const victim = random.pick(whales).address;
    if (random.chance(0.6)) return [sendNothing(USDC.address, from, victim, lookalike(random.pick(exchanges)))];
    return [sendToken(FAKE_USDC, from, victim, roundAmount(USDC, random.between(1e5, 5e6)))];
  };
}

/** Returns a liquidity provider: it adds to a pool, and later takes a part of its shares out. */
function provider(from: string, random: Random): Agent {
  const pairs = [
    [USDC, WETH],
    [USDC, USDT],
  ] as const;
  return (moment) => {
    if (!random.chance(1 / BLOCKS_BETWEEN_DEPOSITS)) return [];
    const [money, other] = random.pick(pairs);
    const pool = poolOf(moment.pools, money, other);
    if (!pool) return [];
    const usd = random.between(40_000, 400_000);
    if (random.chance(0.5)) {
      const amounts = [roundAmount(money, usd), roundAmount(other, usd / priceOf(moment, other))] as const;
      return [addLiquidity(from, money, other, ...amounts)];
    }
    // A share of a pool is worth about the root of its reserves' product; a provider holds a hundredth of them.
    const reserve = wholeTokens(money, pool.token0 === money ? pool.reserve0 : pool.reserve1);
    const shares = Math.sqrt(Number(pool.reserve0) * Number(pool.reserve1)) * Math.min(0.002, usd / reserve / 2);
    return [removeLiquidity(from, money, other, coarse(BigInt(Math.floor(shares))))];
  };
}

/** Returns everybody who is neither a whale nor an arbitrageur. */
export function crowdAgents(seed: string, cast: Cast): Agent[] {
  return [
    traders(cast, randomOf(seed, "traders")),
    scammer(cast, randomOf(seed, "scammer")),
    ...cast.providers.map((address, index) => provider(address, randomOf(seed, `provider ${index}`))),
  ];
}
