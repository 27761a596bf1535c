import { writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { resolve } from "node:path";
import * as z from "zod";
import { type Arguments, type Command, InterruptedError, type NamedFile, runCommand, UsageError } from "#host/cli";
import { gitSha } from "#host/git";
import { CostMeasures, usageOf } from "#operations/cost/measures";
import { costLines, costTable } from "#operations/cost/model";
import { PRICES } from "#operations/cost/prices";
import { recordingAt } from "#recording/at";
import { runRecording } from "#replay/run-recording";
import { useSink } from "#runtime/log";
import { QUEUES } from "#topology/topology";

const MEASURES = "docs/cost-measures.json";

const command: Command = {
  usage: "npm run cost --",
  summary: "Prints what the desk costs a month in AWS at mainnet rate: measured work times list prices.",
  options: {
    measures: { value: "FILE", says: "what an earlier replay measured", default: MEASURES },
    recording: { value: "DIR", says: "replay this first and measure it: a recording, or recorded mainnet blocks" },
    save: { value: "FILE", says: "keep what was measured" },
    database: { value: "WHICH", says: "aurora or external", default: "aurora" },
    live: { says: "as the stage live is deployed: two zones, a standby" },
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

async function main(given: Arguments, signal: AbortSignal): Promise<void> {
  const database = given.need("database");
  if (database !== "aurora" && database !== "external") throw new UsageError("--database takes aurora or external");
  const recording = given.text("recording");
  if (recording !== undefined && given.need("measures") !== MEASURES)
    throw new UsageError("give --recording or --measures, not both");
  const measures =
    recording === undefined ? kept(await given.file("measures")) : await measured(resolve(recording), signal);
  if (signal.aborted) throw new InterruptedError();
  const save = given.text("save");
  if (save !== undefined) await writeFile(save, `${JSON.stringify(measures, null, 2)}\n`);
  const lines = costLines(usageOf(measures), PRICES, { database, live: given.flag("live") });
  if (given.flag("json")) process.stdout.write(`${JSON.stringify({ prices: PRICES, measures, lines }, null, 2)}\n`);
  else
    process.stdout.write(
      `Work measured on ${measures.measuredOn} by a replay of ${measures.recording} (${measures.blocks} blocks), on ${measures.machine}.\n` +
        `List prices of ${PRICES.asOf} as remembered, ${PRICES.region}, database ${database}. Check them before you rely on them.\n\n` +
        `${costTable(lines)}\n`,
    );
}

await runCommand(command, main);
