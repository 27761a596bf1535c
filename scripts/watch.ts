import { join } from "node:path";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { type Arguments, type Command, runCommand } from "#host/cli";
import { wallClock } from "#host/clock";
import { parseLabels, parseWatchlist } from "#recording/tables";
import type { WatchList } from "#topology/messages";
import { deployedName, type Stage } from "#topology/names";
import { instant } from "#units/time";
import { checkedTarget } from "./cloud/preflight.ts";

const STARTER = "packages/local/live/starter";
// An invocation takes 6 MB; a label is some 150 bytes. Source: Lambda quotas.
const PAGE = 10_000;

const command: Command = {
  usage: "npm run watch --",
  summary: "Tells a deployed desk whom to watch from now on, and who is who. What it watches already stays.",
  options: {
    stage: { value: "STAGE", says: "dev, demo or live", required: true },
    watchlist: { value: "FILE", says: "address,label,tags", default: join(STARTER, "watchlist.csv") },
    labels: { value: "FILE", says: "address,kind,name,source,date", default: join(STARTER, "labels.csv") },
    target: { value: "FILE", says: "another target file than stacks/targets/STAGE.json" },
  },
};

/** The deployed desk did not take the list. */
class NotTakenError extends Error {
  override name = "NotTakenError";
}

async function invoke(client: LambdaClient, stage: Stage, list: WatchList): Promise<void> {
  const FunctionName = deployedName(stage, "watch-wallets");
  try {
    const reply = await client.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(list) }));
    if (reply.FunctionError)
      throw new NotTakenError(`${FunctionName} failed: ${new TextDecoder().decode(reply.Payload)}`);
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "ResourceNotFoundException") throw error;
    throw new NotTakenError(`${FunctionName} does not exist: npm run deploy -- --stage ${stage} first`);
  }
}

async function main(given: Arguments): Promise<void> {
  const stage = given.text("stage");
  const target = checkedTarget({ command: "watch", stage, file: given.text("target"), confirm: stage });
  const [watchFile, labelFile] = [await given.file("watchlist"), await given.file("labels")];
  const wallets = parseWatchlist(watchFile.path, watchFile.text);
  const labels = parseLabels(labelFile.path, labelFile.text);
  const client = new LambdaClient({ region: target.region });
  const base = { chain: "ethereum", at: instant(wallClock.now()) };
  for (let from = 0; from < labels.length; from += PAGE)
    await invoke(client, target.stage, { ...base, wallets: [], labels: labels.slice(from, from + PAGE) });
  for (let from = 0; from < wallets.length; from += PAGE)
    await invoke(client, target.stage, {
      ...base,
      wallets: wallets.slice(from, from + PAGE).map((wallet) => ({ ...wallet, tags: [...wallet.tags] })),
      labels: [],
    });
  client.destroy();
  process.stdout.write(`${target.stage} took ${wallets.length} addresses to watch and ${labels.length} labels\n`);
}

await runCommand(command, main);
