import { join } from "node:path";
import { isPack, packName, packToRecording } from "./make/pack.ts";
import { openRecording, type Recording } from "./recording.ts";

/**
 * Returns the recording of a folder. Recorded blocks that are no recording yet are turned into one under `data` first, as
 * `making` is called.
 * @throws the errors of `packToRecording` and `openRecording`
 */
export async function recordingAt(
  dir: string,
  data: string,
  making: (folder: string) => void = () => {},
): Promise<Recording> {
  if (!isPack(dir)) return openRecording(dir);
  const made = join(data, "recordings", packName(dir));
  making(made);
  await packToRecording(dir, made);
  return openRecording(made);
}
