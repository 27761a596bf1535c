import * as z from "zod";
import { HORIZONS, type Horizon, type Instant } from "#units/time";
import { normalCdf, normalOfT, significant } from "./normal.ts";
import { DEFAULT_PRIOR, fitPrior, informed, type Peer, type Prior, signalOf } from "./prior.ts";
import { type Bet, degreesOf, type Statistics, statisticsOf, winRateOf } from "./statistics.ts";

const Share = z.number().min(0).max(1);

/**
 * What stands behind a credibility on one horizon. Figures have six significant digits. Without a bet `probability` is
 * 0.5 and the rest is 0 or null.
 */
export const HorizonEvidence = z.object({
  /** The credibility before it is rounded to one decimal and multiplied by ten; see `probabilityOf`. */
  probability: Share,
  /** Posterior probability that the wallet knows something and following it pays after cost. */
  edge: Share,
  bets: z.number().int(),
  /** Clusters of bets, decayed. */
  effectiveBets: z.number(),
  /** Mean outcome after cost, in standard deviations. */
  mean: z.number(),
  /** Mean cost, in standard deviations. */
  cost: z.number(),
  error: z.number().nullable(),
  /** Cluster t of the mean before cost, against no information. */
  t: z.number().nullable(),
  /** One-sided p of that t. */
  p: Share.nullable(),
  winRate: Share.nullable(),
  /** Share of false discoveries if every wallet at least as good as this one were called informed. */
  q: Share.nullable(),
  prior: z.object({ share: Share, spread: z.number(), wallets: z.number().int() }),
});
export type HorizonEvidence = z.infer<typeof HorizonEvidence>;

/** The evidence of one score, per horizon. */
export const Evidence = z.object({ "1h": HorizonEvidence, "4h": HorizonEvidence, "24h": HorizonEvidence });
export type Evidence = z.infer<typeof Evidence>;

interface Posterior {
  readonly probability: number;
  readonly edge: number;
}

/**
 * Returns the posterior of a wallet. `probability` = Pr(its direction is right more than chance) + half of
 * Pr(uninformed): the null's mass is split evenly between the two signs. So no evidence gives exactly 0.5, evidence of
 * nothing nearly 0.5, being wrong more often than chance less; and 2 · probability − 1 is the expected sign of its edge.
 * An uninformed wallet loses the cost, so that is what a mean after cost is held against. `edge` is the stricter
 * Pr(informed, and profitable after cost).
 */
export function probabilityOf(peer: Peer | null, prior: Prior): Posterior {
  if (peer === null) return { probability: 0.5, edge: 0 };
  const signal = signalOf(peer);
  const slab = informed(signal, prior);
  const shrink = (prior.spread * prior.spread) / (prior.spread * prior.spread + signal.error * signal.error);
  const centre = shrink * signal.gross;
  const width = Math.sqrt(shrink) * signal.error;
  return {
    probability: slab * normalCdf(centre / width) + (1 - slab) / 2,
    edge: slab * normalCdf((centre - peer.cost) / width),
  };
}

/** Returns the credibility of a probability: 0 to 10 in steps of 0.1; 5 is "nothing known". */
export const credibilityOf = (probability: number): number => Math.round(probability * 100) / 10;

function falseDiscoveryRate(edge: number, peers: readonly number[]): number {
  const better = peers.filter((other) => other >= edge);
  return better.reduce((sum, other) => sum + 1 - other, 1 - edge) / (better.length + 1);
}

function describe(own: Statistics | null, prior: Prior, peerEdges: readonly number[]): HorizonEvidence {
  const { probability, edge } = probabilityOf(own, prior);
  const t = own === null ? null : (own.mean + own.cost) / own.error;
  return {
    probability: significant(probability),
    edge: significant(edge),
    bets: own?.bets ?? 0,
    effectiveBets: significant(own?.effectiveBets ?? 0),
    mean: significant(own?.mean ?? 0),
    cost: significant(own?.cost ?? 0),
    error: own === null ? null : significant(own.error),
    t: t === null ? null : significant(t),
    p: t === null || own === null ? null : significant(normalCdf(-normalOfT(t, degreesOf(own.effectiveBets)))),
    winRate: own === null ? null : significant(winRateOf(own)),
    q: own === null ? null : significant(falseDiscoveryRate(edge, peerEdges)),
    prior: { share: significant(prior.share), spread: significant(prior.spread), wallets: prior.wallets },
  };
}

/** Returns the evidence of peers on one horizon as the fit takes it; wallets without a bet are left out. */
export const peersOf = (evidence: readonly Evidence[], horizon: Horizon): Peer[] =>
  evidence.flatMap((scores) => {
    const { mean, cost, error, effectiveBets, bets } = scores[horizon];
    return bets > 0 && error !== null ? [{ mean, cost, error, effectiveBets }] : [];
  });

/**
 * Returns the evidence of one wallet as of `at`. `bets` are its settled outcomes per horizon, in any order; `peers` the
 * evidence of the other wallets from an earlier time, in the order of their id: the prior is fitted on them, and on the
 * default alone when there are none.
 */
export function evidenceOf(
  bets: Readonly<Record<Horizon, readonly Bet[]>>,
  peers: readonly Evidence[],
  at: Instant,
): Evidence {
  const on = (horizon: Horizon): HorizonEvidence => {
    const known = peersOf(peers, horizon);
    const prior = known.length === 0 ? DEFAULT_PRIOR : fitPrior(known);
    const edges = peers
      .map((peer) => peer[horizon])
      .filter((peer) => peer.bets > 0)
      .map((peer) => peer.edge);
    return describe(statisticsOf(bets[horizon], horizon, at), prior, edges);
  };
  return { "1h": on("1h"), "4h": on("4h"), "24h": on("24h") };
}

/** Returns the win rate of the horizon with the most effective bets (the shorter on a tie), or null without a bet. */
export function overallWinRate(evidence: Evidence): number | null {
  let best: HorizonEvidence | null = null;
  for (const horizon of HORIZONS) {
    const next = evidence[horizon];
    if (next.winRate !== null && next.effectiveBets > (best?.effectiveBets ?? 0)) best = next;
  }
  return best?.winRate ?? null;
}
