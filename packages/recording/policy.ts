import { POLICY_FILE, PRACTICE_FILE, readPolicy } from "#host/policy-file";
import type { PolicyDifferences } from "#trading/plans/policy";
import type { Manifest } from "./schema.ts";

/**
 * Returns the limits that differ from the defaults where nobody names a policy file: the practice policy for generated
 * input, else the file at the top of the repository. @throws PolicyFileError
 */
export const policyOn = ({ kind }: Pick<Manifest, "kind">): PolicyDifferences =>
  readPolicy(kind === "generated" ? PRACTICE_FILE : POLICY_FILE);
