import { openRecording } from "#local/recording";
import { ingestRun } from "./ingest.ts";
import { replayRun } from "./replay.ts";

// The process of one measured run: `run.ts ingest|replay DIR` prints the figures as JSON. `npm run bench` starts it.
const [kind, dir = ""] = process.argv.slice(2);
const recording = await openRecording(dir);
const run = kind === "ingest" ? ingestRun : replayRun;
process.stdout.write(JSON.stringify(await run(recording)));
