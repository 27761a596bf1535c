import { recordingAt } from "#recording/at";
import type { Recording } from "#recording/recording";
import { sharedFolder } from "#testing/chain/blocks";

const SAMPLE = "recordings/sample";

/** What is measured, and what to say about the choice. */
export interface Input {
  readonly recording: Recording;
  readonly note: string;
}

/**
 * Returns the recording to measure: that of `given`, else the recorded mainnet blocks beside the repository, else the
 * sample. A pack of blocks is made into a recording under `data` first.
 */
export async function inputOf(given: string | undefined, data: string): Promise<Input> {
  const dir = given ?? sharedFolder() ?? SAMPLE;
  const note =
    dir === SAMPLE && given === undefined
      ? "the recorded mainnet blocks are not on this machine, so the generated sample is measured"
      : `measured: ${given ?? "the recorded mainnet blocks"}`;
  return { recording: await recordingAt(dir, data), note };
}
