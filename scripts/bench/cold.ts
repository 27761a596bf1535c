import { mkdtemp, rm, writeFile } from "node:fs/promises";
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
  /** CPU until then over the middle of the empty handlers started in the same round; null where the system does not tell. */
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

/** The starts of one round: of an empty handler before each bundle, and of the bundles. */
interface Round {
  readonly empties: readonly Start[];
  readonly starts: ReadonlyMap<FunctionName, Start>;
}

async function oneRound(start: Starter, bundles: readonly SizedBundle[], folder: string): Promise<Round> {
  const empties: Start[] = [];
  const starts = new Map<FunctionName, Start>();
  for (const { job, directory } of bundles) {
    empties.push(await start("empty", folder));
    starts.set(job, await start(job, directory));
  }
  return { empties, starts };
}

type Starter = (name: string, directory: string) => Promise<Start>;

/** How often a bundle over its budget is started again before it is judged. */
const AGAIN = 8;

/**
 * Starts every bundle `rounds` times under the runtime client, an empty handler before each, and returns what that took.
 * In turns: what else the machine does then falls on all alike, and a ratio is to the middle of the empty handlers of its round.
 * A few starts say little, so what is over its budget in each of them is started eight times more.
 */
export async function coldStarts(
  client: string,
  bundles: readonly SizedBundle[],
  rounds: number,
  say: (line: string) => void,
): Promise<ColdStarts> {
  const folder = await mkdtemp(join(tmpdir(), "spyhop-empty-"));
  try {
    await writeFile(join(folder, "index.mjs"), EMPTY);
    const start: Starter = (name, directory) => startOnce(client, name, directory);
    await start("empty", folder); // the first one also reads the runtime from disk
    const held: Round[] = [];
    for (let round = 1; round <= rounds; round++) {
      say(`cold starts, round ${round} of ${rounds} ...`);
      held.push(await oneRound(start, bundles, folder));
    }
    const over = bundles.filter(({ job, budget }) => (coldStart(job, held).cpuRatio?.min ?? 0) > budget.cpuRatio);
    for (let round = 1; over.length > 0 && round <= AGAIN; round++) {
      say(`over the budget, started again, round ${round} of ${AGAIN}: ${over.map(({ job }) => job).join(", ")} ...`);
      held.push(await oneRound(start, over, folder));
    }
    const empties = held.flatMap((round) => round.empties);
    return {
      empty: {
        readyMs: spread(empties.map((one) => one.readyMs)),
        cpuMs: medianOrNull(empties.map((one) => one.cpuMs)),
      },
      functions: bundles.map(({ job, bytes }) => ({ job, bytes, ...coldStart(job, held) })),
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

function coldStart(job: FunctionName, rounds: readonly Round[]): Pick<ColdStart, "readyMs" | "cpuRatio"> {
  const ready: number[] = [];
  const ratios: number[] = [];
  for (const { empties, starts } of rounds) {
    const own = starts.get(job);
    if (!own) continue;
    ready.push(own.readyMs);
    const empty = medianOrNull(empties.map((one) => one.cpuMs));
    if (own.cpuMs !== null && empty !== null) ratios.push(own.cpuMs / empty);
  }
  return { readyMs: spread(ready), cpuRatio: ratios.length === 0 ? null : spread(ratios) };
}

function medianOrNull(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : median(known);
}
