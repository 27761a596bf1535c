import fc from "fast-check";
import { expect, test } from "vitest";
import { randomOf } from "./random.ts";

const draws = (stream: string, count: number) => {
  const random = randomOf("seed", stream);
  return Array.from({ length: count }, () => random.unit());
};

test("a stream is the same every time, and its own", () => {
  expect(draws("a", 50)).toEqual(draws("a", 50));
  expect(draws("a", 50)).not.toEqual(draws("b", 50));
});

test("draws stay in their range", () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 1000 }), (seed, limit) => {
      const random = randomOf(seed, "range");
      for (let draw = 0; draw < 50; draw += 1) {
        const integer = random.below(limit);
        expect(Number.isInteger(integer) && integer >= 0 && integer < limit).toBe(true);
        expect(Math.abs(random.normal())).toBeLessThanOrEqual(6);
      }
    }),
    { numRuns: 30 },
  );
});

test("normal draws have mean 0 and variance 1", () => {
  const random = randomOf("seed", "normal");
  const values = Array.from({ length: 20_000 }, () => random.normal());
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  expect(Math.abs(mean)).toBeLessThan(0.03);
  expect(Math.abs(variance - 1)).toBeLessThan(0.05);
});

test("shuffling keeps every item once", () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), (items) => {
      const shuffled = randomOf("seed", "shuffle").shuffled(items);
      expect([...shuffled].sort((a, b) => a - b)).toEqual([...items].sort((a, b) => a - b));
    }),
  );
});

test("nothing can be picked from nothing", () => {
  expect(() => randomOf("seed", "pick").pick([])).toThrow(RangeError);
});
