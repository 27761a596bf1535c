import { significant } from "./normal.ts";

/** What a wallet seems to be. The first three have no directional credibility. */
export const ARCHETYPES = [
  "exchange",
  "mev",
  "market_maker",
  "accumulator",
  "distributor",
  "bridge_user",
  "fund",
  "staker",
  "unknown",
] as const;
export type Archetype = (typeof ARCHETYPES)[number];

const UNDIRECTED: readonly Archetype[] = ["exchange", "mev", "market_maker"];

/** What a wallet did in the last 30 days, and what it is labelled. USD sums count priced events alone. */
export interface Behaviour {
  /** Lower-case words from the wallet's label, its tags and its kind. */
  readonly labels: readonly string[];
  readonly events: number;
  readonly transactions: number;
  readonly counterparties: number;
  readonly inflowUsd: number;
  readonly outflowUsd: number;
  /** Σ over assets of |bought − sold| by swap. */
  readonly netSwapUsd: number;
  /** Signed: bought − sold by swap, over all assets. */
  readonly signedSwapUsd: number;
  readonly grossSwapUsd: number;
  readonly swaps: number;
  /** Swaps whose asset went the other way in the same or the next block. */
  readonly roundTrips: number;
  readonly bridgeUsd: number;
  readonly yieldUsd: number;
  readonly grossUsd: number;
}

export interface ArchetypeGuess {
  readonly archetype: Archetype;
  /** Probability of each archetype that a rule spoke for; they sum to 1. */
  readonly probabilities: Readonly<Partial<Record<Archetype, number>>>;
}

/** Says whether direction means nothing for this archetype: it acts for others, or is flat within a block or a day. */
export const isUndirected = (archetype: Archetype): boolean => UNDIRECTED.includes(archetype);

const LABELS: readonly (readonly [RegExp, Archetype])[] = [
  [/^(exchange|cex|hot[ _-]?wallet)$/, "exchange"],
  [/^(mev|mev[ _-]?bot|arbitrage|arbitrageur|sandwich)$/, "mev"],
  [/^(market[ _-]?maker)$/, "market_maker"],
  [/^(fund|venture|safe)$/, "fund"],
];

const share = (part: number, whole: number): number => (whole > 0 ? part / whole : 0);
const balance = (a: number, b: number): number => share(Math.min(a, b), Math.max(a, b));

/** One rule: how strongly it speaks for its archetype, in [0, 1). The rest of the mass stays with the later rules. */
function strengths(b: Behaviour): readonly (readonly [Archetype, number])[] {
  const lean = share(b.signedSwapUsd, b.grossSwapUsd);
  return [
    ["exchange", b.counterparties > 1000 && balance(b.inflowUsd, b.outflowUsd) > 0.7 ? 0.9 : 0],
    ["mev", b.swaps >= 10 && share(b.roundTrips, b.swaps) > 0.5 ? 0.85 : 0],
    ["market_maker", b.swaps >= 200 && share(b.netSwapUsd, b.grossSwapUsd) < 0.1 ? 0.75 : 0],
    ["bridge_user", share(b.bridgeUsd, b.grossUsd) > 0.3 ? 0.7 : 0],
    ["staker", share(b.yieldUsd, b.grossUsd) > 0.5 ? 0.7 : 0],
    ["accumulator", b.swaps >= 5 && lean > 0.6 ? 0.7 : 0],
    ["distributor", b.swaps >= 5 && lean < -0.6 ? 0.7 : 0],
    ["fund", b.events > 0 && b.events <= 30 && share(b.grossUsd, b.transactions) > 1_000_000 ? 0.5 : 0],
  ];
}

/**
 * Returns what a wallet seems to be: a label first, then rules in a fixed order, each taking its strength of what the
 * ones before left over. What no rule took is `unknown`. The guess is the most probable, the earlier rule on a tie.
 * Thresholds: over 1,000 counterparties and balanced flows (exchange); more than half of the swaps undone within a block
 * (MEV); net below a tenth of gross over at least 200 swaps (market maker); net above 0.6 of gross (accumulator,
 * distributor); over 30 % of value bridged; over half of it staked or lent; few and large (fund).
 */
export function archetypeOf(behaviour: Behaviour): ArchetypeGuess {
  let left = 1;
  const probabilities: Partial<Record<Archetype, number>> = {};
  const take = (archetype: Archetype, strength: number): void => {
    if (strength === 0) return;
    probabilities[archetype] = (probabilities[archetype] ?? 0) + left * strength;
    left *= 1 - strength;
  };
  for (const [pattern, archetype] of LABELS)
    if (behaviour.labels.some((label) => pattern.test(label))) take(archetype, 0.95);
  for (const [archetype, strength] of strengths(behaviour)) take(archetype, strength);
  probabilities.unknown = left;
  let archetype: Archetype = "unknown";
  for (const name of ARCHETYPES) if ((probabilities[name] ?? 0) > (probabilities[archetype] ?? 0)) archetype = name;
  const rounded = Object.fromEntries(Object.entries(probabilities).map(([name, value]) => [name, significant(value)]));
  return { archetype, probabilities: rounded };
}
