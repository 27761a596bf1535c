import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Arguments, type Command, runCommand } from "#host/cli";
import { hostCall, writeTarget } from "./cloud/host.ts";
import { checkedHost, checkedTarget, originVersion } from "./cloud/preflight.ts";
import { run, runAttended } from "./cloud/run.ts";

const command: Command = {
  usage: "npm run remove --",
  summary: "Removes a stage from your AWS account. Of dev and demo everything goes, the database of Aurora too.",
  options: {
    stage: { value: "STAGE", says: "dev, demo or live", required: true },
    confirm: { value: "live", says: "needed for live" },
    with: { value: "HOST", says: "who deployed: cdk or sst", default: "cdk" },
    target: { value: "FILE", says: "another target file than stacks/targets/STAGE.json" },
    yes: { says: "ask nothing" },
  },
  notes: [
    "The stacks of live are protected: AWS refuses until a person lifts the protection of each (docs/runbook.md).",
    "Its database, queues, logs and secrets stay even then.",
  ],
};

async function main(given: Arguments): Promise<void> {
  const asked = { command: "remove", stage: given.text("stage"), file: given.text("target") };
  const target = checkedTarget({ ...asked, confirm: given.text("confirm") });
  const host = checkedHost(given.need("with"));
  const found = { originVersion: await originVersion(target) };
  // The templates are made before they are removed, and want the bundles that were deployed, or any.
  if (!existsSync("dist/functions")) await run(process.execPath, ["scripts/bundle.ts"]);
  const files = await writeTarget(join(".spyhop", "deploy", target.stage), { ...target, ...found });
  const more = host === "cdk" && given.flag("yes") ? ["--force"] : [];
  const { args, env } = hostCall(host, "remove", target.stage, files, more);
  await runAttended(process.execPath, args, { env });
}

await runCommand(command, main);
