import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readKills } from "./kills.ts";
import { MUTANTS } from "./mutants.ts";

const ROOT = join(import.meta.dirname, "../..");

test.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))(
  "what the mutant changes stands once in the file that runs: %s",
  (_, { also = [], ...mutant }) => {
    for (const { file, find, replace } of [mutant, ...also]) {
      expect(readFileSync(join(ROOT, file), "utf8").split(find)).toHaveLength(2);
      expect(replace).not.toBe(find);
    }
  },
);

test("a schedule is kept of mutants alone, in their order", async () => {
  const kept = Object.keys(await readKills());
  expect(kept).toEqual(MUTANTS.map(({ name }) => name).filter((name) => kept.includes(name)));
  expect(kept.length).toBeGreaterThan(10);
});
