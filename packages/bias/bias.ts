import * as z from "zod";
import { EventId, WalletId } from "#units/ids";
import { type Horizon, type Instant, millis } from "#units/time";
import { decayOf, HALF_LIFE_SECONDS, lambdaOf } from "./decay.ts";
import { capsOf, type Term } from "./term.ts";

/** Of the formula and its constants; stored with each bias. */
export const MODEL_VERSION = "bias-1";

/** K until the asset has a normal window of its own: about five fresh events of a wallet with some credibility. */
const DEFAULT_K = 0.25;
/** K never falls below this, so that a lone event after a quiet week moves nothing much. */
const MIN_K = 0.05;
/** Below this B nothing was going on: no normal window. */
const QUIET_B = 0.01;
/** Windows that make a median: an hour of rows five minutes apart. */
const MIN_WINDOWS = 12;
/** Contributions that are stored one by one. */
const TOP = 20;
/** Lag of the newest block that costs no confidence. */
const FREE_LAG_SECONDS = 60;

/** What readers take of stored components: a plan weighs it, a report and the API show it. Numbers have nine decimals. */
export const Explanation = z.object({
  /** Terms in all; the contributions are the largest of them. */
  n: z.number().int(),
  contributions: z.array(
    z.object({
      event_id: EventId,
      wallet_id: WalletId,
      contribution: z.number(),
      /** 0 to 10, frozen at the event; null when the wallet had no score. */
      credibility: z.number().nullable(),
    }),
  ),
});
export type Explanation = z.infer<typeof Explanation>;

/** One stored contribution: w · cap · d · delta / (B + K). */
export interface ExplainedTerm extends Readonly<Explanation["contributions"][number]> {
  readonly channel: string;
  readonly w: number;
  readonly d: number;
  readonly delta: number;
  /** What the cap on one wallet left of the weight, in (0, 1]. */
  readonly cap: number;
}

/** Why a bias is what it is: `bias.components`. Numbers have nine decimals. */
export interface Components extends Readonly<Omit<Explanation, "contributions">> {
  readonly A: number;
  readonly B: number;
  readonly Q: number;
  readonly K: number;
  /** B before the cap on one wallet: K is the median of these. */
  readonly uncapped: number;
  readonly lambda: number;
  readonly nEff: number;
  readonly freshness: number;
  readonly coverage: number;
  readonly channels: Readonly<Record<string, { readonly n: number; readonly A: number; readonly B: number }>>;
  /** The largest by magnitude, then by event id. With `rest` they sum to the value. */
  readonly contributions: readonly ExplainedTerm[];
  readonly rest: { readonly n: number; readonly contribution: number };
  readonly model_version: string;
  readonly as_of: Instant;
}

export interface Bias {
  /** In (−1, 1), six decimals. */
  readonly value: number;
  /** In [0, 1], three decimals. */
  readonly confidence: number;
  readonly components: Components;
}

export interface BiasInput {
  readonly timeframe: Horizon;
  readonly at: Instant;
  /** Terms of one asset and timeframe, none newer than `at`, in any order. */
  readonly terms: readonly Term[];
  readonly k: number;
  /** In [0, 1]: how new the newest block is, and how much of what happened was understood. */
  readonly freshness: number;
  readonly coverage: number;
}

const nine = (value: number): number => Math.round(value * 1e9) / 1e9 || 0;

/**
 * Returns K: the median of earlier B before capping, over windows in which something was going on; a default until there
 * are twelve such. `earlier` may be in any order.
 */
export function normalMass(earlier: readonly number[]): number {
  const busy = earlier.filter((b) => b >= QUIET_B).sort((x, y) => x - y);
  if (busy.length < MIN_WINDOWS) return DEFAULT_K;
  const middle = busy.length >> 1;
  const upper = busy[middle] ?? DEFAULT_K;
  const median = busy.length % 2 === 1 ? upper : ((busy[middle - 1] ?? upper) + upper) / 2;
  return nine(Math.max(MIN_K, median));
}

/** Returns e^(−λ · lag) beyond one minute of lag; 0 when no block was ever seen. */
export function freshnessOf(timeframe: Horizon, newestBlock: Instant | null, at: Instant): number {
  if (newestBlock === null) return 0;
  const lag = Math.max(0, (millis(at) - millis(newestBlock)) / 1000 - FREE_LAG_SECONDS);
  return Math.exp((-Math.LN2 * lag) / HALF_LIFE_SECONDS[timeframe]);
}

