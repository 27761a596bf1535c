import type { Recording } from "#recording/recording";
import { runRecording } from "#replay/run-recording";
import { type MeasuredRun, measuredRun } from "./measured-run.ts";

/** Replays a recording through the whole desk in `directory`, to the last settled outcome, and returns what it took. */
export function replayRun(recording: Recording, directory: string): Promise<MeasuredRun> {
  return measuredRun(recording.headers.length, async (lastBlock) => {
    const run = await runRecording({
      ...{ recording, directory, gitSha: "bench" },
      progress: ({ phase }) => {
        if (phase === "settling") lastBlock();
      },
    });
    const events = run.desk.received("events");
    const deadLetters = run.desk.deadLetters().length;
    const jobs = run.desk.measured.summary();
    await run.close();
    return { events, deadLetters, jobs };
  });
}
