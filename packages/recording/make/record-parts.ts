import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import * as z from "zod";
import { makeFolder } from "#host/disk";
import { gunzip } from "../blocks.ts";
import { RecordingError } from "../error.ts";
import { RecordedBalance } from "../schema.ts";

/** What was fetched for one block. `balances` is null where the node gave none. */
export interface Part {
  readonly block: { readonly hash: string };
  readonly receipts: readonly unknown[];
  readonly balances: readonly RecordedBalance[] | null;
}

const Part = z.object({
  block: z.looseObject({ hash: z.string() }),
  receipts: z.array(z.unknown()),
  balances: z.array(RecordedBalance).nullable(),
});

/** The blocks fetched so far of one unfinished recording: a file each, so that an interrupted run loses none. */
export interface Parts {
  readonly dir: string;
  /** Returns the part of a block when it is there, whole, and of that hash. */
  readonly read: (number: number, hash: string) => Part | null;
  readonly write: (number: number, part: Part) => void;
  readonly remove: () => void;
}

// Only judged: zod's own result has its keys in another order, and a block is kept as the node wrote it.
const isPart = (value: unknown): value is Part => Part.safeParse(value).success;

/**
 * Opens the folder `<out>.partial` of an unfinished recording. `job` says what is recorded: parts of another job are
 * refused, or removed first with `fresh`.
 * @throws RecordingError when the folder belongs to another job
 */
export function openParts(out: string, job: Readonly<Record<string, unknown>>, fresh: boolean): Parts {
  const dir = `${out}.partial`;
  const jobFile = join(dir, "job.json");
  const wanted = `${JSON.stringify(job, null, 2)}\n`;
  if (fresh) rmSync(dir, { recursive: true, force: true });
  if (existsSync(jobFile) && readFileSync(jobFile, "utf8") !== wanted) {
    const remedy = "Run that job again to finish it, or add --fresh to start over";
    throw new RecordingError(dir, "holds an unfinished recording of other blocks or wallets", remedy);
  }
  makeFolder(dir);
  writeWhole(jobFile, wanted);
  const fileOf = (number: number) => join(dir, `${number}.json.gz`);
  return {
    dir,
    read: (number, hash) => {
      const file = fileOf(number);
      if (!existsSync(file)) return null;
      const value: unknown = JSON.parse(gunzip(file, readFileSync(file)).toString("utf8"));
      return isPart(value) && value.block.hash === hash ? value : null;
    },
    write: (number, part) => writeWhole(fileOf(number), gzipSync(JSON.stringify(part))),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

/** Writes a file under another name and renames it: it is there whole or not at all. */
function writeWhole(file: string, bytes: string | Uint8Array): void {
  writeFileSync(`${file}.new`, bytes);
  renameSync(`${file}.new`, file);
}
