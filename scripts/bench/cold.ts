import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FunctionName } from "#topology/functions";
import { startFunction } from "../lambda/started-function.ts";
import { median, type Spread, spread } from "./figures.ts";
import type { SizedBundle } from "./sizes.ts";

/** A function's cold start, over several starts. */
export interface ColdStart {
  readonly job: FunctionName;
  readonly bytes: number;
  /** From the start of the process until it asks for an event. */
  readonly readyMs: Spread;
  /** CPU until then over that of an empty handler started just before; null where the system does not tell. */
  readonly cpuRatio: Spread | null;
}

export interface ColdStarts {
  readonly empty: { readonly readyMs: Spread; readonly cpuMs: number | null };
  readonly functions: readonly ColdStart[];
}

const EMPTY = "export const handler = async () => null;\n";

interface Start {
  readonly readyMs: number;
  readonly cpuMs: number | null;
}

async function startOnce(client: string, name: string, directory: string): Promise<Start> {
  const started = await startFunction({ client, name, directory, env: {}, timeoutSeconds: 10, memoryMb: 512 });
  await started.close();
  return { readyMs: started.readyMs, cpuMs: started.readyCpuMs };
}

/**
 * Starts every bundle `rounds` times under the runtime client, an empty handler before each, and returns what that took.
 * In turns: what else the machine does then falls on all alike, and a ratio is of two starts next to each other.
 */
export async function coldStarts(
  client: string,
  bundles: readonly SizedBundle[],
  rounds: number,
  say: (line: string) => void,
): Promise<ColdStarts> {
  const folder = await mkdtemp(join(tmpdir(), "spyhop-empty-"));
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "index.mjs"), EMPTY);
    const nothing = (): Promise<Start> => startOnce(client, "empty", folder);
    await nothing(); // the first one also reads the runtime from disk
    const empties: Start[] = [];
    const starts = new Map<FunctionName, { start: Start; empty: Start }[]>();
    for (let round = 1; round <= rounds; round++) {
      say(`cold starts, round ${round} of ${rounds} ...`);
      for (const { job, directory } of bundles) {
        const empty = await nothing();
        empties.push(empty);
        const start = await startOnce(client, job, directory);
        starts.set(job, [...(starts.get(job) ?? []), { start, empty }]);
      }
    }
    return {
      empty: {
        readyMs: spread(empties.map((one) => one.readyMs)),
        cpuMs: medianOrNull(empties.map((one) => one.cpuMs)),
      },
      functions: bundles.map(({ job, bytes }) => {
        const pairs = starts.get(job) ?? [];
        return { job, bytes, readyMs: spread(pairs.map(({ start }) => start.readyMs)), cpuRatio: ratioOf(pairs) };
      }),
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

function medianOrNull(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : median(known);
}

function ratioOf(pairs: readonly { start: Start; empty: Start }[]): Spread | null {
  const ratios = pairs.flatMap(({ start, empty }) =>
    start.cpuMs === null || empty.cpuMs === null ? [] : [start.cpuMs / empty.cpuMs],
  );
  return ratios.length === 0 ? null : spread(ratios);
}
