import { randomInt } from "node:crypto";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    readonly seed: number;
  }
}

/**
 * Once a run: takes the seed of every property from SEED, or draws one, and prints how to run with it again.
 * @throws RangeError when SEED is no whole number of 32 bits.
 */
export default function drawSeed(project: TestProject): void {
  const given = process.env.SEED;
  const seed = given ? Number(given) : randomInt(2 ** 31);
  if (!Number.isInteger(seed) || seed !== (seed | 0)) {
    throw new RangeError(`SEED is a whole number from -2147483648 to 2147483647, not ${given}`);
  }
  console.log(`seed of the properties: ${seed} (the same again: SEED=${seed} npm test -- PATH)`);
  project.provide("seed", seed);
}
