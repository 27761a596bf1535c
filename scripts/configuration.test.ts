import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runToEnd } from "#testing/command";

test("docs/configuration.md is what the schemas say (node scripts/configuration.ts > docs/configuration.md)", async () => {
  const { code, text } = await runToEnd("configuration.ts", []);
  expect(code).toBe(0);
  expect(readFileSync(join(import.meta.dirname, "../docs/configuration.md"), "utf8")).toBe(text);
}, 60_000);
