import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Tally } from "#testing/model/check";
import type { Point } from "#testing/model/schedule";
import type { Mutant } from "./mutants.ts";
import type { Replay, Replayed } from "./replay.ts";
import type { Answer, Chunk, Question } from "./worker.ts";

/** A worker of the model failed, which is no broken law. */
class WorkerError extends Error {
  override name = "WorkerError";
}

type Ask<Q, A> = (question: Q) => Promise<A>;

/** Opens a worker of a file, has `work` ask it, and ends it. */
async function asking<Q, A extends object, T>(
  file: "worker" | "replay",
  mutant: Mutant | null,
  work: (ask: Ask<Q, Exclude<A, { error: string }>>) => Promise<T>,
): Promise<T> {
  const worker = new Worker(new URL(`./${file}.ts`, import.meta.url), { workerData: mutant });
  try {
    return await work(async (question) => {
      const answered = once(worker, "message") as Promise<[A]>; // rejects with the worker's own error
      worker.postMessage(question);
      const [answer] = await answered;
      if ("error" in answer) throw new WorkerError(String(answer.error));
      return answer as Exclude<A, { error: string }>;
    });
  } finally {
    await worker.terminate();
  }
}

/** Has one worker run chunks as `next` gives them, until it gives none. */
const work = (mutant: Mutant | null, next: () => Chunk | undefined, done: (tally: Tally) => void): Promise<void> =>
  asking<Question, Answer, void>("worker", mutant, async (ask) => {
    for (let chunk = next(); chunk !== undefined; chunk = next()) {
      const answer = await ask(chunk);
      if ("tally" in answer) done(answer.tally);
    }
  });

/** Returns where processes can die, as a few schedules show. @throws WorkerError when the model itself fails. */
export const pointsOf = (): Promise<readonly Point[]> =>
  asking<Question, Answer, readonly Point[]>("worker", null, async (ask) => {
    const answer = await ask("points");
    return "points" in answer ? answer.points : [];
  });

/**
 * Runs chunks on so many workers, and returns what each came to, in no order; after a broken law no other chunk is begun.
 * @throws WorkerError when the model itself fails.
 */
export async function runChunks(
  chunks: readonly Chunk[],
  workers: number,
  { mutant = null, progress }: { mutant?: Mutant | null; progress(done: number): void },
): Promise<Tally[]> {
  const left = [...chunks];
  const tallies: Tally[] = [];
  const next = (): Chunk | undefined => (tallies.some(({ failure }) => failure !== null) ? undefined : left.shift());
  const done = (tally: Tally): void => {
    tallies.push(tally);
    progress(tallies.reduce((all, one) => all + one.schedules, 0));
  };
  await Promise.all(Array.from({ length: Math.min(workers, chunks.length) }, () => work(mutant, next, done)));
  return tallies;
}

/**
 * Plays again the schedules that find mutants, on so many workers; `done` hears of each.
 * @throws WorkerError when the model itself fails.
 */
export async function replay(
  replays: readonly Replay[],
  workers: number,
  done: (mutant: Mutant, problem: string | null) => void,
): Promise<void> {
  const left = [...replays];
  const one = (): Promise<void> =>
    asking<Replay, Replayed, void>("replay", null, async (ask) => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        const answer = await ask(next);
        if ("problem" in answer) done(next.mutant, answer.problem);
      }
    });
  await Promise.all(Array.from({ length: Math.min(workers, replays.length) }, one));
}
