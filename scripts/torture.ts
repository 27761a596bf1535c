import { mkdir, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { dirname } from "node:path";
import { type Arguments, type Command, InterruptedError, runCommand, UsageError } from "#host/cli";
import { type Failure, percentiles, seldom, sum, type Tally, testOf } from "#testing/model/check";
import { type Kill, lawOf, readKills, writeKills } from "./torture/kills.ts";
import { MUTANTS, type Mutant } from "./torture/mutants.ts";
import { pointsOf, replay, runChunks } from "./torture/pool.ts";
import type { Chunk } from "./torture/worker.ts";

const command: Command = {
  usage: "npm run torture --",
  summary:
    "Runs the trading jobs against the paper venue under schedules of faults: processes that die at any await, replies that are lost, late or stale, messages that come twice, clocks that are off, hands and liquidations at the venue. After each schedule the laws of trading must hold.",
  options: {
    count: { value: "N", says: "schedules on the books in memory", default: "200000" },
    sql: { value: "N", says: "schedules on the books in SQL: the first of the same", default: "20000" },
    seed: { value: "N", says: "what they are drawn from", default: "1" },
    path: { value: "PATH", says: "of --seed this one schedule alone, as a failure names it" },
    workers: { value: "N", says: "at once; as many as there are cores by default" },
    mutants: { says: "change the desk in the ways that the model must find, one after the other, instead" },
    only: { value: "TEXT", says: "of the mutants those alone whose name has this; several with | between" },
    keep: { says: "with --mutants: keep the schedule that finds each, made small, in scripts/torture/kills.jsonl" },
    kills: { says: "play the kept schedules again instead: each must find its mutant, and the desk as it is passes" },
    failure: { value: "FILE", says: "where a failure is written, as a test", default: ".spyhop/torture.test.ts" },
  },
  notes: ['docs/runbook.md, "The model check", says what is drawn and which laws there are.'],
};

/** A law was broken, or a mutant lives. */
class TortureError extends Error {
  override name = "TortureError";
}

const CHUNK = 250;
/** A mutant must be found within so many schedules. */
const MOST = 2000;

type Wanted = Pick<Chunk, "seed" | "count" | "books" | "points">;

function chunksOf({ seed, count, ...wanted }: Wanted, shrink: Chunk["shrink"] = true, size = CHUNK): Chunk[] {
  return Array.from({ length: Math.ceil(count / size) }, (_, i) => ({
    ...{ ...wanted, seed: seed + i, count: Math.min(size, count - i * size), shrink },
  }));
}

function linesOf(tally: Tally, seconds: number): string[] {
  const bare = percentiles(tally).map(
    ({ cause, struck, count, p50, p99, worst }) =>
      `  ${cause}, ${struck} struck: ${count} times; p50 ${p50.toFixed(1)} s, p99 ${p99.toFixed(1)} s, worst ${worst.toFixed(1)} s`,
  );
  const struck = [...tally.struck].sort(([a], [b]) => (a < b ? -1 : 1));
  const width = String(tally.schedules).length;
  return [
    `${tally.schedules} schedules, ${tally.orders} orders at the venue, ${seconds.toFixed(0)} s`,
    "without a stop or a close under way, from the first answer that showed it:",
    ...bare,
    "in how many schedules each struck:",
    ...struck.map(
      ([name, times]) =>
        `  ${String(times).padStart(width)}  ${((100 * times) / tally.schedules).toFixed(1).padStart(5)} %  ${name}`,
    ),
  ];
}

async function told(failure: Failure, file: string): Promise<never> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, testOf(failure));
  const again = `npm run torture -- --seed ${failure.seed} --path ${failure.path}`;
  throw new TortureError(`${failure.violations.join("\n")}\nAgain: ${again}\nAs a test, with its trace: ${file}`);
}

function shown(what: string, of: number): (done: number) => void {
  return (done) => {
    if (process.stderr.isTTY) process.stderr.write(`\r${what}: ${done} of ${of}${done >= of ? "\r\x1b[K" : ""}`);
  };
}

