import { join } from "node:path";
import { isPack, packName, packToRecording } from "./make/pack.ts";
import { openRecording, type Recording } from "./recording.ts";
import { generateSample } from "./sample/generate.ts";
import { sampleContent } from "./sample/sample-recording.ts";
import { writeRecording } from "./writer.ts";

const SEED = "drill";
/** As the sample's own start. */
const START = "2026-03-02T22:30:00Z";

/**
 * Returns the recording in `dir`, turning a folder of recorded mainnet blocks into one first; without `dir`, a short one
 * of `slots` 12 s slots, generated from a fixed seed. What is made goes into `folder`.
 */
export async function chosenRecording(dir: string | null, slots: number, folder: string): Promise<Recording> {
  if (dir !== null && !isPack(dir)) return openRecording(dir);
  const out = join(folder, "recordings", dir === null ? "short" : packName(dir));
  if (dir !== null) await packToRecording(dir, out);
  else {
    const sample = await generateSample({ seed: SEED, slots, startMs: Date.parse(START), progress: () => {} });
    await writeRecording(out, sampleContent(sample, SEED));
  }
  return openRecording(out);
}
