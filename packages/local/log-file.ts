import { closeSync, openSync, writeSync } from "node:fs";
import type { LogLine } from "#runtime/log";

/** A log of JSON lines, one write a line, so that a killed process loses none. */
export interface LogFile {
  readonly write: (line: LogLine) => void;
  readonly close: () => Promise<void>;
}

/** Opens (and empties) a log file. */
export function logFile(path: string): LogFile {
  const file = openSync(path, "w");
  return {
    write: (line) => void writeSync(file, `${JSON.stringify({ at: new Date().toISOString(), ...line })}\n`),
    close: async () => closeSync(file),
  };
}
