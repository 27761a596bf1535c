import { parentPort, workerData } from "node:worker_threads";
import type { Failure, Tally } from "#testing/model/check";
import type { Point, Schedule } from "#testing/model/schedule";
import { copyOf } from "./copy.ts";
import { lawOf, reduced } from "./kills.ts";
import type { Mutant } from "./mutants.ts";

/** What a worker is asked: one chunk after the other. */
export interface Chunk {
  readonly points: readonly Point[];
  readonly seed: number;
  readonly count: number;
  readonly books: "memory" | "sql";
  /** Whether a failure is made as small as it goes; "quickly" = by leaving out what can be left out by itself. */
  readonly shrink: boolean | "quickly";
  readonly path?: string;
}
/** Where processes can die is asked of a worker too. */
export type Question = Chunk | "points";
export type Answer = { readonly tally: Tally } | { readonly points: readonly Point[] } | { readonly error: string };

const { check, survey, runSchedule, inMemory } = await copyOf(workerData as Mutant | null);

async function openSql() {
  const [{ inSql }, { testDatabase }] = await Promise.all([import("#testing/model/sql"), import("#testing/database")]);
  return inSql((await testDatabase()).db);
}
let sql: ReturnType<typeof openSql> | undefined;

/** A schedule breaks a law of the desk as it is: it says nothing of a mutant. */
class DeskBreaks extends Error {
  override name = "DeskBreaks";
  constructor({ seed, path }: Failure, violation = "") {
    super(`${violation}\nAgain: npm run torture -- --seed ${seed} --path ${path}`);
  }
}

async function quickly(tally: Tally): Promise<Tally> {
  const { failure } = tally;
  if (failure === null) return tally;
  const own = await copyOf(null);
  const asIs = async (schedule: Schedule) => (await own.runSchedule(schedule, own.inMemory)).violations;
  const broken = await asIs(failure.schedule);
  if (broken.length > 0) throw new DeskBreaks(failure, broken[0]);
  const judge = async (schedule: Schedule) =>
    (await asIs(schedule)).length > 0 ? [] : (await runSchedule(schedule, inMemory)).violations;
  const schedule = await reduced(failure.schedule, lawOf(failure.violations[0]), judge);
  return { ...tally, failure: { ...failure, schedule } };
}

async function run({ books, shrink, ...chunk }: Chunk): Promise<Tally> {
  if (books === "sql") sql ??= openSql();
  const open = books === "memory" || sql === undefined ? inMemory : await sql;
  const tally = await check({ ...chunk, shrink: shrink === true, open });
  return shrink === "quickly" ? await quickly(tally) : tally;
}

parentPort?.on("message", async (asked: Question) => {
  const answer = async (): Promise<Answer> =>
    asked === "points" ? { points: await survey(inMemory) } : { tally: await run(asked) };
  parentPort?.postMessage(await answer().catch((error: Error): Answer => ({ error: error.stack ?? error.message })));
});
