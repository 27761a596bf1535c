import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { keptState, type PaperState } from "./account.ts";
import type { Book } from "./book.ts";

/** The file of the paper account cannot be read as one. */
export class PaperStateError extends Error {
  override name = "PaperStateError";
  readonly file: string;
  constructor(file: string, problem: string) {
    super(`paper account ${file}: ${problem}; move the file away to begin with a new account`);
    this.file = file;
  }
}

/** Returns the account kept in `file`, or null when there is none yet. @throws PaperStateError. */
export function readState(file: string, listings: Book["listings"]): PaperState | null {
  if (!existsSync(file)) return null;
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, "utf8"));
  } catch {
    throw new PaperStateError(file, "is not JSON");
  }
  const result = keptState(listings).safeParse(json);
  if (!result.success)
    throw new PaperStateError(file, result.error.issues.map((i) => `${i.path.join(".")} ${i.code}`).join(", "));
  return result.data;
}

/** Replaces `file` in one step: a crash leaves the old account or the new one. */
export function writeState(file: string, state: PaperState): void {
  const next = `${file}.new`;
  const handle = openSync(next, "w");
  try {
    writeSync(handle, JSON.stringify(state));
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(next, file);
}
