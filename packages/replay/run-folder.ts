import { existsSync } from "node:fs";
import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * A run's folder holds the database of the last finished run, `db`. Another run writes to `db.next`, and takes the place
 * of the first when it is finished and closed: one that is interrupted, fails or is killed changes nothing.
 */
export const nextDatabase = (directory: string): string => join(directory, "db.next");

/** Beside a `db.next` whose run is finished. */
const finishedMark = (directory: string): string => join(directory, "db.next.finished");

/** Makes room for a new run. A finished one that was killed before it was closed is kept first. */
export async function clearNext(directory: string): Promise<void> {
  await takeFinished(directory);
  const next = nextDatabase(directory);
  for (const left of [next, `${next}.making`]) await rm(left, { recursive: true, force: true });
}

/** Says that the run is finished: its database is the one to keep. */
export const markFinished = (directory: string): Promise<void> => writeFile(finishedMark(directory), "");

/** Puts a finished run's closed database in the place of the last one's; removes what an unfinished run left. */
export async function takeFinished(directory: string): Promise<void> {
  const [next, last] = [nextDatabase(directory), join(directory, "db")];
  // Killed between any two of these steps, the next call ends them: only a whole `db.next` ever replaces `db`.
  if (existsSync(finishedMark(directory)) && existsSync(next)) {
    await rm(last, { recursive: true, force: true });
    await rename(next, last);
  }
  await rm(finishedMark(directory), { force: true });
  await rm(next, { recursive: true, force: true });
}
