import { existsSync, mkdirSync, statSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/** The disk of a folder has no room left. What was written before is whole. */
export class DiskFullError extends Error {
  override name = "DiskFullError";
  readonly folder: string;
  constructor(folder: string, freeBytes: number, options: ErrorOptions) {
    super(
      `the disk of ${folder} is full (${(freeBytes / 1_048_576).toFixed(1)} MiB left). ` +
        "Free some space (a run takes about 100 MiB), or name a folder on another disk, and run the command again.",
      options,
    );
    this.folder = folder;
  }
}

/**
 * Makes a folder and those above it. mkdir's own `recursive` asks without end where the system answers a new folder with
 * ENOENT, as /proc does.
 * @throws the system's error: EEXIST for a file of that name, ENOTDIR, EACCES, EROFS, ENOENT.
 */
export function makeFolder(folder: string): void {
  if (existsSync(folder) && statSync(folder).isDirectory()) return;
  const above = dirname(resolve(folder));
  if (!existsSync(above)) makeFolder(above);
  try {
    mkdirSync(folder);
  } catch (error) {
    // Another process may have made it since.
    if (!(existsSync(folder) && statSync(folder).isDirectory())) throw error;
  }
}

/** A database writes in segments of some MiB: with less than this left, the next one failed or would have. */
const FULL_BYTES = 2 * 1_048_576;

/** Returns the bytes that may still be written in `folder`, or in the nearest folder above it that exists. */
async function freeBytes(folder: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch (error) {
    const above = dirname(folder);
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT") || above === folder) throw error;
    return freeBytes(above);
  }
}

/**
 * Returns a DiskFullError in place of `error` when the disk of `folder` has no room left: PostgreSQL in WebAssembly dies of
 * that in many ways, few of which name it. Else `error` itself.
 */
export async function orDiskFull(error: unknown, folder: string): Promise<unknown> {
  if (error instanceof DiskFullError) return error;
  const free = await freeBytes(folder);
  return free < FULL_BYTES ? new DiskFullError(folder, free, { cause: error }) : error;
}
