import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { type Arguments, type Command, runCommand } from "#host/cli";

const command: Command = {
  usage: "npm run check --",
  summary: "Runs everything that a commit must pass, and names each step that does not.",
  options: { "no-tests": { says: "leave out the tests" } },
  notes: [
    "The steps are format and lint (Biome), types (tsc), the house's dependency rules (dependency-cruiser), unused files,",
    "exports and dependencies, and those that only tests use (knip), and the tests (vitest), among them the drizzle schema",
    "against the migrations and the topology against the functions.",
  ],
};

const bin = (name: string): string => `node_modules/.bin/${name}`;
const steps: readonly (readonly [string, readonly string[]])[] = [
  ["lint", [bin("biome"), "ci", "--error-on-warnings", "."]],
  ["types", [bin("tsc"), "--noEmit"]],
  [
    "dependency rules",
    [
      bin("depcruise"),
      "--config",
      ".dependency-cruiser.cjs",
      ...["packages", "functions", "stacks", "scripts", "web"].filter((folder) => existsSync(folder)),
    ],
  ],
  ["unused code", [bin("knip"), "--no-progress"]],
  ["code that only tests use", [bin("knip"), "--no-progress", "--production"]],
  ["tests", [process.execPath, "node_modules/vitest/vitest.mjs", "run"]],
];

/** Steps that did not pass; each has printed why. */
class FailedStepsError extends Error {
  override name = "FailedStepsError";
}

async function main(given: Arguments): Promise<void> {
  const failed: string[] = [];
  for (const [name, [program = "", ...args]] of steps) {
    if (name === "tests" && given.flag("no-tests")) continue;
    const began = performance.now();
    const { status } = spawnSync(program, args, { stdio: "inherit" });
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    console.log(`check: ${name} ${status === 0 ? "ok" : "FAILED"} (${seconds} s)`);
    if (status !== 0) failed.push(name);
  }
  if (failed.length > 0) throw new FailedStepsError(`${failed.join(", ")}; see above`);
}

await runCommand(command, main);
