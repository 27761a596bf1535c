import fc from "fast-check";
import { expect, test } from "vitest";
import { ETH_SWAP } from "#testing/instruments";
import { big, decimalOf, text } from "#units/decimal";
import { idOf } from "#units/ids";
import { instantOf } from "#units/time";
import { hashOf } from "../canonical-json.ts";
import { checkLimits, type LimitInput, mayLeave } from "./limits.ts";
import { credibilityOf, type Plan, type PlanInput, planOrder } from "./plan.ts";
import { POLICY } from "./policy.ts";

const AT = instantOf("2022-06-21T02:40:00.000Z");
const BIAS_AT = instantOf("2022-06-21T02:39:00.000Z");

const contribution = (name: string, share: number, credibility: number | null) => ({
  event_id: idOf("event", name),
  wallet_id: idOf("wallet", name),
  contribution: share,
  credibility,
});

const input = (overrides: Partial<PlanInput> = {}): PlanInput => ({
  at: AT,
  mode: "demo",
  venue: "paper",
  gitSha: "abc",
  asset: "ETH",
  instrument: ETH_SWAP,
  control: { state: "ACTIVE", epoch: 3 },
  bias: {
    at: BIAS_AT,
    value: 0.6,
    confidence: 0.8,
    contributions: [contribution("b", 0.5, 8), contribution("a", 0.2, 9), contribution("c", -0.1, 7)],
    components: { K: 1, contributions: [] },
  },
  quote: {
    instrument: "ETH-USDT-SWAP",
    bid: decimalOf("1119.9"),
    ask: decimalOf("1120.1"),
    mark: decimalOf("1120"),
    at: AT,
  },
  quotedAt: AT,
  volatility: { atr: decimalOf("8"), daily: 0.04, hourVolume: decimalOf("500000"), hours: 14 },
  equity: decimalOf("100000"),
  dayStart: decimalOf("100000"),
  peak: decimalOf("100000"),
  held: decimalOf("0"),
  lanes: 2,
  otherGrossUsd: decimalOf("0"),
  otherRiskUsd: decimalOf("0"),
  inFlight: 0,
  stopsLastDay: 0,
  lastClosedAt: null,
  ordersLastMinute: 0,
  ...{ earlier: [], lastOrderAt: null, openedAt: null },
  analyses: [{ eventId: idOf("event", "a"), model: null, pattern: "accumulation" }],
  ...overrides,
});

const decided = (plan: Plan): Exclude<Plan, { verdict: "nothing" }> => {
  if (plan.verdict === "nothing") throw new Error(plan.reason);
  return plan;
};

test("an entry is approved with a limit, a stop, reserved risk and its whole reason", () => {
  const { verdict, codes, order, policySnapshot } = decided(planOrder(input()));
  expect([verdict, codes]).toEqual(["approved", []]);
  expect(order).toMatchObject({ side: "buy", type: "ioc", price: "1122.34", reduceOnly: false, stopLoss: "1104" });
  expect(order.signal?.event_id).toBe(idOf("event", "b"));
  expect(big(order.riskUsd).lte(500)).toBe(true);
  expect(policySnapshot.trigger).toEqual({ crossed: "enter", value: 0.48, threshold: 0.25 });
  expect(Object.keys(policySnapshot)).toEqual(
    expect.arrayContaining([
      "policy",
      "git_sha",
      "mode",
      "control",
      "equity",
      "bias",
      "wallets",
      "credibility",
      "analyses",
      "volatility",
      "quote",
      "instrument",
      "sizing",
      "limits",
      "codes",
      "hash",
    ]),
  );
  const { hash, ...body } = JSON.parse(JSON.stringify(policySnapshot));
  expect(hashOf(body)).toBe(hash);
  expect(hashOf({ ...body, git_sha: "abd" })).not.toBe(hash);
});

test("a decision depends on its input alone, not on the order of contributions", () => {
  const bias = input().bias;
  const shuffled = { ...bias, contributions: bias.contributions.toReversed() };
  expect(credibilityOf(shuffled.contributions)).toBe(credibilityOf(bias.contributions));
  expect(planOrder(input())).toEqual(planOrder(input()));
  expect(decided(planOrder(input({ bias: shuffled }))).order).toEqual(decided(planOrder(input())).order);
});

test("credibility weighs by |contribution| and leaves the unscored out", () => {
  expect(
    credibilityOf([contribution("a", 0.3, 8), contribution("b", -0.1, 4), contribution("c", 9, null)]),
  ).toBeCloseTo(7);
  expect(credibilityOf([contribution("a", 0.3, null)])).toBeNull();
  expect(credibilityOf([])).toBeNull();
});

test("nothing is planned while an order is in flight, or when the target is held", () => {
  expect(planOrder(input({ inFlight: 1 })).verdict).toBe("nothing");
  const { order } = decided(planOrder(input()));
  expect(planOrder(input({ held: order.size }))).toEqual({ verdict: "nothing", reason: "enter at target" });
});

