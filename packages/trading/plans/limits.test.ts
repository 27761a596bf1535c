import { expect, test } from "vitest";
import { ETH_SWAP } from "#testing/instruments";
import { decimalOf } from "#units/decimal";
import { instantOf } from "#units/time";
import { checkLimits, fallOf, type LimitInput } from "./limits.ts";
import { POLICY } from "./policy.ts";

const AT = instantOf("2022-06-21T02:40:00.000Z");
const before = (text: string) => instantOf(`2022-06-21T02:${text}.000Z`);

/** Within every limit, with none of its figures equal to another's. */
const input = (overrides: Partial<LimitInput> = {}): LimitInput => ({
  at: AT,
  control: { state: "ACTIVE", epoch: 1 },
  ...{ equity: decimalOf("100000"), dayStart: decimalOf("100100"), peak: decimalOf("101000") },
  ...{ orderUsd: decimalOf("1000"), assetUsd: decimalOf("2000"), grossUsd: decimalOf("5000") },
  ...{ tradeRiskUsd: decimalOf("30"), otherRiskUsd: decimalOf("70") },
  ...{ stopsLastDay: 1, lastClosedAt: before("00:00"), ordersLastMinute: 2, biasAt: before("39:00") },
  quote: {
    ...{ instrument: ETH_SWAP.id, bid: decimalOf("999"), ask: decimalOf("1001"), mark: decimalOf("1000") },
    at: before("39:55"),
  },
  quotedAt: AT,
  ...{ contracts: decimalOf("10"), hourVolume: decimalOf("5000"), instrument: ETH_SWAP },
  ...overrides,
});

const quoted = (bid: string, ask: string, at = before("39:55")): Partial<LimitInput> => ({
  quote: { instrument: ETH_SWAP.id, bid: decimalOf(bid), ask: decimalOf(ask), mark: decimalOf("1000"), at },
});
const usd = (name: keyof LimitInput, value: string): Partial<LimitInput> => ({ [name]: decimalOf(value) });
const check = (name: string, overrides: Partial<LimitInput>) =>
  checkLimits(input(overrides), POLICY).find((limit) => limit.name === name);

