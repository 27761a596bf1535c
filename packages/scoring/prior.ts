import { normalOfT } from "./normal.ts";
import { degreesOf, type Statistics } from "./statistics.ts";

/** What is believed about wallets before one is looked at: most have no information, a share has some, of either sign. */
export interface Prior {
  /** Share of wallets whose bets carry information, in (0, 1). */
  readonly share: number;
  /** Standard deviation of the mean outcome among those, in standard deviations of one bet. */
  readonly spread: number;
  /** How many wallets it was fitted on. */
  readonly wallets: number;
}

/** Used as it is for a first wallet, and drawn to when few are known. */
export const DEFAULT_PRIOR: Prior = { share: 0.1, spread: 0.2, wallets: 0 };

/**
 * Returns how many effective bets it takes to tell skill from luck: as many as make the noise of a mean no larger than the
 * edges that are expected, so that the bets weigh as much as what was believed before them. Outcomes are in standard
 * deviations, so the noise of n bets is 1/√n.
 */
export const betsNeeded = ({ spread }: Pick<Prior, "spread">): number => Math.ceil(1 / (spread * spread) - 1e-9);

// The default counts as this many wallets, so that a handful of lucky ones cannot make everybody look informed.
const SHARE_WEIGHT = 20;
const SPREAD_WEIGHT = 10;
const ROUNDS = 100;

/** A wallet as the fit sees it. */
export type Peer = Pick<Statistics, "mean" | "cost" | "error" | "effectiveBets">;

/** How far a wallet's mean is from what no information would give, with the heavy tail of few bets taken off. */
export interface Signal {
  readonly gross: number;
  readonly error: number;
}

/** Returns the signal of a wallet: an uninformed one loses the cost, so the cost is added back here, and only here. */
export function signalOf(peer: Peer): Signal {
  const t = (peer.mean + peer.cost) / peer.error;
  return { gross: normalOfT(t, degreesOf(peer.effectiveBets)) * peer.error, error: peer.error };
}

/** Returns the probability that a wallet is informed, given its signal. */
export function informed(signal: Signal, prior: Pick<Prior, "share" | "spread">): number {
  const noise = signal.error * signal.error;
  const total = noise + prior.spread * prior.spread;
  const exponent = 0.5 * signal.gross * signal.gross * (1 / noise - 1 / total);
  const odds = (prior.share / (1 - prior.share)) * Math.sqrt(noise / total) * Math.exp(Math.min(500, exponent));
  return odds / (1 + odds);
}

/**
 * Returns the two-group prior that fits `peers` best: a spike of uninformed wallets and a normal slab of informed ones,
 * by expectation maximisation with the default as pseudo-wallets. The order of `peers` must be that of their key.
 * Source: Efron (2008), "Microarrays, Empirical Bayes and the Two-Groups Model"; Harvey and Liu (2020).
 */
export function fitPrior(peers: readonly Peer[]): Prior {
  const signals = peers.map(signalOf);
  let { share, spread } = DEFAULT_PRIOR;
  for (let round = 0; round < ROUNDS; round++) {
    let members = DEFAULT_PRIOR.share * SHARE_WEIGHT;
    let mass = SPREAD_WEIGHT;
    let square = SPREAD_WEIGHT * DEFAULT_PRIOR.spread * DEFAULT_PRIOR.spread;
    for (const signal of signals) {
      const probability = informed(signal, { share, spread });
      const noise = signal.error * signal.error;
      const shrink = (spread * spread) / (spread * spread + noise);
      const centre = shrink * signal.gross;
      members += probability;
      mass += probability;
      square += probability * (shrink * noise + centre * centre);
    }
    share = Math.min(0.5, Math.max(0.005, members / (signals.length + SHARE_WEIGHT)));
    spread = Math.min(1, Math.max(0.05, Math.sqrt(square / mass)));
  }
  return { share, spread, wallets: peers.length };
}
