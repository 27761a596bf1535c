import { existsSync } from "node:fs";
import { join } from "node:path";
import { gitSha } from "#host/git";
import { PolicyFileError } from "#host/policy-file";
import { ConfigError, readEnv, setEnv } from "#runtime/config";
import { regionsOf } from "../../stacks/site.ts";
import { type Target, TargetError } from "../../stacks/target.ts";
import { PREPARED, writeTarget } from "./host.ts";
import {
  checkConcurrency,
  checkedTarget,
  checkSecrets,
  originVersion,
  PreflightError,
  UnconfirmedError,
  withPolicy,
} from "./preflight.ts";
import { ProgramError, runAttended } from "./run.ts";

/** What SST does to a stage. */
type Verb = "deploy" | "diff" | "remove";

const isVerb = (word: string | undefined): word is Verb => word === "deploy" || word === "diff" || word === "remove";

/** Returns whether an error's message says all that a person needs. */
export const isForPeople = (error: unknown): error is Error =>
  [TargetError, UnconfirmedError, PreflightError, PolicyFileError, ConfigError, ProgramError].some(
    (kind) => error instanceof kind,
  );

/**
 * Does before `npx sst deploy`, `diff` or `remove` what `npm run deploy -- --with sst` and the others do first, and leaves
 * the target in SPYHOP_TARGET as they do. Of other commands, and where such a command calls, it does nothing.
 * @throws TargetError, UnconfirmedError or PreflightError, before anything is changed.
 */
export async function prepareByHand(command: string | undefined, stage: string | undefined): Promise<void> {
  if (!isVerb(command) || readEnv(PREPARED) !== null) return;
  const file = readEnv("SPYHOP_TARGET") ?? undefined;
  const target = checkedTarget({ command, stage, file, confirm: command === "diff" ? stage : undefined });
  if (command === "deploy") {
    await checkSecrets(target);
    await checkConcurrency(target);
  }
  if (command !== "remove" || !existsSync("dist/functions"))
    await runAttended(process.execPath, ["--disable-warning=ExperimentalWarning", "scripts/bundle.ts"]);
  const found = { gitSha: gitSha(), originVersion: await originVersion(target) };
  const files = await writeTarget(join(".spyhop", "deploy", target.stage), { ...withPolicy(target), ...found });
  setEnv({ SPYHOP_TARGET: files.target, [PREPARED]: "true" });
}

/**
 * Runs this very command in the other regions of a target that come first, and returns the region that is left to it: SST
 * knows one region only. A firewall stands before what it is in front of, and goes after it.
 * @throws ProgramError when one of them fails; nothing is done in the others then.
 */
export async function throughRegions(command: string | undefined, target: Target): Promise<string> {
  if (!isVerb(command)) return target.region;
  const regions = command === "remove" ? regionsOf(target).toReversed() : regionsOf(target);
  for (const region of regions.slice(0, -1))
    await runAttended(process.execPath, [...process.execArgv, ...process.argv.slice(1), "--region", region]);
  return regions.at(-1) ?? target.region;
}
