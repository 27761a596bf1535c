import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import leven from "leven";
import { parse, TomlError } from "smol-toml";
import { limitLines, POLICY, PolicyDifferences, PolicyError, policyFrom } from "#trading/plans/policy";

/** A policy file cannot be read, or says what it may not. The message says which limit, and what to write. */
export class PolicyFileError extends Error {
  override name = "PolicyFileError";
}

/** Where a desk's own limits are, for who runs a command at the top of the repository. */
export const POLICY_FILE = "policy.toml";

/** The policy of generated input.   Source: docs/decisions/0007-practice-policy.md */
export const PRACTICE_FILE = fileURLToPath(new URL("../recording/sample/practice.toml", import.meta.url));

const LIMITS = limitLines(POLICY).map(({ name }) => name);

/** Returns the limit whose name is nearest to `name`; null when none is near. */
function nearest(name: string): string | null {
  const [best] = LIMITS.map((limit) => ({ limit, far: leven(name.toLowerCase(), limit.toLowerCase()) })).sort(
    (a, b) => a.far - b.far,
  );
  return best && best.far <= Math.max(3, name.length / 2) ? best.limit : null;
}

const hint = (name: string): string => {
  const meant = nearest(name);
  return `there is no limit ${name}${meant === null ? "" : `; did you mean ${meant}?`}`;
};

/**
 * Returns what a policy file says, checked: the limits that differ from the defaults, as they are written. `from` is what an
 * error calls it.   Source: TOML 1.0
 * @throws PolicyFileError naming the line, the limit with the nearest name, the value out of its range, or both of two that
 * contradict each other
 */
export function parsePolicy(text: string, from: string): PolicyDifferences {
  let read: unknown;
  try {
    read = parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    throw new PolicyFileError(`${from}, line ${error.line}: ${error.message.split("\n")[0]}`);
  }
  const flat = PolicyDifferences.safeParse(read);
  if (!flat.success) {
    const names = [...new Set(flat.error.issues.map(({ path }) => String(path[0])))];
    throw new PolicyFileError(`${from}: ${names.join(", ")}: a limit is a number or a text`);
  }
  try {
    policyFrom(flat.data);
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    const others = error.problems.filter((problem) => !problem.startsWith("there is no limit "));
    throw new PolicyFileError(`${from}: ${[...error.unknown.map(hint), ...others].join("; ")}`);
  }
  return flat.data;
}

/** Returns what the policy file at `path` says. @throws PolicyFileError as `parsePolicy`, or when it cannot be read */
export function readPolicy(path: string): PolicyDifferences {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new PolicyFileError(`${path} cannot be read (${reason}): name a policy file that is there`);
  }
  return parsePolicy(text, path);
}
