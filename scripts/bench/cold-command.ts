import { type Arguments, type Command, runCommand, UsageError } from "#host/cli";
import { runtimeClient } from "../lambda/runtime-client.ts";
import { type ColdStarts, coldStarts } from "./cold.ts";
import { coldLines, overBudget, sizeLines } from "./print.ts";
import { type SizedBundle, sizedBundles } from "./sizes.ts";

const command: Command = {
  usage: "npm run bench -- cold",
  summary:
    "Bundles every function, starts each under AWS's own runtime client for Node, and compares it with its budget and with an empty handler. Fails on too many bytes or too much CPU.",
  options: {
    runs: { value: "N", says: "starts of each function", default: "7" },
    "bytes-only": { says: "bundle and compare the sizes, start nothing" },
    json: { says: "print the figures as JSON" },
  },
  notes: [
    "The runtime client (aws-lambda-ric) is compiled at the first run; where it cannot be, only the bytes are compared.",
    "Budgets: stacks/budgets.ts. docs/benchmarks.md says what the figures mean.",
  ],
};

/** A function costs more than its budget allows. */
class OverBudgetError extends Error {
  override name = "OverBudgetError";
  constructor(problems: readonly string[]) {
    super(`${problems.join("; ")}. See what is in it: npm run bundle -- --why JOB`);
  }
}

async function startsOf(
  given: Arguments,
  bundles: readonly SizedBundle[],
  say: (line: string) => void,
): Promise<ColdStarts | null> {
  if (given.flag("bytes-only")) return null;
  const client = await runtimeClient(say);
  if ("entry" in client) return coldStarts(client.entry, bundles, given.count("runs") ?? 0, say);
  say(`skipped: cold starts. ${client.missing}`);
  return null;
}

async function main(given: Arguments): Promise<void> {
  const say = (line: string): void => void process.stderr.write(`bench: ${line}\n`);
  if (given.count("runs") === 0) throw new UsageError("--runs takes a number above 0");
  const bundles = await sizedBundles();
  const starts = await startsOf(given, bundles, say);
  if (given.flag("json")) process.stdout.write(`${JSON.stringify({ bundles, starts }, null, 2)}\n`);
  else process.stdout.write(`${(starts ? coldLines(bundles, starts) : sizeLines(bundles)).join("\n")}\n`);
  const problems = overBudget(bundles, starts);
  if (problems.length > 0) throw new OverBudgetError(problems);
}

await runCommand(command, main);
