import { expect, test } from "vitest";
import { wrapped } from "./text-columns.ts";

test("text is broken between words alone, so that an address or a path stays whole", () => {
  const text =
    "The HTTP API is at http://127.0.0.1:8787 (/health /bias /events /wallets /orders /positions /reports/latest).";
  const lines = wrapped(text, 40);
  expect(lines.join(" ")).toBe(text);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(40);
});
