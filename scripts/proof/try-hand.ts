import { dirname, join } from "node:path";
import { startVitest } from "vitest/node";
import { type HandMutant, mutated } from "./hand.ts";

/** Runs the tests of a folder over a file as it is changed, or as it is. Returns whether one failed. */
async function fails(folder: string, mutant: HandMutant | null): Promise<boolean> {
  const vitest = await startVitest(
    "test",
    [folder],
    { config: "scripts/proof/vitest.config.ts", watch: false, bail: 1, reporters: [{}] },
    {
      plugins: [
        {
          name: "hand-mutant",
          enforce: "pre",
          transform: (code, id) =>
            mutant !== null && id === join(process.cwd(), mutant.file) ? mutated(mutant, code) : null,
        },
      ],
    },
  );
  const failed = vitest.state.getCountOfFailedTests() + vitest.state.getUnhandledErrors().length;
  const ran = vitest.state.getTestModules().length;
  await vitest.close();
  process.exitCode = 0; // a test that fails is what is wanted here
  if (ran === 0) throw new Error(`${folder} has no test to prove`);
  return failed > 0;
}

/**
 * Returns those of `mutants` that no test of their folder finds, each told by `note` as it is tried.
 * @throws Error when the tests fail over the files as they are
 */
export async function livingAmong(
  mutants: readonly HandMutant[],
  note: (mutant: HandMutant, lives: boolean) => void,
): Promise<HandMutant[]> {
  for (const folder of new Set(mutants.map(({ file }) => dirname(file))))
    if (await fails(folder, null)) throw new Error(`the tests of ${folder} fail without any change: mend them first`);
  const living: HandMutant[] = [];
  for (const mutant of mutants) {
    const lives = !(await fails(dirname(mutant.file), mutant));
    note(mutant, lives);
    if (lives) living.push(mutant);
  }
  return living;
}