async function mutants(given: Arguments, workers: number, seed: number, signal: AbortSignal): Promise<void> {
  const chosen = chosenMutants(given);
  const [alive, kept]: [Mutant[], Record<string, Kill>] = [[], await readKills()];
  const chunks = chunksOf({ seed, count: MOST, books: "memory", points: await pointsOf() }, "quickly", CHUNK / 10);
  for (const mutant of chosen) {
    if (signal.aborted) throw new InterruptedError("between two mutants");
    const progress = shown(mutant.name, MOST);
    const { schedules, failure } = sum(await runChunks(chunks, workers, { mutant, progress }));
    const law = lawOf(failure?.violations[0] ?? "no law");
    process.stdout.write(`${failure ? "dies " : "LIVES"}  ${mutant.name}: ${law} (${schedules} schedules)\n`);
    if (failure === null) alive.push(mutant);
    else if (given.flag("keep"))
      await writeKills(
        Object.assign(kept, { [mutant.name]: { law, schedule: failure.schedule } }),
        MUTANTS.map(({ name }) => name),
      );
  }
  process.stdout.write(`${chosen.length - alive.length} of ${chosen.length} mutants die\n`);
  if (alive.length > 0) throw new TortureError(`the model does not find: ${alive.map(({ name }) => name).join("; ")}`);
}

function chosenMutants(given: Arguments): readonly Mutant[] {
  const only = given.text("only") ?? "";
  const chosen = MUTANTS.filter(({ name }) => only.split("|").some((text) => name.includes(text)));
  if (chosen.length === 0) throw new UsageError(`no mutant's name has "${only}"`);
  return chosen;
}

/** Plays the kept schedules again. */
async function kills(given: Arguments, workers: number): Promise<void> {
  const kept = await readKills();
  const chosen = chosenMutants(given);
  const problems: string[] = [];
  const replays = chosen.flatMap((mutant) => {
    const kill = kept[mutant.name];
    return kill === undefined ? [] : [{ mutant, kill }];
  });
  await replay(replays, workers, ({ name }, problem) => {
    if (problem !== null) problems.push(`${name}: ${problem}`);
  });
  process.stdout.write(`${replays.length - problems.length} of ${replays.length} kept schedules find their mutants\n`);
  for (const { name } of chosen) if (kept[name] === undefined) process.stdout.write(`none is kept: ${name}\n`);
  if (problems.length > 0)
    throw new TortureError(`${problems.join("\n")}\nFind others: npm run torture -- --mutants --keep --only NAME`);
}

async function main(given: Arguments, signal: AbortSignal): Promise<void> {
  const [seed, workers] = [given.count("seed") ?? 1, given.count("workers") ?? availableParallelism()];
  if (workers === 0) throw new UsageError("--workers takes a number above 0");
  if (given.flag("kills")) return kills(given, workers);
  if (given.flag("mutants")) return mutants(given, workers, seed, signal);
  const path = given.text("path");
  const file = given.need("failure");
  const points = await pointsOf();
  for (const books of path === undefined ? (["memory", "sql"] as const) : (["memory"] as const)) {
    const count = given.count(books === "memory" ? "count" : "sql") ?? 0;
    const one: Chunk | null = path === undefined ? null : { seed, count: CHUNK, books, points, shrink: false, path };
    const chunks = one === null ? chunksOf({ seed, count, books, points }) : [one];
    if (chunks.length === 0) continue;
    const began = performance.now();
    const tally = sum(await runChunks(chunks, workers, { progress: shown(books, count) }));
    const seconds = (performance.now() - began) / 1000;
    process.stdout.write(`${[`on the books in ${books}:`, ...linesOf(tally, seconds)].join("\n")}\n`);
    if (tally.failure !== null) await told(tally.failure, file);
    const few = books === "memory" ? seldom(tally, points) : [];
    if (few.length > 0) throw new TortureError(`in too few of the schedules strikes: ${few.join("; ")}`);
    if (signal.aborted) throw new InterruptedError(`after ${tally.schedules} schedules`);
  }
  process.stdout.write("every law holds\n");
}

await runCommand(command, main);