// limit, what is changed → allowed, used, whether it holds. At the limit and the least step beyond it.
const CASES: readonly [string, Partial<LimitInput>, string, string, boolean][] = [
  ["trading_state", {}, "0", "0", true],
  ["trading_state", { control: { state: "REDUCING", epoch: 1 } }, "0", "1", false],
  ["trading_state", { control: { state: "HALTED", epoch: 1 } }, "0", "2", false],
  ["order_notional_usd", usd("orderUsd", "25000"), "25000", "25000", true],
  ["order_notional_usd", usd("orderUsd", "25000.01"), "25000", "25000.01", false],
  ["asset_notional_usd", usd("assetUsd", "50000"), "50000", "50000", true],
  ["asset_notional_usd", usd("assetUsd", "50000.01"), "50000", "50000.01", false],
  ["gross_notional_usd", usd("grossUsd", "100000"), "100000", "100000", true],
  ["gross_notional_usd", usd("grossUsd", "100000.01"), "100000", "100000.01", false],
  ["leverage", usd("grossUsd", "200000"), "2", "2", true],
  ["leverage", usd("grossUsd", "200001"), "2", "2.00001", false],
  [
    "leverage",
    { ...usd("grossUsd", "150000"), instrument: { ...ETH_SWAP, maxLeverage: decimalOf("1") } },
    "1",
    "1.5",
    false,
  ],
  ["leverage", { ...usd("equity", "0"), ...usd("grossUsd", "1") }, "2", "1", true],
  ["trade_risk", usd("tradeRiskUsd", "500"), "0.005", "0.005", true],
  ["trade_risk", usd("tradeRiskUsd", "500.01"), "0.005", "0.0050001", false],
  ["trade_risk", usd("equity", "0"), "0.005", "1", false],
  ["trade_risk", usd("equity", "-5"), "0.005", "1", false],
  ["trade_risk", { ...usd("equity", "0"), ...usd("tradeRiskUsd", "0") }, "0.005", "0", true],
  ["portfolio_risk", usd("otherRiskUsd", "2970"), "0.03", "0.03", true],
  ["portfolio_risk", usd("otherRiskUsd", "2970.01"), "0.03", "0.0300001", false],
  ["daily_loss", usd("dayStart", "102040"), "0.02", "0.01999216", true],
  ["daily_loss", usd("equity", "98098"), "0.02", "0.02", false], // of 100,100: a fall that has reached it
  ["drawdown", usd("equity", "92921"), "0.08", "0.0799901", true],
  ["drawdown", usd("equity", "92920"), "0.08", "0.08", false], // of 101,000
  ["drawdown", usd("equity", "101001"), "0.08", "0", true],
  ["stops_in_24h", { stopsLastDay: 2 }, "3", "2", true],
  ["stops_in_24h", { stopsLastDay: 3 }, "3", "3", false],
  ["cooldown_seconds", { lastClosedAt: null }, "0", "0", true],
  ["cooldown_seconds", { lastClosedAt: before("25:00") }, "0", "0", true],
  ["cooldown_seconds", { lastClosedAt: before("25:01") }, "0", "1", false],
  ["cooldown_seconds", { lastClosedAt: before("00:00") }, "0", "0", true],
  ["orders_a_minute", { ordersLastMinute: 5 }, "6", "5", true],
  ["orders_a_minute", { ordersLastMinute: 6 }, "6", "6", false],
  ["bias_age_seconds", { biasAt: before("30:00") }, "600", "600", true],
  ["bias_age_seconds", { biasAt: before("29:59") }, "600", "601", false],
  ["quote_age_seconds", quoted("999", "1001", before("39:50")), "10", "10", true],
  ["quote_age_seconds", quoted("999", "1001", before("39:49")), "10", "11", false],
  ["quote_age_seconds", quoted("999", "1001", before("41:00")), "10", "0", true],
  ["quote_ahead_seconds", quoted("999", "1001", before("40:02")), "2", "2", true],
  ["quote_ahead_seconds", quoted("999", "1001", before("40:03")), "2", "3", false],
  ["quote_ahead_seconds", quoted("999", "1001", before("39:00")), "2", "0", true],
  // The plan's own time says nothing of a quote: its message may have waited.
  ["quote_age_seconds", { at: before("38:00") }, "10", "5", true],
  ["quote_ahead_seconds", { at: before("38:00") }, "2", "0", true],
  ["slippage_bps", quoted("998", "1002"), "20", "20", true],
  ["slippage_bps", quoted("997.9", "1002.1"), "20", "21", false],
  ["slippage_bps", quoted("0", "0"), "20", "0", true],
  ["prices_missing", quoted("0.01", "1002"), "0", "0", true],
  ["prices_missing", quoted("0", "1002"), "0", "1", false],
  ["prices_missing", quoted("-2", "-1"), "0", "2", false],
  ["crossed_bps", quoted("999.99", "1000"), "0", "0", true],
  ["crossed_bps", quoted("1000", "1000"), "0", "0", false], // a bid at the ask is crossed as well
  ["crossed_bps", quoted("0", "0"), "0", "0", true],
  ["crossed_bps", quoted("1001", "999"), "0", "20", false],
  ["liquidity_contracts", usd("contracts", "50"), "50", "50", true],
  ["liquidity_contracts", usd("contracts", "50.1"), "50", "50.1", false],
];

test.each(CASES)("%s of %o: %s allowed, %s used, ok %s", (name, overrides, limit, used, ok) => {
  expect(check(name, overrides)).toMatchObject({ limit, used, ok });
});

test("each limit is told once, in the order of the checks, and the input of these cases holds them all", () => {
  const checks = checkLimits(input(), POLICY);
  expect(checks.filter(({ ok }) => !ok)).toEqual([]);
  expect(checks.map(({ name }) => name)).toEqual([...new Set(CASES.map(([name]) => name))]);
});

test("a fall is a share of where it began, and a rise is none", () => {
  const fall = (from: string, to: string) => fallOf(decimalOf(from), decimalOf(to));
  expect([fall("200", "150"), fall("200", "200"), fall("200", "250"), fall("3", "2")]).toEqual([
    ...["0.25", "0", "0", "0.33333333"],
  ]);
  expect(fall("0", "-5")).toBe("1"); // a share of nothing
});
