import fc from "fast-check";
import { expect, test } from "vitest";
import { positionWith, recordsWith, SCOPE } from "#testing/report";
import { big, decimalOf, text } from "#units/decimal";
import { instantOf } from "#units/time";
import { Metrics, metricsOf } from "./metrics.ts";

const EMPTY = {
  ...recordsWith(),
  watchedWallets: 0,
  blocks: [],
  events: [],
  outcomes: [],
  equity: [],
  orders: [],
  fills: [],
  positions: [],
};
const amount = fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }).map((value) => text(big(value).div("1e8")));
const equityFrom = (values: readonly string[]) =>
  values.map((equity, index) => ({
    at: instantOf(`2022-06-21T00:${String(index).padStart(2, "0")}:00.000Z`),
    ...{ equity: decimalOf(equity), units: decimalOf("1"), gap: null },
  }));

test("nothing measured is null, never 0", () => {
  const metrics = metricsOf(EMPTY);
  expect(Metrics.parse(metrics)).toEqual(metrics);
  const nothing = { start: null, end: null, change: null, return: null, maxDrawdown: null };
  expect(metrics.equity).toEqual({ ...nothing, transferred: "0", gap: null });
  expect(metrics.trades.winRate).toBeNull();
  expect(metrics.events.unpricedShare).toBeNull();
  expect(metrics.blocks.lagMedianSeconds).toBeNull();
  expect(metrics.outcomes.map((outcome) => outcome.hitRate)).toEqual([null, null, null]);
});

test("F12: what was transferred is no result of a period: neither a change nor a drawdown", () => {
  const [first, second, third] = equityFrom(["1000", "910", "900.9"]);
  const left = { units: decimalOf("0.91") };
  const equity = [first, { ...second, ...left }, { ...third, ...left, gap: decimalOf("0") }] as ReturnType<
    typeof equityFrom
  >;
  expect(metricsOf({ ...EMPTY, equity }).equity).toEqual({
    ...{ start: "1000", end: "900.9", transferred: "-90", change: "-9.1", return: -0.01, maxDrawdown: 0.01, gap: "0" },
  });
});

test("figures of a known period", () => {
  const metrics = metricsOf(recordsWith());
  expect(Metrics.parse(metrics)).toEqual(metrics);
  expect(metrics.blocks).toMatchObject({
    count: 3,
    first: 1,
    last: 4,
    missing: 1,
    lagMedianSeconds: 2,
    lagMaxSeconds: 4,
  });
  expect(metrics.events).toMatchObject({
    count: 3,
    unpriced: 1,
    notionalUsd: "2026745.67",
    byType: { cex_deposit: 1, swap: 2 },
  });
  expect(metrics.equity).toEqual({
    start: "10000",
    end: "10082.04",
    change: "82.04",
    return: 0.008204,
    maxDrawdown: 0.004,
    ...{ transferred: "0", gap: null },
  });
  expect(metrics.pnl).toEqual({ realizedUsd: "14.475", unrealizedUsd: "88.8", feesUsd: "6.7644", fundingUsd: "0" });
  expect(metrics.trades).toEqual({ closed: 1, wins: 1, winRate: 1, chance: 0.5 });
  expect(metrics.outcomes[0]).toEqual({ horizon: "1h", settled: 18, hits: 11, hitRate: 11 / 18, chance: 8 / 18 });
  expect(metrics.exposure.grossUsd).toBe("13617.6");
  expect(metrics.wallets).toEqual({ watched: 42, active: 3 });
});

test("a win is net of fees: one that they take is a loss, and no coin wins it either", () => {
  const closed = (realized: string, fees: string) =>
    positionWith({ closedAt: SCOPE.end, realizedUsd: decimalOf(realized), feesUsd: decimalOf(fees) });
  const positions = [closed("18", "2.77"), closed("1.02", "2.2"), closed("-2.72", "4.94"), closed("-9", "1")];
  expect(metricsOf({ ...EMPTY, positions }).trades).toEqual({ closed: 4, wins: 1, winRate: 0.25, chance: 0.25 });
});

