import { expect, test } from "vitest";
import { wrapped } from "./text-columns.ts";

test("text is broken between words alone, so that an address or a path stays whole", () => {
  const text = "The HTTP API is at http://127.0.0.1:8787 (/api/health /api/bias /api/events /api/orders).";
  const lines = wrapped(text, 40);
  expect(lines.join(" ")).toBe(text);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(40);
});
