import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ControlBoard, type ControlObject, controlIn } from "#trading/control-object";
import type { TradingMode } from "#trading/mode";

/** Returns where the control object of a desk's folder is. */
export const controlFileOf = (directory: string): string => join(directory, "control.json");

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : "unreadable";

/** Returns the control object of a desk of this machine: a file in its folder, written whole or not at all. */
export function controlFile(directory: string, mode: TradingMode): ControlBoard {
  const path = controlFileOf(directory);
  return {
    mode,
    read: async () => {
      try {
        return controlIn(path, await readFile(path, "utf8"));
      } catch (error) {
        const code = codeOf(error);
        return { problem: `${path}: ${code}`, blank: code === "ENOENT" };
      }
    },
    write: async (object) => {
      const beside = `${path}.${process.pid}.new`;
      try {
        await writeFile(beside, `${JSON.stringify(object, null, 2)}\n`, { mode: 0o600 });
        await rename(beside, path);
        return null;
      } catch (error) {
        return `${path}: ${codeOf(error)}`;
      }
    },
  };
}

/** Returns a control object that ends with the process: of a replay, whose books do too. */
export function controlInMemory(mode: TradingMode): ControlBoard {
  let kept: ControlObject | null = null;
  return {
    mode,
    read: async () => (kept === null ? { problem: "nothing was written yet", blank: true } : { object: kept }),
    write: async (object) => {
      kept = object;
      return null;
    },
  };
}
