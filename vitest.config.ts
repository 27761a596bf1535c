import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{packages,functions,stacks,scripts}/**/*.test.ts"],
    globalSetup: "packages/testing/seed.ts",
    setupFiles: "packages/testing/setup.ts",
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Two workers: a laptop's embedded databases take memory, and a small machine has two cores.
    maxWorkers: 2,
  },
});
