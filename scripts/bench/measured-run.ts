import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { JobTimes } from "#local/measure";

/** What is run in a process of its own. */
export type RunKind = "ingest" | "replay";

/** One run, measured from inside its process. */
export interface MeasuredRun {
  readonly blocks: number;
  readonly events: number;
  readonly deadLetters: number;
  readonly seconds: number;
  /** Of those, until the last block was done with. */
  readonly blockSeconds: number;
  /** User and system time of the process while it ran. */
  readonly cpuSeconds: number;
  /** Of the whole process, in MiB. */
  readonly peakRssMib: number;
  /** Milliseconds of a fixed piece of work on this machine, just before and after. */
  readonly yardstickMs: number;
  readonly jobs: readonly JobTimes[];
}

/** A run ended without a figure. */
export class RunFailedError extends Error {
  override name = "RunFailedError";
}

/** Runs `kind` over the recording of a folder in a fresh process, as a first start would. @throws RunFailedError */
export async function runApart(
  kind: RunKind,
  recordingDir: string,
  latencyMs: number,
  signal?: AbortSignal,
): Promise<MeasuredRun> {
  const script = join(import.meta.dirname, "run.ts");
  const child = spawn(process.execPath, [...process.execArgv, script, kind, recordingDir, String(latencyMs)], {
    stdio: ["ignore", "pipe", "pipe"],
    ...(signal === undefined ? {} : { signal }),
  });
  const ended = new Promise<number | null>((resolve, reject) => child.once("close", resolve).once("error", reject));
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  if (code !== 0) throw new RunFailedError(`${kind}: the run ended with ${code}\n${err.slice(-2000)}`);
  return JSON.parse(out) as MeasuredRun;
}

/** Returns the milliseconds that a fixed piece of single-threaded work takes now: what else the machine does shows here. */
export function yardstick(): number {
  const began = performance.now();
  let text = "0";
  for (let i = 0; i < 100_000; i++) text = createHash("sha256").update(text).digest("hex");
  return performance.now() - began;
}

/** Runs `work` and returns what it took. `work` says what it counted, and calls `lastBlock` when no block is left to do. */
export async function measuredRun(
  blocks: number,
  work: (lastBlock: () => void) => Promise<{ events: number; deadLetters: number; jobs: readonly JobTimes[] }>,
): Promise<MeasuredRun> {
  const before = yardstick();
  const cpu = process.cpuUsage();
  const began = performance.now();
  const since = (): number => (performance.now() - began) / 1000;
  let blockSeconds: number | null = null;
  const done = await work(() => {
    blockSeconds ??= since();
  });
  const seconds = since();
  const { user, system } = process.cpuUsage(cpu);
  return {
    blocks,
    ...done,
    seconds,
    blockSeconds: blockSeconds ?? seconds,
    cpuSeconds: (user + system) / 1e6,
    peakRssMib: process.resourceUsage().maxRSS / 1024,
    yardstickMs: (before + yardstick()) / 2,
  };
}
