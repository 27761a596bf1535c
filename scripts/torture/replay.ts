import { parentPort } from "node:worker_threads";
import { type Copy, copyOf } from "./copy.ts";
import { type Kill, lawOf } from "./kills.ts";
import type { Mutant } from "./mutants.ts";

/** A mutant and the schedule that finds it. */
export interface Replay {
  readonly mutant: Mutant;
  readonly kill: Kill;
}
/** What was wrong with it; null = found by its law, and the desk as it is keeps every law. */
export type Replayed = { readonly problem: string | null } | { readonly error: string };

let own: Promise<Copy> | undefined;

async function problemOf({ mutant, kill: { law, schedule } }: Replay): Promise<string | null> {
  own ??= copyOf(null);
  const asIs = await (await own).runSchedule(schedule, (await own).inMemory);
  if (asIs.violations.length > 0) return `the desk as it is breaks: ${asIs.violations[0]}`;
  const { runSchedule, inMemory } = await copyOf(mutant);
  const { violations } = await runSchedule(schedule, inMemory);
  if (violations.some((violation) => lawOf(violation) === law)) return null;
  return `its schedule breaks ${violations.length === 0 ? "no law" : violations.map(lawOf).join(", ")}, where it broke "${law}"`;
}

parentPort?.on("message", async (asked: Replay) => {
  const answer = problemOf(asked).then((problem): Replayed => ({ problem }));
  parentPort?.postMessage(await answer.catch((error: Error): Replayed => ({ error: error.stack ?? error.message })));
});
