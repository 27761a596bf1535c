import fc from "fast-check";
import { expect, test } from "vitest";
import { big, decimalOf, text } from "#units/decimal";
import { instantOf } from "#units/time";
import {
  averagePrice,
  compact,
  exact,
  listed,
  money,
  percent,
  plural,
  price,
  probability,
  signed,
  signedMoney,
  span,
  usd,
} from "./format.ts";

test.each([
  ["0", "0"],
  ["1200345.67", "1.2M"],
  ["999950", "1M"],
  ["999499", "999k"],
  ["12345", "12.3k"],
  ["1000", "1k"],
  ["950.4", "950"],
  ["99.96", "100"],
  ["12.346", "12.35"],
  ["0.0042", "0.0042"],
  ["0.123456", "0.12"],
  ["0.0615", "0.062"],
  ["-0.0615", "-0.062"],
  ["0.999", "1.00"],
  ["0.0999", "0.1"],
  ["0.00000099996", "<0.000001"],
  ["-826400", "-826k"],
  ["3400000000", "3.4B"],
  ["0.0000000001", "<0.000001"],
])("%s is short as %s", (amount, short) => expect(compact(decimalOf(amount))).toBe(short));

test.each([
  [1, "> 99%"],
  [0.996, "> 99%"],
  [0.99, "99%"],
  [0.714, "71%"],
  [0.01, "1%"],
  [0, "< 1%"],
])("a probability of %d is never told as certain: %s", (share, shown) => expect(probability(share)).toBe(shown));

test("a size keeps every digit of its lot", () => {
  expect(exact(decimalOf("0.0615"))).toBe("0.0615");
  expect(exact(decimalOf("12345.6780"))).toBe("12,345.678");
  expect(exact(decimalOf("-1000"))).toBe("-1,000");
});

test("an average price has the places that make size times price right to the cent", () => {
  expect(averagePrice(decimalOf("2501.931234567"), decimalOf("1.11"))).toBe("2,501.9312");
  expect(averagePrice(decimalOf("7.0612345"), decimalOf("503"))).toBe("7.061234");
  expect(averagePrice(decimalOf("1127.4"), decimalOf("12"))).toBe("1,127.40");
  const money = fc.bigInt({ min: 1n, max: 10n ** 24n }).map((value) => text(big(value).div("1e18")));
  fc.assert(
    fc.property(money, money, (average, size) => {
      const shown = decimalOf(averagePrice(average, size).replaceAll(",", ""));
      expect(big(shown).minus(average).times(size).abs().lte("0.005")).toBe(true);
    }),
  );
});

test("an unknown value is unpriced, and zero is zero", () => {
  expect(usd(null)).toBe("unpriced");
  expect(usd(decimalOf("0"))).toBe("0 USD");
});

test("a short amount is within three per cent of the exact one, and short", () => {
  const amounts = fc.bigInt({ min: 1_000_000_000_000n, max: 10n ** 30n }).map((value) => text(big(value).div("1e18")));
  fc.assert(
    fc.property(amounts, (amount) => {
      const short = compact(amount);
      expect(short.length).toBeLessThanOrEqual(9);
      const scale = { k: "1000", M: "1000000", B: "1000000000" }[short.at(-1) ?? ""] ?? "1";
      const shown = big(decimalOf(short.replace(/[kMB]$/, ""))).times(scale);
      // Two significant digits are the least that is kept: 0.0105 is shown as 0.01.
      expect(shown.minus(amount).abs().div(amount).lte("0.05")).toBe(true);
    }),
  );
});

test("money keeps its cents and groups its thousands", () => {
  expect(money(decimalOf("1234567.891"))).toBe("1,234,567.89");
  expect(money(decimalOf("-0.004"))).toBe("0.00");
  expect(signedMoney(decimalOf("23.4"))).toBe("+23.40");
  expect(signedMoney(decimalOf("-0.1"))).toBe("-0.10");
  expect(signedMoney(decimalOf("0"))).toBe("0.00");
});

test("numbers carry their sign, and there is no minus zero", () => {
  expect(signed(0.312)).toBe("+0.31");
  expect(signed(-0.001)).toBe("0.00");
  expect(percent(-0.00001, 2)).toBe("0.00%");
  expect(percent(0.6149)).toBe("61%");
});

test("prices, spans, counts and lists read as a person writes them", () => {
  expect(price(decimalOf("0.06213"))).toBe("0.06213");
  expect(price(decimalOf("1127.4"))).toBe("1,127.40");
  expect(span(instantOf("2022-06-21T00:00:00.000Z"), instantOf("2022-06-21T04:00:00.000Z"))).toBe("4 h");
  expect(span(instantOf("2022-06-21T00:00:00.000Z"), instantOf("2022-06-22T06:07:00.000Z"))).toBe("30 h 7 min");
  expect(span(instantOf("2022-06-21T00:00:00.000Z"), instantOf("2022-06-21T00:00:45.000Z"))).toBe("45 s");
  expect(plural(0, "order")).toBe("no orders");
  expect(plural(1200, "order")).toBe("1,200 orders");
  expect(listed(["a", "b", "c"])).toBe("a, b and c");
});
