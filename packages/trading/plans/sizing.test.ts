import fc from "fast-check";
import { expect, test } from "vitest";
import { ETH_SWAP } from "#testing/instruments";
import { big, decimalOf, text } from "#units/decimal";
import { instantOf } from "#units/time";
import { POLICY } from "./policy.ts";
import { type SizingInput, signalOf, sizeOf } from "./sizing.ts";

const input = (overrides: Partial<SizingInput> = {}): SizingInput => ({
  bias: 0.8,
  confidence: 0.9,
  credibility: 8,
  stale: false,
  mustReduce: false,
  ...{ at: instantOf("2022-06-21T02:40:00.000Z"), earlier: [], lastOrderAt: null, openedAt: null },
  price: decimalOf("1000"),
  touch: { bid: decimalOf("1000"), ask: decimalOf("1000") },
  atr: decimalOf("10"),
  dailyVolatility: 0.03,
  equity: decimalOf("100000"),
  held: decimalOf("0"),
  lanes: 2,
  hourVolume: decimalOf("1000000"),
  instrument: ETH_SWAP,
  ...overrides,
});

/** A policy in which only the formula binds. */
const FREE = {
  ...POLICY,
  dailyVolatilityTarget: decimalOf("10"),
  maxTradeRisk: decimalOf("1"),
  maxPortfolioRisk: decimalOf("2"),
  maxAssetUsd: decimalOf("1000000000"),
  maxGrossUsd: decimalOf("2000000000"),
  maxOrderUsd: decimalOf("1000000000"),
  maxLeverage: decimalOf("1000"),
};

test("the formula, step by step", () => {
  const sizing = sizeOf(input(), FREE);
  // s = 0.8 · 0.9 · 1; d = 2 · 10 / 1000; 100000 · 0.005 · 0.72 / (0.02 · 1000 · 0.1) = 180 contracts.
  expect(sizing).toMatchObject({
    phase: "enter",
    stopDistance: "0.02",
    target: "180",
    trade: "180",
    reduceOnly: false,
  });
  expect(sizing.s).toBeCloseTo(0.72, 12);
  expect(sizeOf(input({ bias: -0.8 }), FREE).trade).toBe("-180");
});

test("every bound, to the digit", () => {
  const { bounds, full, cap, orderBounds } = sizeOf(input({ bias: 0.5, confidence: 1, lanes: 4 }), POLICY);
  expect(bounds).toEqual({
    risk: "125",
    risk_with_costs: "232.55813953488372093", // 500 USD over 2 % and the way out, 0.15 %
    asset_notional: "500",
    gross_notional: "250",
    leverage: "500",
    volatility: "333.333333333333333333",
  });
  expect([full, cap]).toEqual(["232.55813953488372093", "232.5"]);
  expect(orderBounds).toEqual({ order_notional: "250", liquidity: "10000" });
  // So many lanes that each has less than one trade may risk.
  expect(sizeOf(input({ lanes: 10 }), POLICY).bounds.risk_with_costs).toBe("139.534883720930232558");
  expect(sizeOf(input({ dailyVolatility: 0 }), POLICY).bounds).not.toHaveProperty("volatility");
  expect(Object.values(sizeOf(input({ equity: decimalOf("-5") }), POLICY).bounds).map(Number)).toContain(0);
  expect(Math.min(...Object.values(sizeOf(input({ equity: decimalOf("-5") }), POLICY).bounds).map(Number))).toBe(0);
});

test("the stop is at least as far as its floor, and its distance is rounded up", () => {
  expect(sizeOf(input({ atr: decimalOf("1") }), POLICY).stopDistance).toBe("0.005");
  expect(sizeOf(input({ atr: decimalOf("2.5") }), POLICY).stopDistance).toBe("0.005");
  expect(sizeOf(input({ price: decimalOf("300") }), POLICY).stopDistance).toBe("0.066666666667");
  expect(sizeOf(input({ atr: null }), POLICY)).toMatchObject({
    stopDistance: null,
    full: null,
    bounds: {},
    cap: "500",
  });
});