test("fees are summed exactly, in another currency at its price, and one without a price is kept apart", () => {
  fc.assert(
    fc.property(fc.array(amount), (fees) => {
      const fills = fees.map((fee) => ({ notionalUsd: decimalOf("1"), fee, feeAsset: "USDT", feePrice: null }));
      const metrics = metricsOf({
        ...EMPTY,
        fills: [
          ...fills,
          { notionalUsd: decimalOf("1"), fee: decimalOf("0.1"), feeAsset: "ETH", feePrice: null },
          { notionalUsd: decimalOf("1"), fee: decimalOf("0.1"), feeAsset: "OKB", feePrice: decimalOf("50") },
        ],
      });
      expect(metrics.pnl.feesUsd).toBe(text(fees.reduce((sum, fee) => sum.plus(fee), big(5))));
      expect(metrics.feesUnconverted).toEqual({ ETH: "0.1" });
    }),
  );
});

test("turnover is also a multiple of the first equity, a day", () => {
  const scope = { start: instantOf("2022-06-21T00:00:00.000Z"), end: instantOf("2022-06-21T06:00:00.000Z") };
  const fill = { notionalUsd: decimalOf("300"), fee: decimalOf("0.1"), feeAsset: "USDT", feePrice: null };
  const records = { ...EMPTY, scope, fills: [fill, { ...fill, notionalUsd: decimalOf("200") }] };
  const turnover = (values: readonly string[], more = {}) =>
    metricsOf({ ...records, equity: equityFrom(values), ...more }).orders.turnoverADay;
  expect(turnover(["1000", "2000"])).toBe(2);
  expect(turnover([])).toBeNull();
  expect(turnover(["0"])).toBeNull();
  expect(turnover(["1000"], { scope: { start: scope.end, end: scope.end } })).toBeNull();
  expect(turnover(["1000"], { fills: [{ ...fill, notionalUsd: null }] })).toBeNull();
  expect(turnover(["1000"], { fills: [] })).toBe(0);
});

test("turnover is unknown while one fill is unpriced", () => {
  const fills = [
    { notionalUsd: decimalOf("5"), fee: decimalOf("0"), feeAsset: "USDT", feePrice: null },
    { notionalUsd: null, fee: decimalOf("0"), feeAsset: "USDT", feePrice: null },
  ];
  expect(metricsOf({ ...EMPTY, fills }).orders.turnoverUsd).toBeNull();
});

test("drawdown lies in [0, 1], is 0 when equity never falls, and does not change with the unit", () => {
  const equities = fc.array(fc.integer({ min: 1, max: 10_000_000 }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(equities, fc.integer({ min: 2, max: 9 }), (values, factor) => {
      const of = (list: number[]) => metricsOf({ ...EMPTY, equity: equityFrom(list.map(String)) }).equity;
      const { maxDrawdown } = of(values);
      expect(maxDrawdown).toBeGreaterThanOrEqual(0);
      expect(maxDrawdown).toBeLessThanOrEqual(1);
      expect(of(values.toSorted((a, b) => a - b)).maxDrawdown).toBe(0);
      expect(of(values.map((value) => value * factor)).maxDrawdown).toBe(maxDrawdown);
    }),
  );
});

test("gross exposure is at least the net one, and a hedge nets to nothing", () => {
  const metrics = metricsOf({ ...EMPTY, positions: [positionWith(), positionWith({ side: "short" })] });
  expect(metrics.exposure).toMatchObject({ grossUsd: "27235.2", netUsd: "0" });
});

test("counts by type add up, in alphabetical order, whatever order the events come in", () => {
  const types = fc.array(fc.constantFrom("swap", "complex", "stake", "cex_deposit"), { maxLength: 20 });
  fc.assert(
    fc.property(types, (list) => {
      const events = list.map((type, index) => ({ wallet: { id: String(index % 3) }, type, notionalUsd: null }));
      const metrics = metricsOf({ ...EMPTY, events });
      expect(Object.values(metrics.events.byType).reduce((sum, count) => sum + count, 0)).toBe(list.length);
      expect(Object.keys(metrics.events.byType)).toEqual(Object.keys(metrics.events.byType).toSorted());
      expect(metricsOf({ ...EMPTY, events: events.toReversed() })).toEqual(metrics);
    }),
  );
});
