import { limitLines, policyHash, policyOf } from "#trading/plans/policy";
import type { Scope } from "./report.ts";

const SHORT = 12; // as git shortens its hashes

/** Returns by which limits a desk trades: the policy's name, what differs from the defaults, and the beginning of its hash. */
export function policyText(scope: Pick<Scope, "policy">): string {
  const policy = policyOf(scope);
  const own = limitLines(policy).filter(({ name, value, standard }) => name !== "version" && value !== standard);
  const differs = own.map(({ name, value, standard }) => `${name} ${value} (default ${standard})`).join(", ");
  return `Policy ${policy.version}, ${differs === "" ? "every limit as by default" : differs}; hash ${policyHash(policy).slice(0, SHORT)}`;
}
