import { STABLES } from "#units/candle";
import { HORIZON_SECONDS, HORIZONS, type Horizon, millis } from "#units/time";
import type { ObservedEvent, PastEvent } from "./observed-event.ts";
import type { Analysis } from "./pattern.ts";

/** How an event bears on a price. */
export type Channel =
  | "swap"
  | "asset_to_exchange"
  | "asset_from_exchange"
  | "stable_to_exchange"
  | "stable_from_exchange"
  | "borrow_stable"
  | "borrow_asset"
  | "stake"
  | "unstake"
  | "liquidation"
  | "none"
  | "unclear";

/**
 * Signed strength of each channel, for an event that leans its usual way. Exchange flows stay well under swaps: whale
 * deposits explain 0.2 to 5 % of returns. Source: Chi, Chu, Hao (arXiv 2411.06327).
 */
export const CHANNEL_STRENGTH: Readonly<Record<Channel, number>> = {
  swap: 1,
  asset_to_exchange: -0.35,
  asset_from_exchange: 0.25,
  stable_to_exchange: 0.25,
  stable_from_exchange: 0,
  borrow_stable: 0.3,
  borrow_asset: -0.3,
  stake: 0.15,
  unstake: -0.15,
  liquidation: -0.5,
  none: 0,
  unclear: 0,
};

/** Assets that money on its way to an exchange is likely to buy. */
const MAJORS: readonly string[] = ["BTC", "ETH"];

/** Assumed 99th percentile of an asset's notionals, in USD, until it has events enough of its own. */
export const DEFAULT_LARGE_USD = 5_000_000;
/** Notionals well under this are all small. */
const SMALL_USD = 1000;
/** √size_fraction when the wallet's equity is unknown. */
const NEUTRAL_FRACTION = 0.5;
/** A block seen later than this after it was made was final when seen: two epochs of 32 slots of 12 s. */
const FINAL_AFTER_MS = 64 * 12_000;
/** Quality of a block that may still go away: about one in 1,700 does, and its events with it. */
const NOT_FINAL = 0.95;

/** The five factors of a weight, each in [0, 1], and the credibility (0 to 10) behind the first; null = no score. */
export interface Factors {
  readonly credibility: number;
  readonly size: number;
  readonly fraction: number;
  readonly quality: number;
  readonly novelty: number;
  readonly score: number | null;
}

/** What an event adds to the bias of an asset on a timeframe. Frozen at the event. */
export interface Contribution {
  readonly asset: string;
  readonly timeframe: Horizon;
  readonly channel: Channel;
  readonly d: number;
  readonly w: number;
  readonly factors: Factors;
}

/** A wallet's credibility as it stood before the event, per horizon. Null = none, or not to be believed on direction. */
export type Probabilities = Readonly<Record<Horizon, number | null>>;

const BY_TYPE: Readonly<Record<string, Channel>> = {
  swap: "swap",
  stake: "stake",
  unstake: "unstake",
  liquidation: "liquidation",
  complex: "unclear",
};

/** Returns the channel of an event. Wallet to wallet, wrapping, bridging and lending have none. */
export function channelOf(event: Pick<ObservedEvent, "type" | "asset">): Channel {
  const stable = event.asset !== null && STABLES.includes(event.asset);
  if (event.type === "cex_deposit") return stable ? "stable_to_exchange" : "asset_to_exchange";
  if (event.type === "cex_withdrawal") return stable ? "stable_from_exchange" : "asset_from_exchange";
  if (event.type === "borrow") return stable ? "borrow_stable" : "borrow_asset";
  if (stable) return "none";
  return BY_TYPE[event.type] ?? "none";
}

function assetsOf(channel: Channel, asset: string | null): readonly string[] {
  if (asset === null) return [];
  if (channel === "stable_to_exchange" || channel === "stable_from_exchange") return MAJORS;
  if (channel === "borrow_stable") return ["ETH"];
  return STABLES.includes(asset) ? [] : [asset];
}

const clamp = (value: number): number => Math.min(1, Math.max(0, value));
/** Four decimals: what is stored is what is multiplied, so a person can check the product. */
const round = (value: number): number => Math.round(value * 10_000) / 10_000;

/** Returns how large a notional is for its asset: 0 = nothing or unpriced, 1 = the 99th percentile or more. */
export function sizeFactor(notionalUsd: number | null, largeUsd: number): number {
  if (notionalUsd === null || notionalUsd <= 0) return 0;
  return clamp(Math.log(1 + notionalUsd / SMALL_USD) / Math.log(1 + Math.max(largeUsd, SMALL_USD) / SMALL_USD));
}

/** Decoding × label, as the event has it, × how final its block was when the desk saw it. */
function qualityFactor(event: ObservedEvent): number {
  const age = millis(event.observedAt) - millis(event.timestamp);
  return clamp(event.quality) * (age >= FINAL_AFTER_MS ? 1 : NOT_FINAL);
}

/** The first event since watch is news in full; each repeat within the timeframe is less. */
function novelty(event: ObservedEvent, history: readonly PastEvent[], timeframe: Horizon): number {
  if (event.isFirstSinceWatch) return 1;
  const since = millis(event.timestamp) - HORIZON_SECONDS[timeframe] * 1000;
  const repeats = history.filter(
    (past) =>
      past.type === event.type &&
      past.asset === event.asset &&
      past.direction === event.direction &&
      millis(past.timestamp) > since,
  ).length;
  return 0.8 / Math.sqrt(1 + repeats);
}

/**
 * Returns what an event adds to the bias, per asset and timeframe, by asset and then timeframe. The list is empty when
 * the event has no priced asset to bear on. A weight of zero is still returned, with the factor that made it so.
 * `largeUsd` is the 99th percentile of the asset's earlier notionals; `history` as in `analyze`.
 */
export function contributionsOf(
  event: ObservedEvent,
  analysis: Pick<Analysis, "direction">,
  believed: Probabilities,
  history: readonly PastEvent[],
  largeUsd: number,
): Contribution[] {
  const channel = channelOf(event);
  const strength = CHANNEL_STRENGTH[channel];
  const d = analysis.direction === 0 || strength === 0 ? 0 : analysis.direction * Math.abs(strength);
  const size = round(sizeFactor(event.notionalUsd, largeUsd));
  const fraction = round(event.sizeFraction === null ? NEUTRAL_FRACTION : Math.sqrt(clamp(event.sizeFraction)));
  const sure = round(qualityFactor(event));
  return assetsOf(channel, event.asset).flatMap((asset) =>
    HORIZONS.map((timeframe) => {
      const probability = believed[timeframe];
      const credibility = round(clamp(2 * (probability ?? 0.5) - 1));
      const fresh = round(novelty(event, history, timeframe));
      const score = probability === null ? null : round(10 * probability);
      const factors: Factors = { credibility, size, fraction, quality: sure, novelty: fresh, score };
      return { asset, timeframe, channel, d, w: credibility * size * fraction * sure * fresh, factors };
    }),
  );
}