interface Weighed extends Term {
  readonly delta: number;
  /** w · cap · δ. */
  readonly mass: number;
  readonly cap: number;
}

/** Terms by event id, decayed and capped. */
function weigh(terms: readonly Term[], timeframe: Horizon, at: Instant, k: number): Weighed[] {
  const sorted = [...terms].sort((x, y) => (x.eventId < y.eventId ? -1 : 1));
  const decayed = sorted.map((term) => ({ ...term, delta: decayOf(timeframe, term.at, at) }));
  const masses = new Map<string, number>();
  for (const term of decayed) masses.set(term.walletId, (masses.get(term.walletId) ?? 0) + term.w * term.delta);
  const caps = capsOf(masses, k);
  return decayed.map((term) => {
    const cap = caps.get(term.walletId) ?? 1;
    return { ...term, cap, mass: term.w * cap * term.delta };
  });
}

const total = (terms: readonly Weighed[], of: (term: Weighed) => number): number =>
  terms.reduce((sum, term) => sum + of(term), 0);

/**
 * Returns the bias of an asset on a timeframe: A / (B + K), strictly inside (−1, 1), with everything it was made from. No
 * terms give 0 and no confidence. The order of `terms` never shows.
 * Confidence = B/(B+K) · n_eff/(n_eff+5) · freshness · coverage, n_eff = B²/Q.
 */
export function biasOf(input: BiasInput): Bias {
  const { timeframe, at, k } = input;
  const terms = weigh(input.terms, timeframe, at, k);
  const [a, b, q] = [
    total(terms, (t) => t.mass * t.d),
    total(terms, (t) => t.mass),
    total(terms, (t) => t.mass * t.mass),
  ];
  const raw = b > 0 ? a / (b + k) : 0;
  const value = Math.min(0.999999, Math.max(-0.999999, Math.round(raw * 1e6) / 1e6)) || 0;
  const nEff = q > 0 ? (b * b) / q : 0;
  const sure = b > 0 ? (b / (b + k)) * (nEff / (nEff + 5)) * input.freshness * input.coverage : 0;
  const explained = explain(terms, b + k);
  const top = explained.slice(0, TOP);
  const told = top.reduce((sum, term) => sum + term.contribution, 0);
  return {
    value,
    confidence: Math.round(Math.min(1, Math.max(0, sure)) * 1000) / 1000,
    components: {
      A: nine(a),
      B: nine(b),
      Q: nine(q),
      K: nine(k),
      uncapped: nine(total(terms, (t) => t.w * t.delta)),
      lambda: nine(lambdaOf(timeframe)),
      n: terms.length,
      nEff: nine(nEff),
      freshness: nine(input.freshness),
      coverage: nine(input.coverage),
      channels: channelsOf(terms),
      contributions: top,
      // With the value's own rounding, so that what is stored adds up to what is stored.
      rest: { n: explained.length - top.length, contribution: nine(value - told) },
      model_version: MODEL_VERSION,
      as_of: at,
    },
  };
}

function explain(terms: readonly Weighed[], scale: number): ExplainedTerm[] {
  return terms
    .map((term) => ({
      event_id: term.eventId,
      wallet_id: term.walletId,
      channel: term.channel,
      w: nine(term.w),
      d: term.d,
      delta: nine(term.delta),
      cap: nine(term.cap),
      contribution: nine((term.mass * term.d) / scale),
      credibility: term.credibility,
    }))
    .sort((x, y) => Math.abs(y.contribution) - Math.abs(x.contribution) || (x.event_id < y.event_id ? -1 : 1));
}

/**
 * Returns every term of a bias as it is stored with it, not the largest alone: by magnitude, then by event id. `terms` are those that
 * `biasOf` had, and `k` its K.
 */
export const explainedTerms = ({ timeframe, at, terms, k }: Pick<BiasInput, "timeframe" | "at" | "terms" | "k">) => {
  const weighed = weigh(terms, timeframe, at, k);
  return explain(weighed, total(weighed, (term) => term.mass) + k);
};

function channelsOf(terms: readonly Weighed[]): Components["channels"] {
  const names = [...new Set(terms.map((term) => term.channel))].sort();
  return Object.fromEntries(
    names.map((name) => {
      const own = terms.filter((term) => term.channel === name);
      return [name, { n: own.length, A: nine(total(own, (t) => t.mass * t.d)), B: nine(total(own, (t) => t.mass)) }];
    }),
  );
}
