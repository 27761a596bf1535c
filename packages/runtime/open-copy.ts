import type { RecordCopy } from "#trading/record-head";
import { readConfig } from "./config.ts";
import { type Opened, plain } from "./opened.ts";
import { recordBucket } from "./record-bucket.ts";

/** Opens where the heads of the records are kept: the bucket in the environment, or null where none is named. */
export async function openCopy(): Promise<Opened<RecordCopy | null>> {
  const { RECORD_BUCKET } = readConfig("copy");
  return plain(RECORD_BUCKET === undefined ? null : recordBucket(RECORD_BUCKET));
}
