import { limitLines, policyHash, policyOf } from "#trading/plans/policy";
import type { Scope } from "./report.ts";

const SHORT = 12; // as git shortens its hashes

/** The longest that is shown of it: more than all limits at once take, and the hash stands at the end. */
export const POLICY_LETTERS = 8000;

/** Returns by which limits a desk trades: the policy's name, what differs from the defaults, and the beginning of its hash. */
export function policyText(scope: Pick<Scope, "policy">): string {
  const policy = policyOf(scope);
  const own = limitLines(policy).filter(({ name, value, standard }) => name !== "version" && value !== standard);
  const differs = own.map(({ name, value, standard }) => `${name} ${value} instead of ${standard}`).join(", ");
  return `${policy.version}, ${differs === "" ? "every limit as by default" : differs}; hash ${policyHash(policy).slice(0, SHORT)}`;
}
