import { type Arguments, type Command, runCommand, UsageError } from "#host/cli";
import { tradingLines } from "./print.ts";
import { tradingFigures } from "./trading.ts";

const command: Command = {
  usage: "npm run bench -- trading",
  summary:
    "Measures trading through ccxt against the paper venue over loopback: statements, requests and time of a reconciliation, also of 1,000 open orders; from a decision to its POST, and from there to a stop at the venue, by the use case alone and through the laptop's queues and handlers; orders a second through one message group and through twenty.",
  options: {
    runs: { value: "N", says: "of each reconciliation", default: "10" },
    json: { says: "print every figure as JSON" },
  },
  notes: [
    "On PGlite, or on the server of TEST_DATABASE_URL. Two minutes on two quiet cores.",
    "docs/benchmarks.md says what the figures mean.",
  ],
};

async function main(given: Arguments): Promise<void> {
  const say = (line: string): void => void process.stderr.write(`bench: ${line}\n`);
  const runs = given.count("runs") ?? 0;
  if (runs === 0) throw new UsageError("--runs takes a number above 0");
  const figures = await tradingFigures(runs, say);
  if (given.flag("json")) process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
  else process.stdout.write(`${tradingLines(figures).join("\n")}\n`);
}

await runCommand(command, main);