test("a flip closes with a reduce-only market order", () => {
  const { order, verdict } = decided(planOrder(input({ held: decimalOf("-12.5") })));
  expect(verdict).toBe("approved");
  expect(order).toMatchObject({
    side: "buy",
    type: "market",
    price: null,
    size: "12.5",
    reduceOnly: true,
    stopLoss: null,
    riskUsd: "0",
  });
});

test("a stale bias closes", () => {
  const bias = { ...input().bias, at: instantOf("2022-06-21T02:20:00.000Z") };
  expect(decided(planOrder(input({ bias, held: decimalOf("12.5") }))).order).toMatchObject({
    side: "sell",
    reduceOnly: true,
  });
  expect(planOrder(input({ bias })).verdict).toBe("nothing");
});

const DENIALS: [string, Partial<PlanInput>][] = [
  ["trading_state", { control: { state: "REDUCING", epoch: 4 } }],
  ["trading_state", { control: { state: "HALTED", epoch: 4 } }],
  ["gross_notional_usd", { otherGrossUsd: decimalOf("99000") }],
  ["leverage", { otherGrossUsd: decimalOf("199000"), equity: decimalOf("100000") }],
  ["portfolio_risk", { otherRiskUsd: decimalOf("2950") }],
  ["daily_loss", { dayStart: decimalOf("102050"), peak: decimalOf("102050") }],
  ["drawdown", { peak: decimalOf("109000") }],
  ["stops_in_24h", { stopsLastDay: 3 }],
  ["cooldown_seconds", { lastClosedAt: instantOf("2022-06-21T02:30:00.000Z") }],
  ["orders_a_minute", { ordersLastMinute: 6 }],
  ["quote_age_seconds", { quote: { ...input().quote, at: instantOf("2022-06-21T02:30:00.000Z") } }],
  ["quote_ahead_seconds", { quote: { ...input().quote, at: instantOf("2022-06-21T03:40:00.000Z") } }],
  ["slippage_bps", { quote: { ...input().quote, bid: decimalOf("1110"), ask: decimalOf("1130") } }],
  ["prices_missing", { quote: { ...input().quote, bid: decimalOf("0") } }],
  ["prices_missing", { quote: { ...input().quote, bid: decimalOf("0"), ask: decimalOf("0") } }],
  ["prices_missing", { quote: { ...input().quote, bid: decimalOf("-2"), ask: decimalOf("-1") } }],
  ["crossed_bps", { quote: { ...input().quote, bid: decimalOf("1121"), ask: decimalOf("1120") } }],
];

test.each(DENIALS)("%s denies an entry, and says so", (name, overrides) => {
  const plan = decided(planOrder(input(overrides)));
  expect(plan.verdict).toBe("denied");
  expect(plan.codes).toContain(name);
});

test.each(["0", "-1"])("F12: a mark of %s is no price: nothing is planned, whatever is held", (mark) => {
  const quote = { ...input().quote, mark: decimalOf(mark) };
  for (const held of ["0", "5"])
    expect(planOrder(input({ quote, held: decimalOf(held) }))).toEqual({
      verdict: "nothing",
      reason: `the venue's mark is ${mark}`,
    });
});

test("no limit but HALT keeps a position from being closed", () => {
  for (const [, overrides] of DENIALS) {
    const bias = { ...input().bias, value: -0.01 };
    const plan = decided(planOrder(input({ ...overrides, bias, held: decimalOf("5"), earlier: [-0.01] })));
    expect(plan.verdict).toBe(overrides.control?.state === "HALTED" ? "denied" : "approved");
  }
});

test("the kill switch: closing when REDUCING, only the desk's own stop when HALTED", () => {
  const all = [true, false].flatMap((reduceOnly) => [true, false].map((isStop) => ({ reduceOnly, isStop })));
  const out = (state: "ACTIVE" | "REDUCING" | "HALTED") =>
    all.filter((order) => mayLeave({ state, epoch: 1 }, order)).length;
  expect([out("ACTIVE"), out("REDUCING"), out("HALTED")]).toEqual([4, 2, 1]);
});

test("every limit tells what was allowed, used and left", () => {
  const usd = fc.integer({ min: 0, max: 300_000 }).map((usd) => text(usd));
  const limits = fc.record({
    orderUsd: usd,
    assetUsd: usd,
    grossUsd: usd,
    tradeRiskUsd: usd,
    otherRiskUsd: usd,
    equity: usd,
  });
  fc.assert(
    fc.property(limits, (overrides) => {
      const { bias, volatility, ...rest } = input();
      const at: LimitInput = {
        ...rest,
        biasAt: bias.at,
        contracts: decimalOf("1"),
        hourVolume: volatility.hourVolume,
        ...overrides,
      };
      const checks = checkLimits(at, POLICY);
      expect(new Set(checks.map((check) => check.name)).size).toBe(19);
      for (const { limit, used, headroom, ok } of checks) {
        expect(big(limit).minus(used).toFixed()).toBe(big(headroom).toFixed());
        if (big(headroom).gt(0)) expect(ok).toBe(true);
        if (big(headroom).lt(0)) expect(ok).toBe(false);
      }
    }),
  );
});
