import { writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { resolve } from "node:path";
import * as z from "zod";
import { type Arguments, type Command, InterruptedError, type NamedFile, runCommand, UsageError } from "#host/cli";
import { gitSha } from "#host/git";
import { CostMeasures, usageOf } from "#operations/cost/measures";
import { costLines, costTable, type Deployment } from "#operations/cost/model";
import { PRICES_AS_OF, PRICES_SOURCE, pricesOf } from "#operations/cost/prices";
import { recordingAt } from "#recording/at";
import { runRecording } from "#replay/run-recording";
import { useSink } from "#runtime/log";
import { QUEUES } from "#topology/topology";
import { alarmsOf } from "../stacks/alarm-list.ts";
import { theTopology } from "../stacks/jobs.ts";
import { readTarget } from "../stacks/read-target.ts";
import { parseTarget, type Target } from "../stacks/target.ts";

const MEASURES = "docs/cost-measures.json";

const command: Command = {
  usage: "npm run cost --",
  summary: "Prints what the desk costs a month in AWS at mainnet rate: measured work times list prices.",
  options: {
    measures: { value: "FILE", says: "what an earlier replay measured", default: MEASURES },
    recording: { value: "DIR", says: "replay this first and measure it: a recording, or recorded mainnet blocks" },
    save: { value: "FILE", says: "keep what was measured" },
    stage: { value: "STAGE", says: "as this stage's target file says: dev, demo or live" },
    target: { value: "FILE", says: "another target file than stacks/targets/STAGE.json" },
    region: { value: "REGION", says: "without --stage: whose prices; us-east-1 unless said" },
    database: { value: "WHICH", says: "without --stage: aurora or external; aurora unless said" },
    live: { says: "without --stage: as live is deployed, two zones and a standby" },
    idle: { says: "of a desk that reads blocks, while no wallet acts and nobody looks" },
    json: { says: "print it as JSON" },
  },
  notes: [
    "Prices are a dated list (packages/operations/cost/prices.ts), not asked of AWS. docs/cost.md names every assumption.",
  ],
};

/** Replays a recording, all in memory, and returns what it measured. */
async function measured(folder: string, signal: AbortSignal): Promise<CostMeasures> {
  const recording = await recordingAt(folder, ".spyhop");
  const first = recording.headers[0]?.timestamp;
  if (first === undefined) throw new UsageError(`${folder} holds no block`);
  useSink(() => undefined); // the table is all that is printed
  const run = await runRecording({ recording, directory: null, gitSha: gitSha(), progress: () => undefined, signal });
  try {
    return {
      recording: recording.manifest.name,
      machine: `${cpus().length} × ${cpus()[0]?.model ?? "unknown"}`,
      measuredOn: new Date().toISOString().slice(0, 10),
      blocks: recording.headers.length,
      days: (Date.parse(run.end) - first * 1000) / 86_400_000,
      jobs: run.desk.measured.summary().map(({ job, runs, totalMs }) => ({ job, runs, totalMs: Math.round(totalMs) })),
      messages: Object.fromEntries(QUEUES.map((name) => [name, run.desk.received(name)])),
    };
  } finally {
    await run.close();
    useSink(null);
  }
}

/** @throws UsageError for a file that `--save` did not write. */
function kept(file: NamedFile): CostMeasures {
  const wrong = `--measures: ${file.path} holds no measures. Give a file that \`npm run cost -- --recording DIR --save FILE\` wrote`;
  try {
    return CostMeasures.parse(JSON.parse(file.text));
  } catch (error) {
    if (error instanceof SyntaxError) throw new UsageError(wrong);
    if (error instanceof z.ZodError)
      throw new UsageError(`${wrong} (${error.issues[0]?.path.join(".")}: ${error.issues[0]?.message})`);
    throw error;
  }
}

/** Returns the target that is to be priced: a stage's own, or one of a region and a database. @throws UsageError, TargetError */
function targetOf(given: Arguments): Target {
  const stage = given.text("stage");
  const [region, database = "aurora"] = [given.text("region"), given.text("database")];
  const bare =
    ["region", "database"].find((name) => given.text(name) !== undefined) ?? (given.flag("live") ? "live" : undefined);
  if (stage !== undefined && bare !== undefined) throw new UsageError(`give --stage or --${bare}, not both`);
  if (stage !== undefined) return readTarget(stage, given.text("target") ?? null);
  if (given.text("target") !== undefined) throw new UsageError("--target wants the --stage that it is of");
  if (database !== "aurora" && database !== "external") throw new UsageError("--database takes aurora or external");
  const fields = { stage: given.flag("live") ? "live" : "demo", database, region: region ?? "us-east-1" };
  return parseTarget(JSON.stringify({ ...fields, alarmEmail: "desk@example.com" }), fields.stage, "the command line");
}

/** Returns what of a target costs. Its alarms are counted as the stacks make them. */
function deploymentOf(target: Target, idle: boolean): Deployment {
  const { stage, database, firewall, staticEgress } = target;
  const alarms = alarmsOf({ target, topology: theTopology() }).length;
  return { database, live: stage === "live", firewall, staticEgress, alarms, idle };
}

async function main(given: Arguments, signal: AbortSignal): Promise<void> {
  const target = targetOf(given);
  const idle = given.flag("idle");
  const prices = pricesOf(target.region);
  const recording = given.text("recording");
  if (recording !== undefined && given.need("measures") !== MEASURES)
    throw new UsageError("give --recording or --measures, not both");
  const measures =
    recording === undefined ? kept(await given.file("measures")) : await measured(resolve(recording), signal);
  if (signal.aborted) throw new InterruptedError();
  const save = given.text("save");
  if (save !== undefined) await writeFile(save, `${JSON.stringify(measures, null, 2)}\n`);
  const lines = costLines(usageOf(measures, idle), prices, deploymentOf(target, idle));
  if (given.flag("json")) {
    const asOf = { asOf: PRICES_AS_OF, source: PRICES_SOURCE };
    process.stdout.write(`${JSON.stringify({ prices: { ...asOf, ...prices }, measures, lines }, null, 2)}\n`);
    return;
  }
  process.stdout.write(
    `Work measured on ${measures.measuredOn} by a replay of ${measures.recording} (${measures.blocks} blocks), on ${measures.machine}.\n` +
      `List prices of ${PRICES_AS_OF} as remembered, ${target.region}, database ${target.database}. Check them before you rely on them.\n\n` +
      `${costTable(lines)}\n`,
  );
}

await runCommand(command, main);
