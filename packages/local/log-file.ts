import { closeSync, existsSync, fstatSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import type { LogLine } from "#runtime/log";

/** A log of JSON lines, one write a line, so that a killed process loses none. */
export interface LogFile {
  readonly write: (line: LogLine) => void;
  readonly close: () => Promise<void>;
}

/** A file that has grown to this is put aside, and of those the newest are kept: a desk that runs for months fills no disk. */
const FULL_BYTES = 16 * 1024 * 1024;
const KEPT = 4;

/** Returns the name of a log put aside: log.ndjson, log.1.ndjson (the newest of them), log.2.ndjson, … */
const aside = (path: string, age: number): string => (age === 0 ? path : path.replace(/(\.\w+)$/, `.${age}$1`));

/**
 * Opens a log file: a run's own is emptied, one that goes on from run to run is kept. One of 16 MiB becomes log.1.ndjson
 * and so on, up to log.4.ndjson.
 */
export function logFile(path: string, keep: "replace" | "append" = "replace"): LogFile {
  if (keep === "replace") for (let age = 1; age <= KEPT; age += 1) rmSync(aside(path, age), { force: true });
  let file = openSync(path, keep === "append" ? "a" : "w");
  let bytes = fstatSync(file).size;
  const turn = (): void => {
    closeSync(file);
    for (let age = KEPT; age > 0; age -= 1)
      if (existsSync(aside(path, age - 1))) renameSync(aside(path, age - 1), aside(path, age));
    file = openSync(path, "w");
    bytes = 0;
  };
  return {
    write: (line) => {
      if (bytes >= FULL_BYTES) turn();
      bytes += writeSync(file, `${JSON.stringify({ at: new Date().toISOString(), ...line })}\n`);
    },
    close: async () => closeSync(file),
  };
}
