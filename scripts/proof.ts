import { globSync, readFileSync, rmSync } from "node:fs";
import { basename } from "node:path";
import { Stryker } from "@stryker-mutator/core";
import { type Arguments, type Command, runCommand, UsageError } from "#host/cli";
import { HAND_MUTANTS } from "./proof/hand.ts";
import { leastOf, type MutantResult, PROVEN, reasonless, type Score, scoresOf } from "./proof/score.ts";
import { livingAmong } from "./proof/try-hand.ts";

const command: Command = {
  usage: "npm run proof --",
  summary:
    "Shows that the tests of what must never be wrong bite: changes each of its lines in every way that Stryker knows, and runs the tests that reach it. A change that no test finds has survived.",
  operand: { value: "FILE", says: "prove these files alone", many: true },
  options: {
    concurrency: { value: "N", says: "test runners at once", default: "1" },
    hand: { says: "try only the changes that are written down in scripts/proof/hand.ts, which all must be found" },
    fresh: { says: "try every mutant again, not only those whose code or tests changed since the last proof" },
  },
  notes: [
    `It proves ${PROVEN.join(", ")}:`,
    "at least 80 % of each file's mutants must be found, and 85 % where trades are decided. An hour or two from nothing, less after that.",
    'docs/runbook.md, "Tests that bite", says how to read it.',
  ],
};

/** Where Stryker works and remembers. */
const FOLDER = ".spyhop/proof";
const MEMORY = ".spyhop/proof.json";

/** Too many changes survived, or some are left out without a reason. */
class ProofError extends Error {
  override name = "ProofError";
}

const provenFiles = (): string[] =>
  globSync([...PROVEN], { exclude: (name) => name.endsWith(".test.ts") })
    .filter((path) => !path.endsWith(".test.ts"))
    .toSorted();

function chosenFiles(given: Arguments): string[] {
  const all = provenFiles();
  const named = given.operands();
  const strange = named.find((path) => !all.includes(path));
  if (strange !== undefined) throw new UsageError(`"${strange}" is not proven; these are: ${all.join(", ")}`);
  return named.length > 0 ? [...named] : all;
}

const lineOf = ({ file, killed, survived, ignored, percent }: Score): string =>
  `${file.padEnd(32)} ${percent.toFixed(1).padStart(5)} %  ${killed} found, ${survived} survived${ignored > 0 ? `, ${ignored} ignored` : ""}`;

/** Tries what is written down by hand. Returns a problem for each change that no test finds. */
async function byHand(files: readonly string[]): Promise<string[]> {
  const own = HAND_MUTANTS.filter(({ file }) => files.includes(file));
  const living = await livingAmong(own, ({ file, says }, lives) =>
    process.stdout.write(`${lives ? "LIVES" : "found"}  ${basename(file)}: ${says}\n`),
  );
  process.stdout.write(`by hand: ${own.length - living.length} of ${own.length} found\n`);
  return living.map(({ file, says }) => `${file} may come to "${says}", and no test finds it`);
}

async function main(given: Arguments): Promise<void> {
  const files = chosenFiles(given);
  const concurrency = given.count("concurrency") ?? 0;
  if (concurrency < 1) throw new UsageError("--concurrency takes a number above 0");
  if (given.flag("fresh")) rmSync(MEMORY, { force: true });
  const problems = await byHand(files);
  if (!given.flag("hand")) problems.push(...(await byStryker(files, concurrency)));
  if (problems.length > 0) throw new ProofError(problems.join("\n"));
}

/** Tries every change that Stryker knows. Returns a problem for each file that is too weak or leaves some out for no reason. */
async function byStryker(files: string[], concurrency: number): Promise<string[]> {
  const silent = files.flatMap((file) => reasonless(file, readFileSync(file, "utf8")));
  const stryker = new Stryker({
    mutate: files,
    testRunner: "vitest",
    plugins: ["@stryker-mutator/vitest-runner"],
    vitest: { configFile: "scripts/proof/vitest.config.ts" },
    coverageAnalysis: "perTest",
    concurrency,
    timeoutMS: 30_000, // a busy machine is no endless loop
    incremental: true,
    incrementalFile: MEMORY,
    tempDirName: FOLDER,
    ignorePatterns: ["recordings", "docs", "stacks", "functions", "web"],
    reporters: ["clear-text"],
    clearTextReporter: { logTests: false, reportTests: false, reportScoreTable: false },
    warnings: false,
  });
  const results: readonly MutantResult[] = await stryker.runMutationTest();
  const scores = scoresOf(files, results);
  process.stdout.write(`${scores.map(lineOf).join("\n")}\n`);
  const weak = scores.filter(({ file, percent }) => percent < leastOf(file));
  return [...weak.map(({ file }) => `${file} is below ${leastOf(file)} %: add tests that find more`), ...silent];
}

await runCommand(command, main);
