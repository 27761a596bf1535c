import { closeSync, openSync, writeSync } from "node:fs";
import type { LogLine } from "#runtime/log";

/** A log of JSON lines, one write a line, so that a killed process loses none. */
export interface LogFile {
  readonly write: (line: LogLine) => void;
  readonly close: () => Promise<void>;
}

/** Opens a log file: a run's own is emptied, one that goes on from run to run is kept. */
export function logFile(path: string, keep: "replace" | "append" = "replace"): LogFile {
  const file = openSync(path, keep === "append" ? "a" : "w");
  return {
    write: (line) => void writeSync(file, `${JSON.stringify({ at: new Date().toISOString(), ...line })}\n`),
    close: async () => closeSync(file),
  };
}
