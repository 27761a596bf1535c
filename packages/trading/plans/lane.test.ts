import { expect, test } from "vitest";
import { ETH_SWAP } from "#testing/instruments";
import { decimalOf, ZERO } from "#units/decimal";
import { idOf } from "#units/ids";
import { instant, instantOf } from "#units/time";
import {
  candlesFrom,
  isIdle,
  isTold,
  type Lane,
  type LaneState,
  openingFault,
  planInputOf,
  planIntent,
  plannedOrder,
} from "./lane.ts";
import { planOrder } from "./plan.ts";
import { POLICY } from "./policy.ts";

const AT = instantOf("2022-06-21T02:40:00.000Z");
const BIAS_AT = instantOf("2022-06-21T02:39:00.000Z");
const LANE: Lane = {
  ...{ mode: "demo", venue: "paper", at: AT, by: "plan-order", asset: "ETH", instrument: "ETH-USDT-SWAP" },
  ...{ barSeconds: 300, lanes: 2, gitSha: "abc" },
};

const state = (facts: Partial<LaneState["facts"]> = {}): LaneState => ({
  bias: {
    ...{ at: BIAS_AT, value: 0.6, confidence: 0.8, components: {} },
    contributions: [
      { event_id: idOf("event", "a"), wallet_id: idOf("wallet", "w"), contribution: 0.5, credibility: 8 },
    ],
  },
  held: ZERO,
  instrument: ETH_SWAP,
  equity: { equity: decimalOf("100000"), dayStart: decimalOf("100500"), peak: decimalOf("101000") },
  quote: {
    instrument: "ETH-USDT-SWAP",
    bid: decimalOf("1119.9"),
    ask: decimalOf("1120.1"),
    mark: decimalOf("1120"),
    at: AT,
  },
  quotedAt: AT,
  facts: {
    ...{ control: { state: "ACTIVE", epoch: 3 }, candles: [], inFlight: 0, analyses: [], positions: [], reserved: [] },
    ...{
      otherGrossUsd: ZERO,
      ordersLastMinute: 0,
      stopsLastDay: 0,
      lastClosedAt: null,
      earlier: [],
      lastOrderAt: null,
      standing: null,
      forcedAt: null,
      isShared: false,
      comparedAt: null,
    },
    ...facts,
  },
});

test("bars are needed for the hours of the ATR, the close before them and the hour it is in", () => {
  expect(candlesFrom(AT, { atrHours: 14 })).toBe(instantOf("2022-06-20T10:40:00.000Z"));
});

// held, value, confidence, credibility → idle. The signal is value · confidence · (credibility − 5) / 3, the entry 0.25.
test.each([
  ["0", 0.6, 0.8, 8, false],
  ["0", 0.25, 1, 8, true],
  ["0", 0.2500001, 1, 8, false],
  ["0", -0.6, 0.8, 8, false],
  ["0", 0.9, 1, 5, true],
  ["0", 0.9, null, 8, true],
  ["0", 0.9, 1, null, true],
  ["0.1", 0, 1, 8, false],
  ["-4", 0.1, 1, null, false],
] as const)(
  "held %s, bias %d, confidence %d, credibility %d: idle %s",
  (held, value, confidence, credibility, idle) => {
    const contributions = [
      { event_id: idOf("event", "a"), wallet_id: idOf("wallet", "w"), contribution: value, credibility },
    ];
    expect(isIdle({ at: BIAS_AT, value, confidence, contributions, components: {} }, decimalOf(held), POLICY)).toBe(
      idle,
    );
  },
);

test("others' risk is what they lose at their stops, and what orders in flight still reserve", () => {
  const positions = [
    { instrument: "BTC-USDT-SWAP", riskConsumed: decimalOf("0.004"), openedAt: BIAS_AT },
    { instrument: "ETH-USDT-SWAP", riskConsumed: decimalOf("0.9"), openedAt: BIAS_AT }, // its own is in the sizing
  ];
  const reserved = [
    { riskUsd: decimalOf("300"), size: decimalOf("10"), filledSize: decimalOf("4") },
    { riskUsd: decimalOf("100"), size: decimalOf("3"), filledSize: decimalOf("2") },
  ];
  expect(planInputOf(LANE, state({ positions, reserved }), POLICY).otherRiskUsd).toBe("613.33333333");
  expect(planInputOf(LANE, state(), POLICY).otherRiskUsd).toBe("0");
});

test("the input of a plan is the lane, the books and the venue's word, and of the switch what decides", () => {
  const stored = { state: "REDUCING", epoch: 4, reason: "daily loss", actor: "x", changedAt: AT } as const;
  const input = planInputOf(
    LANE,
    state({ control: stored, otherGrossUsd: decimalOf("7"), lastClosedAt: BIAS_AT }),
    POLICY,
  );
  expect(input).toMatchObject({ equity: "100000", dayStart: "100500", peak: "101000", lanes: 2, gitSha: "abc" });
  expect(input).toMatchObject({ otherGrossUsd: "7", lastClosedAt: BIAS_AT, volatility: { atr: null, hours: 0 } });
  expect(input.control).toEqual({ state: "REDUCING", epoch: 4 });
  const { bias } = state(); // 0.6 · 0.8 · (8 − 5) / 3
  const earlier = [bias, { ...bias, value: -0.3 }, { ...bias, confidence: null }];
  const signals = planInputOf(LANE, state({ earlier }), POLICY).earlier;
  expect(signals.map((s) => Number(s.toFixed(9)))).toEqual([0.48, -0.24, 0]);
  expect(Object.keys(input)).not.toContain("by");
});

