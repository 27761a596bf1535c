import * as z from "zod";
import { big, Decimal } from "#units/decimal";
import type { Why } from "./report.ts";

/** The part of a policy snapshot that is shown. Source: `snapshotOf` in packages/trading/plans/plan.ts. */
const Snapshot = z.object({
  bias: z.object({ value: z.number(), confidence: z.number().nullable() }),
  credibility: z.number().nullable(),
  sizing: z.object({ s: z.number(), bounds: z.record(z.string(), Decimal) }),
  codes: z.array(z.string()),
});

/**
 * Returns why an order was made or denied. An order without a snapshot (an external one, a stop) has no reasons.
 * @throws ZodError when there is a snapshot of another shape.
 */
export function whyOf(snapshot: unknown): Why {
  if (snapshot === null || snapshot === undefined) {
    return { bias: null, confidence: null, credibility: null, signal: null, bound: [], denied: [] };
  }
  const { bias, credibility, sizing, codes } = Snapshot.parse(snapshot);
  return {
    bias: bias.value,
    confidence: bias.confidence,
    credibility,
    signal: sizing.s,
    bound: smallest(sizing.bounds),
    denied: codes,
  };
}

function smallest(bounds: Readonly<Record<string, Decimal>>): string[] {
  const sorted = Object.entries(bounds).sort(([a, x], [b, y]) => big(x).cmp(y) || (a < b ? -1 : 1));
  const least = sorted[0];
  return least ? sorted.filter(([, value]) => big(value).eq(least[1])).map(([name]) => name) : [];
}
