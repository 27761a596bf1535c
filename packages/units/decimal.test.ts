import fc from "fast-check";
import { expect, test } from "vitest";
import { big, Decimal, decimalOf, fixed, floorTo, parseDecimal, text, units, ZERO } from "./decimal.ts";

const UINT256 = 2n ** 256n - 1n;
const amount = fc.bigInt({ min: -UINT256, max: UINT256 });
const decimals = fc.integer({ min: 0, max: 36 });
/** Any plain decimal, with leading and trailing zeros as others write them. */
const written = fc
  .tuple(fc.constantFrom("", "-"), fc.bigInt({ min: 0n, max: UINT256 }), fc.stringMatching(/^(\.\d{1,30})?$/))
  .map(([sign, whole, fraction]) => `${sign}${whole}${fraction}`);
const canonical = written.map((value) => text(decimalOf(value)));

test.each([
  ["1500000", 6, "1.5"],
  ["1", 18, "0.000000000000000001"],
  ["-1", 18, "-0.000000000000000001"],
  ["0", 18, "0"],
  ["1000", 0, "1000"],
  ["1000", 3, "1"],
  ["-1000", 2, "-10"],
  [String(UINT256), 18, "115792089237316195423570985008687907853269984665640564039457.584007913129639935"],
  [String(UINT256), 0, String(UINT256)],
])("units(%s, %i) is %s", (value, places, expected) => {
  expect(units(BigInt(value), places)).toBe(expected);
});

test("units is exact for any uint256 and sign, and reads back as the amount", () => {
  fc.assert(
    fc.property(amount, decimals, (value, places) => {
      const whole = units(value, places);
      const [integer = "", fraction = ""] = whole.split(".");
      expect(BigInt(integer + fraction.padEnd(places, "0"))).toBe(value);
      expect(Decimal.parse(whole)).toBe(whole);
      expect(text(whole)).toBe(whole); // canonical already: no trailing zero, no "-0"
    }),
  );
});

test("units adds up as amounts do", () => {
  fc.assert(
    fc.property(amount, amount, decimals, (a, b, places) => {
      expect(text(big(units(a, places)).plus(units(b, places)))).toBe(units(a + b, places));
    }),
  );
});

test("text has no exponent and no trailing zeros, and is its own text", () => {
  fc.assert(
    fc.property(written, (value) => {
      const plain = text(decimalOf(value));
      expect(plain).toMatch(/^-?(0|[1-9]\d*)(\.\d*[1-9])?$/);
      expect(text(plain)).toBe(plain);
      expect(big(plain).eq(big(decimalOf(value)))).toBe(true);
    }),
  );
});

test.each([
  [1e-7, "0.0000001"],
  [1e21, "1000000000000000000000"],
  [-0, "0"],
  [0.1 + 0.2, "0.30000000000000004"],
  [12n, "12"],
  [decimalOf("1.500"), "1.5"],
  [decimalOf("-0.00"), "0"],
])("text(%s) is %s", (value, expected) => {
  expect(text(value)).toBe(expected);
});

test("a number for arithmetic is exact from any source, and shows no exponent up to sixty digits", () => {
  fc.assert(
    fc.property(amount, (value) => {
      expect(big(value).toFixed()).toBe(String(value));
      expect(big(big(value)).eq(big(decimalOf(String(value))))).toBe(true);
    }),
  );
  expect([String(big(10n ** 30n)), String(big(decimalOf(`0.${"0".repeat(29)}1`)))]).toEqual([
    `1${"0".repeat(30)}`,
    `0.${"0".repeat(29)}1`,
  ]);
});

test.each([
  ["0.5", 0, "0"],
  ["1.5", 0, "2"],
  ["2.5", 0, "2"],
  ["-2.5", 0, "-2"],
  ["2.51", 0, "3"],
  ["0.125", 2, "0.12"],
  ["0.135", 2, "0.14"],
  ["1.5", 2, "1.50"],
  ["-0.001", 2, "-0.00"],
  ["7", 8, "7.00000000"],
])("fixed(%s, %i) is %s: half to even, digits kept", (value, places, expected) => {
  expect(fixed(decimalOf(value), places)).toBe(expected);
});

test("fixed is at most half a last digit away, is even at the half, and does not care for the sign", () => {
  fc.assert(
    fc.property(canonical, fc.integer({ min: 0, max: 20 }), (value, places) => {
      const rounded = fixed(value, places);
      expect(rounded.split(".")[1]?.length ?? 0).toBe(places);
      const step = big(units(1n, places));
      const off = big(rounded).minus(value).abs();
      expect(off.times(2).lte(step)).toBe(true);
      if (off.times(2).eq(step)) expect(BigInt(rounded.replace(".", "")) % 2n).toBe(0n);
      expect(big(fixed(text(big(value).neg()), places)).eq(big(rounded).neg())).toBe(true);
    }),
  );
});

test("floorTo is the largest multiple of the step that is not above in magnitude", () => {
  const positive = fc.tuple(fc.bigInt({ min: 1n, max: 10n ** 12n }), fc.integer({ min: 0, max: 10 }));
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n }), positive, (value, [lot, places]) => {
      const [size, step] = [units(value, 8), units(lot, places)];
      const floored = floorTo(size, step);
      expect(floored.mod(step).eq(0)).toBe(true);
      expect(floored.abs().lte(big(size).abs())).toBe(true);
      expect(big(size).minus(floored).abs().lt(step)).toBe(true);
      expect(floored.eq(0) || floored.s === big(size).s).toBe(true);
    }),
  );
});

test.each([
  ["1.27", "0.1", "1.2"],
  ["-1.27", "0.1", "-1.2"],
  ["0.09", "0.1", "0"],
  ["10", "3", "9"],
  ["0.3", "0.1", "0.3"],
])("floorTo(%s, %s) is %s", (value, step, expected) => {
  expect(text(floorTo(decimalOf(value), decimalOf(step)))).toBe(expected);
});

test("decimalOf keeps every digit; parseDecimal reads any notation into the plain one", () => {
  fc.assert(
    fc.property(written, (value) => {
      expect(decimalOf(value)).toBe(value);
      expect(parseDecimal(value)).toBe(text(decimalOf(value)));
    }),
  );
  expect(parseDecimal("1e-7")).toBe("0.0000001");
  expect(parseDecimal("-2.50E+3")).toBe("-2500");
  expect(ZERO).toBe("0");
});

test.each(["", " 1", "1e5", "1.", ".5", "+1", "NaN", "Infinity", "0x1", "1,5", "--1", "2022-06-21T00:00:00.000Z"])(
  "%j is no decimal, and is named",
  (value) => {
    expect(() => decimalOf(value)).toThrow(new RangeError(`not a decimal: ${value}`));
    expect(Decimal.safeParse(value).success).toBe(false);
  },
);

test.each([Number.NaN, Number.POSITIVE_INFINITY])("%s has no exact value", (value) => {
  expect(() => big(value)).toThrow(/Invalid number/);
});

test.each(["", "one", "1.5.2"])("parseDecimal refuses %j", (value) => {
  expect(() => parseDecimal(value)).toThrow(/Invalid number/);
});