test("what is at the entry does not enter, and what is at the exit does not exit", () => {
  const at = (bias: number, held: string) => sizeOf(input({ bias, confidence: 1, held: decimalOf(held) }), FREE);
  expect([at(0.25, "0").phase, at(-0.25, "0").phase, at(0.25, "5").phase]).toEqual(["exit", "exit", "hold"]);
  expect([at(0.1, "5").phase, at(0.0999, "5").phase, at(-0.1, "-5").phase]).toEqual(["hold", "exit", "hold"]);
});

test("a size below the venue's least is nothing", () => {
  const instrument = { ...ETH_SWAP, minSize: decimalOf("5") };
  const small = (equity: string) => sizeOf(input({ equity: decimalOf(equity), instrument }), FREE);
  expect([small("2777").target, small("2778").target]).toEqual(["0", "5"]);
});

test("what closes takes all that is held, whatever the lot and however thin the hour", () => {
  const weak = { bias: 0.05, confidence: 1, earlier: [0.05], hourVolume: decimalOf("0") };
  for (const [held, trade] of [
    ["3.33", "-3.33"],
    ["-3.33", "3.33"],
    ["180", "-180"],
  ] as const)
    expect(sizeOf(input({ ...weak, held: decimalOf(held) }), FREE)).toMatchObject({ trade, reduceOnly: true });
});

test("above its cap a short is cut as a long is, to the cap and no further", () => {
  for (const held of ["-900", "900"]) {
    const weak = sizeOf(input({ bias: 0.05, confidence: 1, held: decimalOf(held) }), POLICY);
    expect(weak).toMatchObject({ cap: "232.5", rest: "weak_once", reduceOnly: true });
    expect(big(weak.trade).plus(decimalOf(held)).abs().toFixed()).toBe("232.5");
  }
  const kept = sizeOf(input({ bias: 0.05, confidence: 1, held: decimalOf("232.5") }), POLICY);
  expect(kept).toMatchObject({ trade: "0", rest: "weak_once", reduceOnly: false });
});

test("what is above its cap goes to the target at once, though the cut alone would wait", () => {
  const cut = sizeOf(input({ bias: 0.8, confidence: 1, held: decimalOf("240") }), POLICY);
  expect(cut).toMatchObject({ cap: "232.5", target: "200", rest: "shrink_band", trade: "-40", reduceOnly: true });
});

test("credibility is clamped between its floor and full", () => {
  for (const bias of [0.8, -0.8]) expect(signalOf(input({ bias, credibility: 5 }), POLICY).s).toBe(0);
  expect(signalOf(input({ credibility: 2 }), POLICY).credibilityFactor).toBe(0);
  expect(signalOf(input({ credibility: 6.5 }), POLICY).credibilityFactor).toBe(0.5);
  expect(signalOf(input({ credibility: 10 }), POLICY).credibilityFactor).toBe(1);
});

test("stale, missing or not a number is 0, and closes what is held", () => {
  const bad: Partial<SizingInput>[] = [
    { stale: true },
    { bias: Number.NaN },
    { bias: null },
    { confidence: null },
    { credibility: null },
    { credibility: Number.POSITIVE_INFINITY, confidence: Number.NaN },
  ];
  for (const overrides of bad) {
    expect(sizeOf(input(overrides), POLICY)).toMatchObject({ s: 0, trade: "0", target: "0" });
    expect(sizeOf(input({ ...overrides, held: decimalOf("3.3") }), POLICY)).toMatchObject({
      trade: "-3.3",
      reduceOnly: true,
    });
  }
});

test("without a volatility nothing is opened, and what is held stays", () => {
  for (const overrides of [{ atr: null }, { dailyVolatility: null }, { dailyVolatility: Number.NaN }]) {
    expect(sizeOf(input(overrides), POLICY).trade).toBe("0");
    expect(sizeOf(input({ ...overrides, held: decimalOf("20") }), POLICY).trade).toBe("0");
  }
});

test("between exit and enter a position is kept and not grown; against it, it is closed", () => {
  expect(sizeOf(input({ bias: 0.2, confidence: 1 }), FREE)).toMatchObject({ phase: "exit", trade: "0" });
  expect(sizeOf(input({ bias: 0.2, confidence: 1, held: decimalOf("10") }), FREE)).toMatchObject({
    phase: "hold",
    trade: "0",
  });
  expect(sizeOf(input({ bias: -0.2, confidence: 1, held: decimalOf("10") }), FREE)).toMatchObject({
    phase: "exit",
    trade: "-10",
  });
  const weak = input({ bias: 0.05, confidence: 1, held: decimalOf("10") });
  expect(sizeOf(weak, FREE)).toMatchObject({ phase: "exit", trade: "0", rest: "weak_once" });
  expect(sizeOf({ ...weak, earlier: [0.05] }, FREE)).toMatchObject({
    phase: "exit",
    trade: "-10",
  });
});

