import { join } from "node:path";
import { type Arguments, type Command, runCommand } from "#host/cli";
import { gitSha } from "#host/git";
import { bootstrapCall, type HostFiles, hostCall, writeTarget } from "./cloud/host.ts";
import { checkConcurrency, checkedHost, checkedTarget, checkSecrets, originVersion } from "./cloud/preflight.ts";
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
    yes: { says: "ask nothing" },
  },
  notes: ["README.md, Deploy, says what must be there before, and what each step costs."],
};

async function main(given: Arguments): Promise<void> {
  const asked = { command: "deploy", stage: given.text("stage"), file: given.text("target") };
  const target = checkedTarget({ ...asked, confirm: given.text("confirm") });
  const host = checkedHost(given.need("with"));
  await checkSecrets(target);
  await checkConcurrency(target);
  const found = { gitSha: gitSha(), originVersion: await originVersion(target) };
  await runAttended(process.execPath, ["--disable-warning=ExperimentalWarning", "scripts/bundle.ts"]);
  const directory = join(".spyhop", "deploy", target.stage);
  const files: HostFiles = await writeTarget(directory, { ...target, ...found });
  if (given.flag("bootstrap")) {
    const { args, env } = bootstrapCall(target.stage, files);
    await runAttended(process.execPath, args, { env });
  }
  const unattended = host === "cdk" && given.flag("yes") ? ["--require-approval", "never"] : [];
  const { args, env } = hostCall(host, "deploy", target.stage, files, unattended);
  await runAttended(process.execPath, args, { env });
}

await runCommand(command, main);
