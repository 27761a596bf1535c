import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { type Arguments, type Command, runCommand, UsageError } from "#host/cli";
import { gitSha } from "#host/git";
import type { Target } from "../stacks/target.ts";
import { bootstrapCall, type HostFiles, hostCall, writeTarget } from "./cloud/host.ts";
import {
  checkConcurrency,
  checkedHost,
  checkedTarget,
  checkSecrets,
  originVersion,
  withPolicy,
} from "./cloud/preflight.ts";
import { RecoveryError, recover, recoveryText, stuckStacks } from "./cloud/recover.ts";
import { runAttended } from "./cloud/run.ts";

const command: Command = {
  usage: "npm run deploy --",
  summary: "Deploys the desk into your AWS account: checks first, bundles, migrates, then the rest.",
  options: {
    stage: { value: "STAGE", says: "dev, demo or live", required: true },
    confirm: { value: "live", says: "needed for live" },
    with: { value: "HOST", says: "who deploys: cdk or sst", default: "cdk" },
    target: { value: "FILE", says: "another target file than stacks/targets/STAGE.json" },
    bootstrap: { says: "first prepare the account's regions for the CDK; once for each" },
    recover: { says: "first bring back the stacks whose rollback failed, after saying what it would do" },
    yes: { says: "ask nothing" },
  },
  notes: [
    "README.md, Deploy, says what must be there before, and what each step costs.",
    'To go back to an earlier release, deploy it: docs/runbook.md, "Rollback".',
  ],
};

/** Brings every stuck stack of the stage back to its last release. @throws RecoveryError when the person says no. */
async function recovered(target: Target, isAgreed: boolean): Promise<void> {
  const stuck = await stuckStacks(target);
  if (stuck.length === 0) process.stdout.write(`no stack of ${target.stage} is stuck\n`);
  else process.stdout.write(`${stuck.map(recoveryText).join("\n")}\n`);
  if (stuck.length > 0 && !isAgreed) await agree();
  for (const stack of stuck) {
    await recover(stack);
    process.stdout.write(`${stack.name} is back at its last whole release\n`);
  }
}

async function agree(): Promise<void> {
  if (!process.stdin.isTTY) throw new UsageError("nothing was changed: nobody is here to agree; --yes does");
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question("Do it, then deploy this release? (yes/no) ");
  terminal.close();
  if (answer !== "yes") throw new RecoveryError("nothing was changed");
}

async function main(given: Arguments): Promise<void> {
  const asked = { command: "deploy", stage: given.text("stage"), file: given.text("target") };
  const target = checkedTarget({ ...asked, confirm: given.text("confirm") });
  const host = checkedHost(given.need("with"));
  await checkSecrets(target);
  await checkConcurrency(target);
  if (given.flag("recover")) await recovered(target, given.flag("yes"));
  const found = { gitSha: gitSha(), originVersion: await originVersion(target) };
  await runAttended(process.execPath, ["--disable-warning=ExperimentalWarning", "scripts/bundle.ts"]);
  const directory = join(".spyhop", "deploy", target.stage);
  const files: HostFiles = await writeTarget(directory, { ...withPolicy(target), ...found });
  if (given.flag("bootstrap")) {
    const { args, env } = bootstrapCall(target.stage, files);
    await runAttended(process.execPath, args, { env });
  }
  const unattended = host === "cdk" && given.flag("yes") ? ["--require-approval", "never"] : [];
  const { args, env } = hostCall(host, "deploy", target.stage, files, unattended);
  await runAttended(process.execPath, args, { env });
}

await runCommand(command, main);
