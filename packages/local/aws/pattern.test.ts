import { expect, test } from "vitest";
import { matches, PatternError } from "./pattern.ts";

const event = { source: "spyhop", "detail-type": "report.built", detail: { state: "HALTED", tags: ["a", "b"] } };

test("every field of the pattern must hold one of its values", () => {
  expect(matches({ source: ["spyhop"], "detail-type": ["x", "report.built"] }, event)).toBe(true);
  expect(matches({ source: ["other"] }, event)).toBe(false);
  expect(matches({ detail: { state: ["HALTED"] } }, event)).toBe(true);
  expect(matches({ detail: { tags: ["b"] } }, event)).toBe(true);
  expect(matches({ detail: { missing: ["b"] } }, event)).toBe(false);
});

test("an operator is refused, never ignored", () => {
  expect(() => matches({ source: [{ prefix: "spy" }] as never }, event)).toThrow(PatternError);
});
