import { POLICY, policyOf } from "#trading/plans/policy";
import { minute } from "./format.ts";
import { plain } from "./plain.ts";
import type { Report, Scope } from "./report.ts";

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

/** What the figures of equity are of. */
export const EQUITY_OF = "USDT alone: a fee in another coin counts at its price, the coin itself does not";

/** Returns until when a live desk may open, by whom and up to which caps, or that it may not; null for another desk. */
export function armingText(
  { scope, arming }: Pick<Report, "scope" | "arming">,
  safe: (text: string, letters?: number) => string = plain,
): string | null {
  if (scope.mode !== "live") return null;
  if (arming === null) return "no: nothing is opened";
  const { notAfter, by, maxNotionalUsd, maxDailyLossUsd, problem } = arming;
  const says = `until ${minute(notAfter)} by ${safe(by)}: at most ${maxNotionalUsd} USD held, ${maxDailyLossUsd} USD lost a day`;
  return problem === null ? says : `no, nothing is opened: ${safe(problem, 300)}; it says ${says}`;
}
