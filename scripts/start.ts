import { rename, writeFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { type Arguments, type Command, InterruptedError, runCommand, UsageError } from "#host/cli";
import { makeFolder } from "#host/disk";
import { gitSha } from "#host/git";
import { listen } from "#host/http";
import { readPolicy } from "#host/policy-file";
import { openProgress } from "#host/progress";
import { wrapped } from "#host/text-columns";
import { startApi } from "#local/api-server";
import { recordingAt } from "#recording/at";
import { policyOn } from "#recording/policy";
import type { Recording } from "#recording/recording";
import { foundLines, foundOf, foundSection, truthOf } from "#recording/sample/planted";
import { parseWatchlist } from "#recording/tables";
import { type Run, runRecording } from "#replay/run-recording";
import { lookOf, summaryText } from "#replay/summary";
import { markdown } from "#reporting/markdown";
import { readEnv } from "#runtime/config";
import { topology } from "#topology/topology";
import type { PolicyDifferences } from "#trading/plans/policy";

const command: Command = {
  usage: "npm start --",
  summary: "Replays a recording through the whole desk on this machine and reports what it saw, thought and traded.",
  options: {
    recording: {
      value: "DIR",
      says: "a recording, or the folder of recorded mainnet blocks",
      default: "recordings/sample",
    },
    watchlist: { value: "FILE", says: "whom to watch (address,label,tags) instead of the recording's own list" },
    policy: {
      value: "FILE",
      says: "limits that differ; default policy.toml, or the practice policy on generated input",
    },
    orders: { value: "N|all", says: "how many of the newest orders are told; default 8 here, 12 in the report" },
    once: { says: "exit after the report; otherwise the HTTP API stays up" },
    port: { value: "N", says: "of the HTTP API, on 127.0.0.1", default: "8787" },
    data: { value: "DIR", says: "where the database and the reports are kept", default: ".spyhop" },
    replace: { says: "empty the database of DATABASE_URL first, when it holds an earlier replay" },
  },
  notes: [
    "The sample is generated, not a real market. docs/recordings.md says how to record a real one.",
    "DATABASE_URL names a PostgreSQL server to use instead of the embedded database; it must be empty, or hold a",
    "replay that --replace may empty.",
    "AWS_ENDPOINT_URL names an emulator of AWS whose queues and bus are used instead of this process's (docs/compose.md).",
  ],
};

async function replayed(recording: Recording, given: Arguments, directory: string, signal: AbortSignal): Promise<Run> {
  const bar = openProgress(process.stderr, () => performance.now());
  try {
    return await runRecording({
      recording,
      directory,
      databaseUrl: readEnv("DATABASE_URL") ?? undefined,
      replaces: given.flag("replace"),
      policy: policyOf(recording, given),
      awsEndpoint: readEnv("AWS_ENDPOINT_URL") ?? undefined,
      gitSha: gitSha(),
      signal,
      progress: ({ phase, ...step }, events) =>
        bar.update({ ...step, phase: phase === "blocks" ? "blocks" : "outcomes", events, lagSeconds: null }),
    });
  } catch (error) {
    if (signal.aborted) throw new InterruptedError("the run is not finished; the next one starts clean");
    throw error;
  } finally {
    bar.done();
  }
}

/** @throws PolicyFileError, before anything is opened */
function policyOf({ manifest }: Recording, given: Arguments): PolicyDifferences {
  const file = given.text("policy");
  return file === undefined ? policyOn(manifest) : readPolicy(file);
}

/** Returns the recording with one's own wallets watched, where they were named. */
async function watched(recording: Recording, given: Arguments): Promise<Recording> {
  if (given.text("watchlist") === undefined) return recording;
  const { path, text } = await given.file("watchlist");
  const watchlist = parseWatchlist(path, text);
  if (watchlist.length === 0) throw new UsageError(`--watchlist: ${path} lists no wallet`);
  return { ...recording, watchlist };
}

/** Returns how many orders are told; undefined = as many as usual. @throws UsageError for anything but a number or all */
function ordersOf(given: Arguments): number | undefined {
  const text = given.text("orders");
  if (text === undefined || text === "all") return text === undefined ? undefined : Number.POSITIVE_INFINITY;
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`--orders takes a whole number or all, not "${text}"`);
  return Number(text);
}

async function writeReport(directory: string, text: string): Promise<string> {
  const path = join(directory, "report.md");
  await writeFile(`${path}.part`, text);
  await rename(`${path}.part`, path); // whole or not at all
  return relative(process.cwd(), path);
}

async function serve(run: Run, port: number, signal: AbortSignal): Promise<void> {
  const api = await startApi(run.desk.handlers, port);
  const paths = Object.keys(topology.routes).map((name) => name.split(" ")[1]);
  const text = `The HTTP API is at ${api.url} (${paths.join(" ")}). Ctrl-C ends it.`;
  process.stdout.write(`${wrapped(text, lookOf(process.stdout).columns - 1).join("\n")}\n`); // no address is broken
  await new Promise<void>((done) => signal.addEventListener("abort", () => done(), { once: true }));
  await api.close();
}

/** Messages that were given up. The run's numbers lack what they carried. */
class DeadLettersError extends Error {
  override name = "DeadLettersError";
  constructor(count: number, log: string) {
    super(`${count} messages failed five times and were set aside; ${log} says why`);
  }
}

async function main(given: Arguments, signal: AbortSignal): Promise<void> {
  const port = given.count("port") ?? 0;
  const orders = ordersOf(given);
  if (port > 65_535) throw new UsageError("--port takes a number up to 65535");
  if (!given.flag("once")) await (await listen(() => undefined, port)).close(); // a taken port shows before the run
  const data = resolve(given.need("data"));
  makeFolder(data);
  const dir = given.need("recording");
  const found = await recordingAt(dir, data, (made) => {
    process.stderr.write(`making a recording of ${dir} in ${relative(process.cwd(), made)} ...\n`);
  });
  const recording = await watched(found, given);
  const { manifest } = recording;
  process.stderr.write(
    `replaying ${manifest.name} (${manifest.kind}): ${recording.headers.length} blocks, ${recording.watchlist.length} watched wallets\n`,
  );
  const directory = join(data, manifest.name);
  const began = performance.now();
  const run = await replayed(recording, given, directory, signal);
  try {
    const { report, wallets, settled } = run.reported;
    const truth = truthOf(recording);
    const planted = truth === null ? [] : foundOf(truth, settled);
    const reportPath = await writeReport(directory, markdown(report, orders) + foundSection(planted));
    const seconds = (performance.now() - began) / 1000;
    const deadLetters = run.desk.deadLetters().length;
    const summary = {
      report,
      wallets,
      planted: foundLines(planted),
      deadLetters,
      digest: run.digest.digest,
      reportPath,
      seconds,
    };
    process.stdout.write(
      summaryText(summary, { ...lookOf(process.stdout), ...(orders === undefined ? {} : { orders }) }),
    );
    if (!given.flag("once")) await serve(run, port, signal);
    if (deadLetters > 0) throw new DeadLettersError(deadLetters, join(directory, "log.ndjson"));
  } finally {
    await run.close();
  }
}

await runCommand(command, main);
