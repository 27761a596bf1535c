import { defineConfig } from "vitest/config";

/**
 * The tests that the proof runs against each mutant: those of the mutated folders, which need no database. One seed, so
 * that a mutant that a property kills is killed in the next run too.
 */
export default defineConfig({
  test: {
    include: ["packages/{units,chain,bias,trading/plans}/**/*.test.ts"],
    setupFiles: ["packages/testing/setup.ts"],
    provide: { seed: 1 },
    testTimeout: 60_000,
  },
});
