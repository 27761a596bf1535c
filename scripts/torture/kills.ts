import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Schedule } from "#testing/model/schedule";

/** A schedule that finds a mutant, and by which law. */
export interface Kill {
  readonly law: string;
  readonly schedule: Schedule;
}

const FILE = join(import.meta.dirname, "kills.jsonl");

/** Returns the kept schedules that find mutants, by the mutant's name. */
export async function readKills(): Promise<Record<string, Kill>> {
  const lines = (await readFile(FILE, "utf8")).split("\n").filter((line) => line !== "");
  return Object.fromEntries(lines.map((line) => [JSON.parse(line).name, JSON.parse(line)]));
}

/** Keeps schedules, those of the mutants in `names` alone and in that order. */
export async function writeKills(kills: Readonly<Record<string, Kill>>, names: readonly string[]): Promise<void> {
  const lines = names.flatMap((name) => (kills[name] === undefined ? [] : JSON.stringify({ name, ...kills[name] })));
  await writeFile(FILE, `${lines.join("\n")}\n`);
}

/** Returns the law that a violation says was broken. */
export const lawOf = (violation = ""): string => violation.split(":")[0] ?? "";

type Judge = (schedule: Schedule) => Promise<readonly string[]>;

/** Returns a schedule with less in it that breaks the same law: what can be left out by itself is. */
export async function reduced(schedule: Schedule, law: string, judge: Judge): Promise<Schedule> {
  let best = schedule;
  const attempt = async (smaller: Schedule): Promise<void> => {
    if ((await judge(smaller)).some((violation) => lawOf(violation) === law)) best = smaller;
  };
  await attempt({ ...best, fillLagMs: 0, skewMs: 0, deaths: [], doors: [], faults: [], hidden: null, billLagMs: 0 });
  for (const part of ["deaths", "doors", "faults", "steps"] as const)
    for (let i = best[part].length - 1; i >= 0; i -= 1) await attempt({ ...best, [part]: best[part].toSpliced(i, 1) });
  if (best.fillLagMs !== 0) await attempt({ ...best, fillLagMs: 0 });
  if (best.hidden) await attempt({ ...best, hidden: null });
  if (best.billLagMs) await attempt({ ...best, billLagMs: 0 });
  if (best.skewMs !== 0) await attempt({ ...best, skewMs: 0 });
  return best;
}
