import { defineConfig } from "vitest/config";

/** Of the desk those whose books are in memory. */
const IN_MEMORY =
  "{account/{arming,assert-account,ensure-leverage},plan-lane,price-fees,settle-orders,submit-order,sweep-approved,trip-account,stops/{adopt-fired,cover-replies,leg-replies,watch-stops}}";

/**
 * The tests that the proof runs against each mutant: those of the mutated folders that need no database. One seed, so
 * that a mutant that a property kills is killed in the next run too.
 */
export default defineConfig({
  test: {
    include: ["packages/{units,chain,bias,trading}/**/*.test.ts", `packages/desk/${IN_MEMORY}.test.ts`],
    setupFiles: ["packages/testing/setup.ts"],
    provide: { seed: 1 },
    testTimeout: 60_000,
  },
});
