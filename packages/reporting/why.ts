import * as z from "zod";
import { Trigger } from "#trading/plans/trigger";
import { big, Decimal } from "#units/decimal";
import type { Why } from "./report.ts";

/** The part of a policy snapshot that is shown. Source: `snapshotOf` in packages/trading/plans/plan.ts. */
const Decision = z.object({
  bias: z.object({ value: z.number().nullable(), confidence: z.number().nullable() }),
  credibility: z.number().nullable(),
  sizing: z.object({ s: z.number(), held: Decimal.nullish(), bounds: z.record(z.string(), Decimal) }),
  quote: z.object({ bid: Decimal, ask: Decimal, mark: Decimal }).nullish(),
  codes: z.array(z.string()),
  /** Releases before this one kept none. */
  trigger: Trigger.nullish(),
  policy_hash: z.string().nullish(),
  policy_version: z.string().nullish(),
});
export type Decision = z.infer<typeof Decision>;

/** What the last order before one was decided by: of the same instrument, and filled. */
export interface Previous {
  readonly signal: number | null;
  readonly policy: Why["policy"];
}

/**
 * Returns what a policy snapshot says of a decision; null without one (an external order, a stop).
 * @throws ZodError when there is a snapshot of another shape.
 */
export const decisionOf = (snapshot: unknown): Decision | null =>
  snapshot === null || snapshot === undefined ? null : Decision.parse(snapshot);

/** Returns why an order was made or denied. One without a decision has no reasons, and the policy of the one before it. */
export function whyOf(decision: Decision | null, previous: Previous | null): Why {
  const signalBefore = previous?.signal ?? null;
  if (decision === null) {
    const none = {
      bias: null,
      confidence: null,
      credibility: null,
      signal: null,
      bound: [],
      denied: [],
      trigger: null,
    };
    return { ...none, signalBefore, policy: previous?.policy ?? null };
  }
  const { bias, credibility, sizing, codes, trigger, policy_hash: hash, policy_version: version } = decision;
  return {
    bias: bias.value,
    confidence: bias.confidence,
    credibility,
    signal: sizing.s,
    bound: smallest(sizing.bounds),
    denied: codes,
    trigger: trigger ?? null,
    signalBefore,
    policy: hash && version ? { version, hash } : null,
  };
}

function smallest(bounds: Readonly<Record<string, Decimal>>): string[] {
  const sorted = Object.entries(bounds).sort(([a, x], [b, y]) => big(x).cmp(y) || (a < b ? -1 : 1));
  const least = sorted[0];
  return least ? sorted.filter(([, value]) => big(value).eq(least[1])).map(([name]) => name) : [];
}
