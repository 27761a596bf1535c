import { join } from "node:path";
import { type Arguments, type Command, runCommand } from "#host/cli";
import { gitSha } from "#host/git";
import { hostCall, writeTarget } from "./cloud/host.ts";
import { checkedTarget, originVersion, withPolicy } from "./cloud/preflight.ts";
import { runAttended } from "./cloud/run.ts";

const command: Command = {
  usage: "npm run diff --",
  summary: "Shows what a deploy would change in your AWS account. It changes nothing.",
  options: {
    stage: { value: "STAGE", says: "dev, demo or live", required: true },
    target: { value: "FILE", says: "another target file than stacks/targets/STAGE.json" },
  },
};

async function main(given: Arguments): Promise<void> {
  const stage = given.text("stage");
  const target = checkedTarget({ command: "diff", stage, file: given.text("target"), confirm: stage });
  const found = { gitSha: gitSha(), originVersion: await originVersion(target) };
  await runAttended(process.execPath, ["--disable-warning=ExperimentalWarning", "scripts/bundle.ts"]);
  const files = await writeTarget(join(".spyhop", "deploy", target.stage), { ...withPolicy(target), ...found });
  const { args, env } = hostCall("cdk", "diff", target.stage, files);
  await runAttended(process.execPath, args, { env });
}

await runCommand(command, main);
