import { expect, test } from "vitest";
import { kib, median, percentile, spread, spreadText } from "./figures.ts";

test.each([
  [[3], 3],
  [[9, 1, 5], 5],
  [[4, 1, 3, 2], 2.5],
  [[], Number.NaN],
])("the median of %j is %d", (values, middle) => {
  expect(median(values)).toBe(middle);
});

test("a spread names its middle and its ends", () => {
  expect(spread([30, 10, 20])).toEqual({ median: 20, min: 10, max: 30 });
  expect(spreadText(spread([30, 10, 20]))).toBe("20.0 (10.0 to 30.0)");
  expect(kib(1536)).toBe("1.5 KiB");
});

test("a percentile is a value that was measured", () => {
  const values = Array.from({ length: 200 }, (_, i) => 200 - i);
  expect([0, 0.5, 0.99, 1].map((p) => percentile(values, p))).toEqual([1, 100, 198, 200]);
  expect(percentile([], 0.5)).toBeNaN();
});
