import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Arguments, type Command, runCommand, UsageError } from "#host/cli";
import { openProgress } from "#host/progress";
import { chosenRecording } from "#recording/chosen-recording";
import type { Recording } from "#recording/recording";
import { type DrillResult, runDrill } from "#replay/drill/drill";
import { POISON } from "#replay/drill/poison";
import { restartableFolder, restartableServer } from "#replay/drill/restartable";
import { metFaults, problemsOf } from "#replay/drill/verdict";

const command: Command = {
  usage: "npm run drill --",
  summary:
    "Replays a recording undisturbed; under faults: messages come again, functions die in the middle, SQS and the bus refuse, the database restarts; and in a process that is killed. The result must be the same.",
  options: {
    seed: { value: "TEXT", says: "what every fault is drawn from", default: "1" },
    sample: { says: "replay the whole sample, not a short generated recording" },
    recording: { value: "DIR", says: "replay this recording" },
    slots: { value: "N", says: "12 s slots of the short recording", default: "90" },
    settle: { value: "MINUTES", says: "how long the clock goes on after the last block", default: "10" },
    submissions: {
      says: "end functions only while they submit an order, and kill no process; then the books must agree, not be the same",
    },
    database: { value: "URL", says: "an empty database on a server for the disturbed replay; needs --restart" },
    restart: { value: "COMMAND", says: "restarts that server and returns when it is back" },
    keep: { value: "DIR", says: "keep the folders of the replays here" },
  },
  notes: ['docs/runbook.md, "The fault drill", says what each fault is and what must hold.'],
};

/** The drill found something lost, doubled or different. */
class DrillError extends Error {
  override name = "DrillError";
}

function recordingOf(given: Arguments, folder: string): Promise<Recording> {
  const slots = given.count("slots") ?? 0;
  if (slots < 1) throw new UsageError("--slots takes a number above 0");
  const dir = given.text("recording") ?? (given.flag("sample") ? "recordings/sample" : null);
  return chosenRecording(dir, slots, folder);
}

const sum = (counts: ReadonlyMap<string, number>): number => [...counts.values()].reduce((total, n) => total + n, 0);
const parts = (counts: ReadonlyMap<string, number>): string =>
  [...counts]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, n]) => `${name} ${n}`)
    .join(", ");

function table(result: DrillResult): string {
  const { undisturbed, disturbed, killed, counts, messages, deliveries, lost } = result;
  const share = (n: number, of: number): string => `${n} of ${of} (${((100 * n) / Math.max(1, of)).toFixed(1)} %)`;
  const lines: [string, string][] = [
    ["invocations killed", `${share(sum(counts.killed), counts.invocations)}: ${parts(counts.killed)}`],
    ["calls refused", `${sum(counts.refused)}: ${parts(counts.refused)}`],
    ["messages redelivered", share(counts.redelivered, messages)],
    ["messages", `${messages}, delivered ${deliveries} times`],
    ["lost", String(lost.length)],
    ["dead letters", `${disturbed.deadLetters.length}; ${POISON.length} messages were poisoned on purpose`],
    [
      "orders at the venue",
      `${undisturbed.venue.orders.length} undisturbed, ${disturbed.venue.orders.length} disturbed`,
    ],
    ["undisturbed", `${undisturbed.digest.digest} (${undisturbed.seconds.toFixed(0)} s)`],
    ["disturbed", `${disturbed.digest.digest} (${disturbed.seconds.toFixed(0)} s)`],
  ];
  if (killed) {
    lines.push(["killed", `${killed.digest.digest} (${killed.seconds.toFixed(0)} s)`]);
    for (const [name, times] of metFaults(result)) lines.push([name, String(times)]);
  }
  const width = Math.max(...lines.map(([name]) => name.length));
  return `${lines.map(([name, text]) => `${name.padEnd(width)} ${text}`).join("\n")}\n`;
}

async function main(given: Arguments, signal: AbortSignal): Promise<void> {
  const [url, restart] = [given.text("database"), given.text("restart")];
  if ((url === undefined) !== (restart === undefined)) throw new UsageError("--database and --restart go together");
  const keep = given.text("keep");
  const directory = keep ? resolve(keep) : await mkdtemp(join(tmpdir(), "spyhop-drill-"));
  const bar = openProgress(process.stderr, () => performance.now());
  try {
    const recording = await recordingOf(given, directory);
    const aim = given.flag("submissions") ? "inside" : "around";
    const result = await runDrill({
      ...{ recording, directory, aim, signal },
      seed: given.need("seed"),
      settleMs: (given.count("settle") ?? 0) * 60_000,
      openDatabase: (folder) =>
        url === undefined || restart === undefined ? restartableFolder(folder) : restartableServer(url, restart),
      progress: (run, { phase, ...step }) =>
        bar.update({
          ...step,
          phase: phase === "blocks" ? "blocks" : "outcomes",
          events: { undisturbed: 0, disturbed: 1, killed: 2 }[run],
          lagSeconds: null,
        }),
    });
    bar.done();
    process.stdout.write(table(result));
    const problems = problemsOf(result, aim);
    if (problems.length > 0) throw new DrillError(`seed ${given.need("seed")}\n${problems.join("\n")}`);
    const same = aim === "around" ? "the digests and the venue's books are the same" : "the books agree";
    process.stdout.write(`nothing lost, nothing doubled, ${same}\n`);
  } finally {
    bar.done();
    if (!keep) await rm(directory, { recursive: true, force: true });
  }
}

await runCommand(command, main);
