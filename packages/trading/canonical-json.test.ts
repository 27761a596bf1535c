import fc from "fast-check";
import { expect, test } from "vitest";
import { jsonValue } from "#testing/json";
import { canonicalJson, hashOf, type Json } from "./canonical-json.ts";

test("keys are sorted at every level", () => {
  expect(canonicalJson({ b: [{ d: 1, c: null }], a: "x" })).toBe('{"a":"x","b":[{"c":null,"d":1}]}');
  expect(() => canonicalJson({ a: Number.NaN })).toThrow(RangeError);
});

test("a hash survives a round trip through JSON in any order of keys", () => {
  fc.assert(
    fc.property(jsonValue, (value) => {
      const read = JSON.parse(JSON.stringify(value), (_, item: unknown) =>
        typeof item === "object" && item !== null && !Array.isArray(item)
          ? Object.fromEntries(Object.entries(item).reverse())
          : item,
      ) as Json;
      expect(hashOf(read)).toBe(hashOf(value as Json));
    }),
  );
});
