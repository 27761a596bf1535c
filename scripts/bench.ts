import { type Arguments, type Command, InterruptedError, runCommand, UsageError } from "#host/cli";
import { gitSha } from "#host/git";
import { sharedFolder } from "#testing/chain/blocks";
import { chainFigures } from "./bench/chain.ts";
import { inputOf } from "./bench/input.ts";
import { type MeasuredRun, type RunKind, runApart } from "./bench/measured-run.ts";
import { chainLines, jobLines, runLines, sizeLines } from "./bench/print.ts";
import { sizedBundles } from "./bench/sizes.ts";

const STEPS = ["ingest", "replay", "sizes", "chain"] as const;
type Step = (typeof STEPS)[number];

const command: Command = {
  usage: "npm run bench --",
  summary:
    "Measures the desk: blocks/s, memory, time per job, bundle sizes. Each run has a process of its own; medians are shown.",
  options: {
    recording: {
      value: "DIR",
      says: "what is replayed; the recorded mainnet blocks when they are here, else the sample",
    },
    runs: { value: "N", says: "of each measurement", default: "3" },
    only: { value: "STEP", says: `of ${STEPS.join(", ")}`, many: true, default: STEPS.join(",") },
    latency: { value: "MS", says: "of the node that blocks are ingested from", default: "0" },
    data: { value: "DIR", says: "where a recording is made from recorded blocks", default: ".spyhop" },
    json: { says: "print every run's figures as JSON" },
  },
  notes: [
    "`npm run bench -- cold` measures cold starts, `npm run bench -- trading` the order path. docs/benchmarks.md says what the figures mean.",
  ],
};

interface Figures {
  readonly gitSha: string;
  readonly node: string;
  readonly recording: { readonly name: string; readonly blocks: number } | null;
  readonly runs: Partial<Record<RunKind, readonly MeasuredRun[]>>;
  readonly chain: ReturnType<typeof chainFigures> | null;
  readonly bundles: Awaited<ReturnType<typeof sizedBundles>> | null;
}

function stepsOf(given: Arguments): ReadonlySet<Step> {
  const steps = given.texts("only");
  const wrong = steps.filter((step) => !(STEPS as readonly string[]).includes(step));
  if (wrong.length > 0) throw new UsageError(`--only takes ${STEPS.join(", ")}, not ${wrong.join(", ")}`);
  return new Set(steps as Step[]);
}

async function measure(given: Arguments, signal: AbortSignal, say: (line: string) => void): Promise<Figures> {
  const steps = stepsOf(given);
  const count = given.count("runs") ?? 0;
  if (count === 0) throw new UsageError("--runs takes a number above 0");
  const kinds = (["ingest", "replay"] as const).filter((kind) => steps.has(kind));
  const input = kinds.length > 0 ? await inputOf(given.text("recording"), given.need("data")) : null;
  if (input) say(input.note);
  const runs: Partial<Record<RunKind, MeasuredRun[]>> = {};
  // In turns, so that a busy minute of the machine does not fall on one kind alone.
  for (let turn = 1; turn <= count && input; turn++)
    for (const kind of kinds) {
      say(`${kind}, run ${turn} of ${count} ...`);
      runs[kind] = [
        ...(runs[kind] ?? []),
        await runApart(kind, input.recording.dir, given.count("latency") ?? 0, signal),
      ];
    }
  const shared = steps.has("chain") ? sharedFolder() : null;
  if (steps.has("chain") && !shared) say("no recorded mainnet blocks here, so the chain step is left out");
  const name = input?.recording.manifest.name;
  return {
    gitSha: gitSha(),
    node: process.version,
    recording: input && name !== undefined ? { name, blocks: input.recording.headers.length } : null,
    runs,
    chain: shared ? chainFigures(shared) : null,
    bundles: steps.has("sizes") ? await sizedBundles() : null,
  };
}

const TITLES = { ingest: "ingest alone", replay: "end to end, with a day of outcomes after the last block" } as const;

async function main(given: Arguments, signal: AbortSignal): Promise<void> {
  const say = (line: string): void => void process.stderr.write(`bench: ${line}\n`);
  let figures: Figures;
  try {
    figures = await measure(given, signal, say);
  } catch (error) {
    if (signal.aborted) throw new InterruptedError("the figures of finished runs are lost");
    throw error;
  }
  if (given.flag("json")) return void process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
  const lines = [
    ...(["ingest", "replay"] as const).flatMap((kind) => runLines(TITLES[kind], figures.runs[kind] ?? [])),
    ...(figures.runs.replay ? jobLines(figures.runs.replay) : []),
    ...(figures.chain ? chainLines(figures.chain) : []),
    ...(figures.bundles ? sizeLines(figures.bundles) : []),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}

const [, , named] = process.argv;
if (named === "cold" || named === "trading") process.argv.splice(2, 1);
if (named === "cold") await import("./bench/cold-command.ts");
else if (named === "trading") await import("./bench/trading-command.ts");
else await runCommand(command, main);
