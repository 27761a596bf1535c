/** Returns the middle of `values`, the mean of the two middle ones when there are two; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2;
}

/** Returns the smallest of `values` that at least the share `p` of them is not above; NaN of none. */
export const percentile = (values: readonly number[], p: number): number =>
  values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(p * values.length) - 1)] ?? Number.NaN;

/** Several measurements of one thing. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Returns the median, the smallest and the largest of `values`. */
export const spread = (values: readonly number[]): Spread => ({
  median: median(values),
  min: Math.min(...values),
  max: Math.max(...values),
});

/** Returns "12.3 (11.9 to 14.0)". */
export const spreadText = ({ median: middle, min, max }: Spread, digits = 1): string =>
  `${middle.toFixed(digits)} (${min.toFixed(digits)} to ${max.toFixed(digits)})`;

/** Returns a size as "12.3 KiB". */
export const kib = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KiB`;