test("nothing is opened by what the policy says: too long after a comparison, or too soon after the venue closed some", () => {
  const at = (seconds: number) => instant(Date.parse(AT) + seconds * 1000);
  const fault = (facts: Partial<LaneState["facts"]>, more: Partial<typeof POLICY> = {}) =>
    openingFault(state({ comparedAt: AT, ...facts }).facts, at(180), { ...POLICY, ...more });
  expect(fault({})).toBeNull();
  expect(fault({}, { maxComparedAgeSeconds: 179 })).toBe("books and venue were not compared for 179 s");
  expect(fault({ comparedAt: null })).toBe("books and venue were not compared for 180 s");
  expect(fault({ forcedAt: at(-3420) })).toBeNull();
  expect(fault({ forcedAt: at(-3419) })).toBe("the venue closed some of it by itself within 3600 s");
  expect(fault({ forcedAt: at(-3419) }, { forcedPauseSeconds: 60 })).toBeNull();
  expect(fault({ isShared: true })).toBe("some of the position is not the desk's: nothing is added to it");
});

test("a position is as old as the one of this instrument, and none is where nothing is held", () => {
  const open = (instrument: string, openedAt: typeof AT) => ({ instrument, openedAt, riskConsumed: decimalOf("0.01") });
  const openedAt = (held: string, positions: LaneState["facts"]["positions"]) =>
    planInputOf(LANE, { ...state({ positions }), held: decimalOf(held) }, POLICY).openedAt;
  const both = [open("BTC-USDT-SWAP", AT), open(ETH_SWAP.id, BIAS_AT)];
  expect([openedAt("5", both), openedAt("0", both), openedAt("5", both.slice(0, 1))]).toEqual([BIAS_AT, null, null]);
});

test("a denial is told once: again only where the trade, its limits or what was wanted before are others", () => {
  const drawn = { ...state().equity, peak: decimalOf("200000") }; // a drawdown denies what opens
  const before = state().bias;
  const told = { side: "buy", reduceOnly: false, errorMessage: "drawdown, stops_in_24h" } as const;
  const isToldOf = (facts: Partial<LaneState["facts"]>, equity = drawn, control = state().facts.control) => {
    const now = { ...state({ stopsLastDay: 3, earlier: [before], standing: told, control, ...facts }), equity };
    const volatility = { atr: decimalOf("8"), daily: 0.04, hourVolume: decimalOf("500000"), hours: 14 };
    const plan = planOrder({ ...planInputOf(LANE, now, POLICY), volatility }, POLICY);
    if (plan.verdict === "nothing") throw new Error(plan.reason);
    return isTold(plan, now, POLICY);
  };
  expect(isToldOf({})).toBe(true);
  expect(isToldOf({ standing: { ...told, side: "sell" } })).toBe(false);
  expect(isToldOf({ standing: { ...told, reduceOnly: true } })).toBe(false);
  expect(isToldOf({ standing: { ...told, errorMessage: "drawdown" } })).toBe(false);
  expect(isToldOf({ standing: null })).toBe(false);
  expect(isToldOf({ earlier: [] })).toBe(false);
  expect(isToldOf({ earlier: [{ ...before, value: 0.1 }] })).toBe(false);
  const plain = { ...told, errorMessage: "" };
  expect(isToldOf({ stopsLastDay: 0, standing: plain }, state().equity)).toBe(false); // approved
});

test("an order is written in the epoch that it was decided in, under the intent of its bias", () => {
  const { facts, bias, ...rest } = state({ control: { state: "REDUCING", epoch: 4 } });
  const input = { ...planInputOf(LANE, { facts, bias, ...rest }, POLICY), held: decimalOf("5") };
  const plan = planOrder({ ...input, bias: { ...bias, value: -0.6 } }, POLICY);
  if (plan.verdict === "nothing") throw new Error(plan.reason);
  const fresh = plannedOrder(LANE, { facts, bias }, plan, POLICY);
  expect(fresh).toMatchObject({ epoch: 4, biasAt: BIAS_AT, timeframe: "4h", at: AT, by: "plan-order", asset: "ETH" });
  expect(fresh).toMatchObject({ verdict: plan.verdict, codes: plan.codes, order: plan.order });
  expect(planIntent(LANE, BIAS_AT, POLICY)).toEqual({
    ...{ venue: "paper", mode: "demo", instrument: "ETH-USDT-SWAP", timeframe: "4h", biasAt: BIAS_AT, leg: "plan" },
  });
});
