import { POLICY, policyOf } from "#trading/plans/policy";
import type { Scope } from "./report.ts";

/**
 * Returns what is said beside every profit or loss of a report on generated input: that it is evidence of nothing, and by
 * which policy it came about; null for a real market.   Source: docs/decisions/0007-practice-policy.md
 */
export function profitNotice(scope: Pick<Scope, "generated" | "policy">): string | null {
  if (!scope.generated) return null;
  const { version } = policyOf(scope);
  const policy =
    version === POLICY.version ? "" : `, and policy ${version} was set so that there are orders to look at`;
  return `No evidence of an edge: the market is generated${policy}.`;
}

/** Returns whether trades are held against what they are expected to earn, as the policy says: "off: no ledger of signals yet". */
export const edgeGateText = (scope: Pick<Scope, "policy">): string =>
  policyOf(scope).edge === "off" ? "off: no ledger of signals yet" : "by the ledger of signals";
