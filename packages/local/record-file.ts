import { appendFile, readFile } from "node:fs/promises";
import { type RecordCopy, RecordHead } from "#trading/record-head";

/** A file has a line that is no head of a desk's records. */
export class RecordFileError extends Error {
  override name = "RecordFileError";
  constructor(path: string, line: number) {
    super(`${path}, line ${line}: this is no head of a desk's records, as npm run audit -- head prints one`);
  }
}

/** Returns where the heads of a desk's folder are kept: beside it, so that they do not go with it. */
export const headFileOf = (directory: string): string => `${directory.replace(/\/+$/, "")}.heads.ndjson`;

/** Returns the heads in a text, one a line, in its order. `path` is for the message. @throws RecordFileError */
export const headsIn = (path: string, text: string): RecordHead[] =>
  text.split("\n").flatMap((line, i) => {
    if (line.trim() === "") return [];
    const head = RecordHead.safeParse(jsonOf(line));
    if (!head.success) throw new RecordFileError(path, i + 1);
    return [head.data];
  });

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null; // which is no head either
  }
}

/** Returns a copy that is a file, which is made with the first head. */
export function recordFile(path: string): RecordCopy {
  const all = async (): Promise<RecordHead[]> => headsIn(path, await textOf(path));
  return {
    heads: all,
    keep: async (head) => {
      if ((await all()).some(({ at }) => at === head.at)) return;
      await appendFile(path, `${JSON.stringify(head)}\n`);
    },
  };
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
    throw error;
  }
}
