import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openRecording } from "#recording/recording";
import { ingestRun } from "./ingest.ts";
import { replayRun } from "./replay.ts";

// The process of one measured run: `run.ts ingest|replay DIR LATENCY` prints the figures as JSON. `npm run bench` starts it.
const [kind, dir = "", latency = "0"] = process.argv.slice(2);
const recording = await openRecording(dir);
// The database lies in a folder, as it does for a user.
const folder = await mkdtemp(join(tmpdir(), "spyhop-bench-"));
try {
  const run = kind === "ingest" ? ingestRun(recording, folder, Number(latency)) : replayRun(recording, folder);
  process.stdout.write(JSON.stringify(await run));
} finally {
  await rm(folder, { recursive: true, force: true });
}
