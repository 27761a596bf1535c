import { randomUUID } from "node:crypto";
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import * as z from "zod";

/** Another process, or this one, has the folder open. */
export class FolderInUseError extends Error {
  override name = "FolderInUseError";
  readonly folder: string;
  readonly pid: number;
  constructor(folder: string, pid: number, since: string) {
    super(
      `${folder} is in use by ${pid === process.pid ? "this process" : `process ${pid}`} since ${since}. ` +
        "Stop it first, or name another folder.",
    );
    this.folder = folder;
    this.pid = pid;
  }
}

const Holder = z.object({ pid: z.number().int(), began: z.string().nullable(), since: z.string() });
type Holder = z.infer<typeof Holder>;

/**
 * Takes the lock of a folder, a file beside it, and returns how to release it. A lock whose process is gone is taken
 * over. @throws FolderInUseError when its process lives.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = `${folder}.lock`;
  const own: Holder = { pid: process.pid, began: await beginningOf(process.pid), since: new Date().toISOString() };
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, JSON.stringify(own));
  try {
    // A link appears whole or not at all, so nobody reads a half-written lock.
    while (!(await linked(draft, path))) await clearDead(folder, path);
  } finally {
    await rm(draft, { force: true });
  }
  return () => rm(path, { force: true });
}

async function linked(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false;
    throw error;
  }
}

async function clearDead(folder: string, path: string): Promise<void> {
  const holder = await holderOf(path);
  if (holder && (await lives(holder))) throw new FolderInUseError(folder, holder.pid, holder.since);
  // Two processes may find the same dead lock. Only one can move it away; if what was moved turns out to be a live lock
  // that the other has just made, it is put back.
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return;
    throw error;
  }
  const moved = await holderOf(aside);
  if (moved && (await lives(moved))) await linked(aside, path);
  await rm(aside, { force: true });
}

/** Null when the file is gone or is no lock, as after a full disk. */
async function holderOf(path: string): Promise<Holder | null> {
  try {
    return Holder.parse(JSON.parse(await readFile(path, "utf8")));
  } catch (error) {
    if (hasCode(error, "ENOENT") || error instanceof SyntaxError || error instanceof z.ZodError) return null;
    throw error;
  }
}

async function lives({ pid, began }: Holder): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (hasCode(error, "ESRCH")) return false;
    if (!hasCode(error, "EPERM")) throw error;
  }
  // Numbers are used again, soonest in a container: the same number that began at another time is another process.
  return began === null || began === (await beginningOf(pid));
}

/** Returns when a process began, in a form only good for comparing, or null where the system does not say (not Linux). */
async function beginningOf(pid: number): Promise<string | null> {
  try {
    const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8");
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    // Field 22, counted after the command in brackets, which may hold spaces.
    return `${boot.trim()}:${stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]}`;
  } catch (error) {
    if (hasCode(error, "ENOENT") || hasCode(error, "EACCES")) return null;
    throw error;
  }
}

const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && "code" in error && error.code === code;
