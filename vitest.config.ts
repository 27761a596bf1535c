import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{packages,functions,stacks,scripts}/**/*.test.ts"],
    // Every row that any query returns is held against its declaration; a whole run must have seen every part of each.
    globalSetup: ["packages/testing/seed.ts", "packages/testing/row-coverage.ts"],
    setupFiles: ["packages/testing/setup.ts", "packages/testing/watched-rows.ts", "packages/testing/error-lines.ts"],
    // No test measures time. What waits for a server or a child sees at once when that ended; a busy machine may be slow.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    // Two workers: a laptop's embedded databases take memory, and a small machine has two cores.
    maxWorkers: 2,
  },
});
