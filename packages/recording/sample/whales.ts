import { HORIZON_SECONDS } from "#units/time";
import type { Agent, Moment } from "./agent.ts";
import {
  type Call,
  coarse,
  ETHER,
  roundAmount,
  type Side,
  sendEther,
  sendToken,
  swapCall,
  tokenOf,
  unwrapEther,
  wrapEther,
} from "./calls.ts";
import type { Cast, WhaleTruth } from "./cast.ts";
import { AAVE, LINK, type SampleToken, UNI, USDC, USDT, WBTC, WETH } from "./contracts.ts";
import { ASSETS } from "./market.ts";
import { applySwap, quote, wholeTokens } from "./pools.ts";
import { type Random, randomOf } from "./random.ts";

const MINUTE_MS = 60_000;
const PAUSE_MINUTES = [4, 15] as const;
const LEAST_USD = 50_000;
const MOST_USD = 800_000;
/** A whale gives at most this part of what it holds of a token in one swap. */
const PART = 0.45;
/** An informed whale looks for a move of at least this many standard deviations. */
const WORTH_IT = 0.5;

type Direction = 1 | -1;
/** Returns which way a whale would bet on an asset now. */
type View = (asset: string, moment: Moment) => Direction;

const RISKY: Readonly<Record<string, SampleToken>> = { AAVE, BTC: WBTC, ETH: WETH, LINK, UNI };
const MONEY: Readonly<Record<string, readonly SampleToken[]>> = {
  AAVE: [USDC],
  BTC: [USDC],
  ETH: [USDC, USDT],
  LINK: [USDC],
  UNI: [USDT],
};

const riskyOf = (asset: string): SampleToken => RISKY[asset] ?? WETH;

/** Returns the view of a whale that knows what its horizon brings, and bets with it at its hit rate. */
function informedView(ms: number, hitRate: number, random: Random): View {
  return (asset, { market, atMs }) => {
    const coming: Direction = market.edge(asset, atMs, ms) >= 0 ? 1 : -1;
    return random.chance(hitRate) ? coming : coming === 1 ? -1 : 1;
  };
}

/** Returns the view of a whale that knows nothing: an opinion per asset that it keeps for a few bets. */
function idleView(random: Random): View {
  const opinions = new Map<string, Direction>();
  return (asset) => {
    const kept = opinions.get(asset);
    const opinion = kept && random.chance(0.5) ? kept : random.pick<Direction>([1, -1]);
    opinions.set(asset, opinion);
    return opinion;
  };
}

/** Returns an asset to bet on: any for the uninformed, one that will move beyond the others for the informed. */
function choice(ms: number | null, { market, atMs }: Moment, random: Random): string {
  if (ms === null) return random.pick(ASSETS);
  const worth = ASSETS.filter((asset) => Math.abs(market.edge(asset, atMs, ms)) >= WORTH_IT);
  return random.pick(worth.length > 0 ? worth : ASSETS);
}

const dollars = (random: Random): number => {
  const draw = random.unit();
  return LEAST_USD + (MOST_USD - LEAST_USD) * draw * draw;
};

/** Returns a swap of about `usd`, or none when the wallet holds too little of what it would give. */
function swapOf(moment: Moment, from: string, give: Side, take: Side, usd: number): Call[] {
  const token = tokenOf(give);
  const price = token.asset === "USD" ? 1 : moment.market.price(token.asset, moment.atMs);
  const amount = Math.min(usd / price, wholeTokens(token, moment.held(from, give)) * PART);
  if (amount * price < LEAST_USD / 2) return [];
  const units = roundAmount(give, amount);
  const path = [token, tokenOf(take)];
  const least = coarse((quote(moment.pools, path, units) * 95n) / 100n);
  applySwap(moment.pools, path, units);
  return [swapCall({ from, give, take, through: [], amount: units, least })];
}

/** Returns one bet: mostly money against an asset; now and then LINK or BTC straight into or out of ether. */
function bet(moment: Moment, whale: WhaleTruth, view: View, random: Random): Call[] {
  const ms = whale.horizon && HORIZON_SECONDS[whale.horizon] * 1000;
  const asset = choice(ms, moment, random);
  const direction = view(asset, moment);
  const usd = dollars(random);
  const ether: Side = random.chance(0.5) ? ETHER : WETH;
  const risky: Side = asset === "ETH" ? ether : riskyOf(asset);
  const rotates = (asset === "LINK" || asset === "BTC") && random.chance(0.2) && view("ETH", moment) === -direction;
  const other: Side = rotates ? ether : random.pick(MONEY[asset] ?? [USDC]);
  return direction === 1
    ? swapOf(moment, whale.address, other, risky, usd)
    : swapOf(moment, whale.address, risky, other, usd);
}

/** Returns a deposit to an exchange or a withdrawal from one: ether by the whale's view, or money. */
function exchangeFlow(
  moment: Moment,
  whale: WhaleTruth,
  view: View,
  exchanges: readonly string[],
  random: Random,
): Call[] {
  const exchange = random.pick(exchanges);
  const usd = dollars(random);
  if (random.chance(0.5)) {
    const token = random.pick([USDC, USDT]);
    const amount = roundAmount(token, usd / 2);
    if (random.chance(0.5)) return [sendToken(token.address, exchange, whale.address, amount)];
    return moment.held(whale.address, token) > amount * 2n
      ? [sendToken(token.address, whale.address, exchange, amount)]
      : [];
  }
  const amount = roundAmount(ETHER, usd / 2 / moment.market.price("ETH", moment.atMs));
  if (view("ETH", moment) === 1) return [sendEther(exchange, whale.address, amount)];
  return moment.held(whale.address, ETHER) > amount * 2n ? [sendEther(whale.address, exchange, amount)] : [];
}

/** Returns a change between ether and WETH, which is no bet. */
function rewrap(moment: Moment, { address }: WhaleTruth, random: Random): Call[] {
  const amount = roundAmount(ETHER, random.between(5, 60));
  const side = random.chance(0.5) ? ETHER : WETH;
  if (moment.held(address, side) < amount * 2n) return [];
  return [side === ETHER ? wrapEther(address, amount) : unwrapEther(address, amount)];
}

/** Returns an agent for each whale. Informed and uninformed ones act as often, in the same sizes, on the same pools. */
export function whaleAgents(seed: string, { whales, exchanges }: Cast, startMs: number): Agent[] {
  return whales.map((whale) => {
    const random = randomOf(seed, whale.label);
    const view = whale.horizon
      ? informedView(HORIZON_SECONDS[whale.horizon] * 1000, whale.hitRate, random)
      : idleView(random);
    const pause = () => random.between(...PAUSE_MINUTES) * MINUTE_MS;
    let next = startMs + random.unit() * pause();
    return (moment) => {
      if (moment.atMs < next) return [];
      next = moment.atMs + pause();
      const mood = random.unit();
      if (mood < 0.06) return exchangeFlow(moment, whale, view, exchanges, random);
      if (mood < 0.09) return rewrap(moment, whale, random);
      return bet(moment, whale, view, random);
    };
  });
}
