import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Tally } from "#testing/model/check";
import type { Changed } from "./mutants.ts";
import type { Answer, Chunk } from "./worker.ts";

/** A worker of the model failed, which is no broken law. */
class WorkerError extends Error {
  override name = "WorkerError";
}

/** Has one worker run chunks as `next` gives them, until it gives none. */
async function work(
  mutant: Changed | null,
  next: () => Chunk | undefined,
  done: (tally: Tally) => void,
): Promise<void> {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { workerData: mutant });
  try {
    for (let chunk = next(); chunk !== undefined; chunk = next()) {
      const answered = once(worker, "message") as Promise<[Answer]>; // rejects with the worker's own error
      worker.postMessage(chunk);
      const [answer] = await answered;
      if ("error" in answer) throw new WorkerError(answer.error);
      done(answer.tally);
    }
  } finally {
    await worker.terminate();
  }
}

/**
 * Runs chunks on so many workers, and returns what each came to, in no order; after a broken law no other chunk is begun.
 * @throws WorkerError when the model itself fails.
 */
export async function runChunks(
  chunks: readonly Chunk[],
  workers: number,
  { mutant = null, progress }: { mutant?: Changed | null; progress(done: number): void },
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