test("a flip closes first", () => {
  expect(sizeOf(input({ held: decimalOf("-50") }), FREE)).toMatchObject({
    target: "180",
    trade: "50",
    reduceOnly: true,
  });
});

test("a small difference is left alone: under a half of what is held to add, under 35 % to cut", () => {
  // The target is 180 contracts.
  expect(sizeOf(input({ held: decimalOf("120.1") }), FREE)).toMatchObject({ trade: "0", rest: "grow_band" });
  expect(sizeOf(input({ held: decimalOf("120") }), FREE)).toMatchObject({ trade: "60", rest: null, reduceOnly: false });
  expect(sizeOf(input({ held: decimalOf("276.9") }), FREE)).toMatchObject({ trade: "0", rest: "shrink_band" });
  expect(sizeOf(input({ held: decimalOf("277") }), FREE)).toMatchObject({ trade: "-97", rest: null });
});

test("a thin hour stops buying, not holding", () => {
  expect(sizeOf(input({ hourVolume: decimalOf("0") }), FREE)).toMatchObject({ trade: "0", rest: "below_minimum" });
  expect(sizeOf(input({ hourVolume: decimalOf("0"), held: decimalOf("180") }), FREE).trade).toBe("0");
  expect(sizeOf(input({ hourVolume: decimalOf("1000") }), FREE).trade).toBe("10");
});

const unit = fc.double({ min: 0, max: 1, noNaN: true });
const amount = (max: number) => fc.integer({ min: 1, max: max * 100 }).map((n) => text(n / 100));
const inputs = fc.record({
  bias: fc.double({ min: -0.999, max: 0.999, noNaN: true }),
  confidence: unit,
  credibility: fc.double({ min: 0, max: 10, noNaN: true }),
  price: amount(70_000),
  atr: amount(2_000),
  dailyVolatility: fc.double({ min: 0, max: 0.5, noNaN: true }),
  equity: amount(1_000_000),
  hourVolume: amount(1_000_000),
});

