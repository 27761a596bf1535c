import * as z from "zod";
import type { Policy } from "./policy.ts";
import { signalOf } from "./sizing.ts";

/**
 * What stands first between an asset and an order, in the order in which a plan needs them: a bias, evidence behind it,
 * credible wallets, a signal above the entry, every limit, a size of at least one lot.
 */
const GAPS = ["bias", "evidence", "credibility", "signal", "policy", "size"] as const;

/**
 * Why an asset was not traded. `has` falls short of `needs`, in the gap's own unit: bets of one wallet, credibility (0 to
 * 10), |signal|; null where it is no number. `closes`: what one factor would have to be, the others as they are, for the
 * signal to reach the entry; null = it alone cannot.
 */
export const NoTrade = z.object({
  asset: z.string(),
  gap: z.enum(GAPS),
  has: z.number().nullable(),
  needs: z.number().nullable(),
  closes: z.object({
    bias: z.number().nullable(),
    confidence: z.number().nullable(),
    credibility: z.number().nullable(),
  }),
  /** The bias leans down, so that what is missing is a stronger signal to sell. Reports of earlier releases do not say. */
  leansDown: z.boolean().default(false),
  /** Limits that denied the newest plan; empty unless the gap is `policy`. */
  denied: z.array(z.string()),
});
export type NoTrade = z.infer<typeof NoTrade>;

/** Where an asset stands on the traded timeframe. */
export interface Standing {
  readonly asset: string;
  /** Null = there is none. `credibility` is that of the wallets behind it, as a plan weighs it; null = nobody moved it. */
  readonly bias: {
    readonly value: number;
    readonly confidence: number | null;
    readonly credibility: number | null;
  } | null;
  /** Bets on the traded timeframe: of the wallet that has most, and how many it takes to tell skill from luck. */
  readonly bets: { readonly has: number; readonly needs: number };
  /** Limits that denied the newest plan; empty when there was none. */
  readonly denied: readonly string[];
}

type Entry = Pick<Policy, "enter" | "credibilityFloor" | "credibilityFull">;

/** Returns the first gap between an asset without an order and one, its size, and what would close it. */
export function whyNoTrade({ asset, bias, bets, denied }: Standing, policy: Entry): NoTrade {
  const gap = (name: NoTrade["gap"], has: number | null, needs: number | null, closes = NOTHING): NoTrade => ({
    ...{ asset, gap: name, has, needs, closes, leansDown: (bias?.value ?? 0) < 0 },
    denied: name === "policy" ? [...denied] : [],
  });
  if (bias === null) return gap("bias", null, null);
  const { value, confidence, credibility } = bias;
  if (value === 0 || !confidence || credibility === null) return gap("evidence", bets.has, bets.needs);
  const closes = closingOf(value, confidence, credibility, policy);
  if (credibility <= policy.credibilityFloor) return gap("credibility", credibility, policy.credibilityFloor, closes);
  const { s } = signalOf({ bias: value, confidence, credibility, stale: false }, policy);
  if (Math.abs(s) <= policy.enter) return gap("signal", Math.abs(s), policy.enter, closes);
  return denied.length > 0 ? gap("policy", null, null) : gap("size", null, null);
}

const NOTHING: NoTrade["closes"] = { bias: null, confidence: null, credibility: null };

/** A bias and a confidence end at 1, and credibility counts in full from a score on: what lies beyond closes nothing. */
function closingOf(value: number, confidence: number, credibility: number, policy: Entry): NoTrade["closes"] {
  const { credibilityFloor: floor, credibilityFull: full, enter } = policy;
  const { credibilityFactor } = signalOf({ bias: value, confidence, credibility, stale: false }, policy);
  const within = (needed: number, most: number): number | null =>
    Number.isFinite(needed) && needed < most ? needed : null;
  return {
    bias: within(enter / (confidence * credibilityFactor), 1),
    confidence: within(enter / (Math.abs(value) * credibilityFactor), 1),
    credibility: within(floor + ((full - floor) * enter) / (Math.abs(value) * confidence), full),
  };
}
