import { type Arguments, type Command, InterruptedError, runCommand, UsageError } from "#host/cli";
import { sharedFolder } from "#testing/chain/blocks";
import { type FuzzResult, fuzzRpc } from "./fuzz/rpc.ts";

const command: Command = {
  usage: "npm run fuzz --",
  summary:
    "Gives the desk what it must not believe. `rpc`: blocks that a node changed, through the desk's own client, to events; nothing may be another event, and no error without a name.",
  operand: { value: "rpc", says: "what is fuzzed" },
  options: {
    count: { value: "N", says: "cases", default: "10000" },
    seed: { value: "TEXT", says: "what every case is drawn from", default: "1" },
    from: { value: "N", says: "the first case: a failed one alone with --count 1", default: "0" },
    generated: { says: "generated blocks only, where recorded mainnet blocks are here too" },
  },
  notes: [
    "In every second case the block's hashes and roots are made again, so that decoding is reached.",
    "The same seed and the same blocks give the same cases.",
  ],
};

/** A changed block came through, or an error had no name. */
class FuzzError extends Error {
  override name = "FuzzError";
}

function linesOf({ cases, accepted, withEvents, refused }: FuzzResult): string[] {
  const sum = [...refused.values()].reduce((total, count) => total + count, 0);
  const rows = [...refused].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return [
    `${cases} cases: ${accepted} taken with the same events (${withEvents} with at least one), ${sum} refused by name`,
    ...rows.map(([name, count]) => `  ${String(count).padStart(6)}  ${name}`),
  ];
}

async function main(given: Arguments, signal: AbortSignal): Promise<void> {
  if (given.operand() !== "rpc") throw new UsageError("say what to fuzz: rpc");
  const [seed, count, from] = [given.need("seed"), given.count("count") ?? 0, given.count("from") ?? 0];
  if (count === 0) throw new UsageError("--count takes a number above 0");
  const shared = given.flag("generated") ? null : sharedFolder();
  const blocks = shared ? "generated and recorded mainnet blocks" : "generated blocks (no recorded ones are used)";
  process.stdout.write(`fuzz rpc: seed ${seed}, cases ${from} to ${from + count - 1}, ${blocks}\n`);
  const result = await fuzzRpc({ seed, from, count, shared, signal, progress: shownOn(count) });
  if (signal.aborted) throw new InterruptedError(`after ${result.cases} cases`);
  process.stdout.write(`${linesOf(result).join("\n")}\n`);
  const [first] = result.failures;
  if (!first) return;
  const shown = result.failures.slice(0, 10).map(({ at, problem }) => `case ${at}: ${problem}`);
  const again = `npm run fuzz -- rpc --seed ${seed} --from ${first.at} --count 1`;
  throw new FuzzError(
    `${result.failures.length} of ${result.cases} cases failed\n${shown.join("\n")}\nAgain: ${again}`,
  );
}

function shownOn(count: number): (done: number) => void {
  return (done) => {
    if (process.stderr.isTTY && done % 100 === 0) process.stderr.write(`\r${done} of ${count}`);
    if (process.stderr.isTTY && done === count) process.stderr.write("\r\x1b[K");
  };
}

await runCommand(command, main);