test("from flat: never above a cap, always a lot multiple, with the sign of the bias, zero in the dead band", () => {
  fc.assert(
    fc.property(inputs, (overrides) => {
      const at = input(overrides);
      const { s, trade } = sizeOf(at, POLICY);
      const size = big(trade).abs();
      const usd = size.times(at.price).times(ETH_SWAP.contractSize);
      expect(size.mod(ETH_SWAP.lotSize).toFixed()).toBe("0");
      if (!size.eq(0)) expect(big(trade).s).toBe(Math.sign(at.bias as number));
      if (Math.abs(s) <= POLICY.enter) expect(trade).toBe("0");
      for (const cap of [POLICY.maxOrderUsd, POLICY.maxAssetUsd, big(POLICY.maxGrossUsd).div(2)])
        expect(usd.lte(cap)).toBe(true);
      expect(usd.lte(big(at.equity).times(POLICY.maxLeverage).div(2))).toBe(true);
      expect(size.lte(big(at.hourVolume).times(POLICY.maxVolumeShare))).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test("an opening is within the caps in dollars by the mark and by the book's price on its side, however far they stand apart", () => {
  const apart = fc.integer({ min: 900, max: 1100 });
  fc.assert(
    fc.property(inputs, apart, apart, (overrides, low, high) => {
      const at = (thousandths: number) => text(big(overrides.price).times(Math.max(thousandths, 1)).div(1000));
      const touch = { bid: at(Math.min(low, high)), ask: at(Math.max(low, high)) };
      const { trade } = sizeOf(input({ ...overrides, touch }), POLICY);
      const coins = big(trade).abs().times(ETH_SWAP.contractSize);
      const side = big(trade).gt(0) ? touch.ask : touch.bid;
      // What stands within the slippage that an order is allowed counts as the mark.
      for (const usd of [coins.times(overrides.price), coins.times(side).div(1.002)]) {
        for (const cap of [POLICY.maxOrderUsd, POLICY.maxAssetUsd, big(POLICY.maxGrossUsd).div(2)])
          expect(usd.lte(cap)).toBe(true);
        expect(usd.lte(big(overrides.equity).times(POLICY.maxLeverage).div(2))).toBe(true);
      }
    }),
    { numRuns: 500 },
  );
});

test("only what is added counts the book's price: what is held is worth its mark, and is not cut for the book", () => {
  const touch = { bid: decimalOf("1040"), ask: decimalOf("1041") };
  const caps = { ...FREE, maxAssetUsd: decimalOf("10000"), maxOrderUsd: decimalOf("5000") };
  expect(sizeOf(input({ touch }), caps)).toMatchObject({
    ...{
      bounds: { asset_notional: "96.061479346781940442" },
      orderBounds: { order_notional: "48.030739673390970221" },
    },
    ...{ cap: "100", trade: "48" },
  });
  expect(sizeOf(input({ touch, bias: -0.8 }), caps)).toMatchObject({
    bounds: { asset_notional: "96.153846153846153846" },
  });
  expect(sizeOf(input({ touch, held: decimalOf("100") }), caps).trade).toBe("0");
  const near = { bid: decimalOf("1001.9"), ask: decimalOf("1002") }; // as far as an order may slip, 20 bps
  expect(sizeOf(input({ touch: near }), caps).bounds.asset_notional).toBe("100");
  const beyond = { ...near, ask: decimalOf("1002.01") };
  expect(sizeOf(input({ touch: beyond }), caps).bounds.asset_notional).toBe("99.799403199568866578");
  const low = { bid: decimalOf("960"), ask: decimalOf("0") };
  expect(sizeOf(input({ touch: low }), caps).bounds.asset_notional).toBe("100"); // the mark is the larger
});

test("size is monotone in |s|", () => {
  fc.assert(
    fc.property(inputs, unit, (overrides, factor) => {
      const more = big(sizeOf(input(overrides), POLICY).target).abs();
      const less = big(sizeOf(input({ ...overrides, confidence: overrides.confidence * factor }), POLICY).target).abs();
      expect(less.lte(more)).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test("a trade never overshoots: it moves towards the target, and a reduction never past flat", () => {
  const held = fc.integer({ min: -5000, max: 5000 }).map((n) => String(n / 10));
  fc.assert(
    fc.property(inputs, held, (overrides, holding) => {
      const { trade, target, reduceOnly } = sizeOf(input({ ...overrides, held: decimalOf(holding) }), POLICY);
      const after = big(decimalOf(holding)).plus(trade);
      if (big(trade).eq(0)) return;
      expect(after.minus(target).abs().lt(big(target).minus(holding).abs())).toBe(true);
      if (!reduceOnly) return;
      expect(after.abs().lt(big(decimalOf(holding)).abs())).toBe(true);
      expect(after.eq(0) || after.s === big(decimalOf(holding)).s).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test("for all signals, positions and legs: what legs have closed is not bought back, and nothing else changes by them", () => {
  const share = fc.integer({ min: 1, max: 100 });
  fc.assert(
    fc.property(fc.double({ min: -1, max: 1, noNaN: true }), share, share, (bias, heldShare, takenShare) => {
      const full = big(sizeOf(input({ bias: 1, confidence: 1 }), POLICY).target);
      const lots = (percent: number) => full.times(percent).div(100).round(1, 0);
      const [held, taken] = [lots(heldShare), lots(takenShare)];
      fc.pre(held.gt(0));
      const at = { bias, held: text(held), openedAt: instantOf("2022-06-20T02:40:00.000Z") };
      const [without, sizing] = [sizeOf(input(at), POLICY), sizeOf(input({ ...at, taken: text(taken) }), POLICY)];
      if (big(without.target).lte(held)) {
        expect(sizing).toEqual(without);
        return;
      }
      const most = big(without.target).minus(taken);
      expect(big(sizing.target).eq(most.gt(held) ? most : held)).toBe(true);
      expect(held.plus(sizing.trade).lte(most.gt(held) ? most : held)).toBe(true);
    }),
  );
});
