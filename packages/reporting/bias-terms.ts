import * as z from "zod";
import { EventId, WalletId } from "#units/ids";
import { Horizon, Instant } from "#units/time";
import { WalletName } from "./report.ts";

/** One term of a bias: w · cap · d · delta / (B + K) is its contribution. */
export const BiasTerm = z.object({
  eventId: EventId,
  walletId: WalletId,
  /** What it was made of; null where the release that stored it kept no more than the contribution. */
  channel: z.string().nullable(),
  /** Weight in [0, 1] and direction in [-1, 1], frozen when the event was seen. */
  w: z.number().nullable(),
  d: z.number().nullable(),
  /** What time, and the cap on one wallet, have left of the weight, each in (0, 1]. */
  delta: z.number().nullable(),
  cap: z.number().nullable(),
  contribution: z.number(),
  /** 0 to 10, when the event was seen; null = the wallet had no score. */
  credibility: z.number().nullable(),
});
export type BiasTerm = z.infer<typeof BiasTerm>;

/** A bias with all its terms. `terms` and `rest` add up to `value`, to nine decimals. */
export const BiasSum = z.object({
  asset: z.string(),
  timeframe: Horizon,
  at: Instant,
  /** In (-1, 1). */
  value: z.number(),
  confidence: z.number().nullable(),
  /** Of the formula and its constants; null where a release before kept none. */
  modelVersion: z.string().nullable(),
  /** value = A / (B + K): what was bought less what was sold, all of it, and what the asset usually has. */
  sums: z.object({ A: z.number(), B: z.number(), K: z.number() }).nullable(),
  terms: z.array(BiasTerm.extend({ wallet: WalletName.nullable() })),
  /** What is left: the rounding of the value, and as many terms as a reorg or retention has taken since. */
  rest: z.object({ count: z.int(), contribution: z.number() }),
});
export type BiasSum = z.infer<typeof BiasSum>;

const nine = (value: number): number => Math.round(value * 1e9) / 1e9 || 0;

/**
 * Returns the terms of a bias: those that were stored with it, as they are, then those of `computed` that were not, largest
 * first; and what is left of the value.
 */
export function allTerms(
  { value, count, stored }: { readonly value: number; readonly count: number; readonly stored: readonly BiasTerm[] },
  computed: readonly BiasTerm[],
): { readonly terms: readonly BiasTerm[]; readonly rest: BiasSum["rest"] } {
  const kept = new Set(stored.map(({ eventId }) => eventId));
  const terms = [...stored, ...computed.filter(({ eventId }) => !kept.has(eventId))];
  const told = terms.reduce((sum, { contribution }) => sum + contribution, 0);
  return { terms, rest: { count: Math.max(0, count - terms.length), contribution: nine(value - told) } };
}
