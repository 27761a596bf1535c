import { resolve } from "node:path";
import { expect, test } from "vitest";
import { sharedPath } from "./blocks.ts";

// Tests of recorded blocks are skipped where there are none. A wrong path would skip them everywhere, and say nothing.
test("recordings are sought beside the repository", () =>
  expect(sharedPath("data")).toBe(resolve(process.cwd(), "../shared/data")));
