import fc from "fast-check";
import { expect, test } from "vitest";
import { ETH_SWAP } from "#testing/instruments";
import { big, decimalOf, text } from "#units/decimal";
import { idOf } from "#units/ids";
import { instantOf } from "#units/time";
import { hashOf } from "../canonical-json.ts";
import { clientOrderId } from "../orders/client-order-id.ts";
import { checkLimits, type LimitInput, mayLeave } from "./limits.ts";
import { credibilityOf, type Plan, type PlanInput, planOrder, refused } from "./plan.ts";
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

test("for all contributions their order never shows in the credibility", () => {
  const one = fc.tuple(fc.double({ min: -1, max: 1, noNaN: true }), fc.double({ min: 0, max: 10, noNaN: true }));
  fc.assert(
    fc.property(fc.array(one, { minLength: 2, maxLength: 6 }), fc.nat(5), (list, by) => {
      const all = list.map(([share, credibility], i) => contribution(String(i), share, credibility));
      const turned = [...all.slice(by), ...all.slice(0, by)];
      expect([credibilityOf(turned), credibilityOf(turned.toReversed())]).toEqual([
        ...[credibilityOf(all), credibilityOf(all)],
      ]);
    }),
  );
});

const short = {
  ...input().bias,
  value: -0.6,
  contributions: [
    ...[contribution("b", -0.5, 8), contribution("a", -0.5, 9), contribution("z", 0, 9), contribution("c", 0.9, 8)],
  ],
};

test("a short is priced below the bid, on the tick nearer to it, with its stop above the mark, nearer by a tick", () => {
  const { verdict, order, policySnapshot } = decided(planOrder(input({ bias: short })));
  expect(verdict).toBe("approved");
  expect(order).toMatchObject({ side: "sell", type: "ioc", price: "1117.67", reduceOnly: false, stopLoss: "1136" });
  // 0.2 % below 1,119.9 is 1,117.6602, and 2 · 8 above 1,120 is 1,136.000000002.
  const { clientOrderId: id } = order;
  const of = { venue: "paper", mode: "demo", instrument: ETH_SWAP.id, timeframe: "4h", biasAt: BIAS_AT } as const;
  expect(id).toBe(clientOrderId({ ...of, leg: "plan" }));
  const first = [idOf("event", "a"), idOf("event", "b")].sort()[0];
  expect(order.signal?.event_id).toBe(first); // of two as strong the one of the first id
  expect(policySnapshot.trigger).toMatchObject({ crossed: "enter", threshold: 0.25 });
});

test("prices that are on the tick stay there", () => {
  const quote = { ...input().quote, bid: decimalOf("1000"), ask: decimalOf("1000.5"), mark: decimalOf("1000") };
  const volatility = { ...input().volatility, atr: decimalOf("10") };
  const at = (bias: PlanInput["bias"]) => decided(planOrder(input({ bias, quote, volatility }))).order;
  expect(at(short)).toMatchObject({ price: "998", stopLoss: "1020" });
  expect(at(input().bias)).toMatchObject({ price: "1002.5", stopLoss: "980" });
});

test("what moved a bias the other way is no signal of the trade", () => {
  const against = { ...short, contributions: [contribution("c", 0.9, 8), contribution("z", 0, 8)] };
  const { order, policySnapshot } = decided(planOrder(input({ bias: against })));
  expect([order.signal, policySnapshot.order]).toMatchObject([null, { signal: null }]);
});

test("the reserved risk is the loss at the stop with the way out", () => {
  const { order } = decided(planOrder(input()));
  const usd = big(order.size).times(112); // a contract of 0.1 at 1,120
  expect(big(order.riskUsd).minus(usd.times("0.0157857142858")).abs().lt("0.000001")).toBe(true);
});

/** The input as a snapshot says it; what it does not say is taken from `from`. */
function retold(snapshot: ReturnType<typeof decided>["policySnapshot"], from: PlanInput): PlanInput {
  const said = JSON.parse(JSON.stringify(snapshot));
  const { asked_at: quotedAt, ...quote } = said.quote;
  const { earlier, last_order_at: lastOrderAt, opened_at: openedAt, taken } = said.past;
  const { at, value, confidence, components } = said.bias;
  return {
    ...from,
    ...{
      at: said.at,
      mode: said.mode,
      venue: said.venue,
      gitSha: said.git_sha,
      control: said.control,
      quote,
      quotedAt,
    },
    ...{
      instrument: said.instrument,
      asset: said.instrument.asset,
      volatility: said.volatility,
      held: said.sizing.held,
    },
    ...{ equity: said.equity.now, dayStart: said.equity.day_start, peak: said.equity.peak },
    ...{ otherRiskUsd: said.open_risk_usd, otherGrossUsd: said.other_gross_usd, analyses: said.analyses },
    ...{
      earlier,
      lastOrderAt,
      openedAt,
      taken,
      bias: { at, value, confidence, components, contributions: said.wallets },
    },
  };
}

test("a snapshot says all that its decision was made from: the same is decided by it again, to the hash", () => {
  const past = { earlier: [0.4, 0.3], lastOrderAt: instantOf("2022-06-20T02:40:00.000Z") };
  const other = { otherRiskUsd: decimalOf("12"), otherGrossUsd: decimalOf("34"), openedAt: past.lastOrderAt };
  const cases: Partial<PlanInput>[] = [
    { ...past, ...other, held: decimalOf("20"), taken: decimalOf("3"), dayStart: decimalOf("100001") },
    { bias: short, stopsLastDay: 9, peak: decimalOf("100002") },
  ];
  for (const over of cases) {
    const plan = decided(planOrder(input(over)));
    const { policySnapshot } = plan;
    const blank = input({
      held: decimalOf("77"),
      equity: decimalOf("1"),
      dayStart: decimalOf("1"),
      peak: decimalOf("1"),
    });
    const { stopsLastDay = 0 } = over;
    const again = { ...retold(policySnapshot, blank), stopsLastDay };
    const { policy } = policySnapshot;
    expect(planOrder(again, policy as unknown as typeof POLICY)).toEqual(plan);
    expect(policySnapshot).toMatchObject({ verdict: plan.verdict, codes: plan.codes, order: plan.order });
    const limits = policySnapshot.limits as { name: string; ok: boolean }[];
    expect(limits.filter(({ ok }) => !ok).map(({ name }) => name)).toEqual(plan.codes);
    expect(limits.length).toBe(19);
    // What it went by or only tells is there too.
    const { analyses, earlier } = input(over);
    expect(policySnapshot).toMatchObject({ analyses, past: { earlier } });
    expect(policySnapshot.sizing).toMatchObject({ held: over.held ?? "0", rest: null });
  }
});

test("what is no number is told as none", () => {
  const { policySnapshot } = decided(
    planOrder(input({ bias: { ...input().bias, value: Number.NaN, confidence: null }, held: decimalOf("5") })),
  );
  expect(policySnapshot.bias).toMatchObject({ value: null, confidence: null });
  expect(policySnapshot.order).toMatchObject({ signal: { event_id: idOf("event", "c") } }); // it sells
  expect(decided(planOrder(input())).policySnapshot.bias).toMatchObject({ value: 0.6, confidence: 0.8 });
});

test("a plan that something else refuses keeps its reasons, with a hash of its own", () => {
  const plan = decided(planOrder(input()));
  const no = refused(plan, ["not_listed"], { state: "suspend" });
  expect(no).toMatchObject({ verdict: "denied", codes: ["not_listed"], order: plan.order });
  const { hash, ...body } = no.policySnapshot;
  expect(body).toMatchObject({
    verdict: "denied",
    codes: ["not_listed"],
    listing: { state: "suspend" },
    git_sha: "abc",
  });
  expect([hash, hash === plan.policySnapshot.hash]).toEqual([hashOf(body as Parameters<typeof hashOf>[0]), false]);
});

test("what take-profits have closed is not bought back", () => {
  const held = decimalOf("20");
  expect(planOrder(input({ held })).verdict).toBe("approved");
  expect(planOrder(input({ held, taken: decimalOf("9999") }))).toEqual({
    verdict: "nothing",
    reason: "enter at target",
  });
});

test("under a switch that wants less risk a small cut is due, and is told as the switch's", () => {
  const { order: full } = decided(planOrder(input()));
  const held = text(big(full.size).times("1.2").round(1));
  expect(planOrder(input({ held }))).toEqual({ verdict: "nothing", reason: "shrink_band" });
  const { order, policySnapshot } = decided(planOrder(input({ held, control: { state: "REDUCING", epoch: 4 } })));
  expect(order).toMatchObject({ side: "sell", reduceOnly: true });
  expect(policySnapshot.trigger).toMatchObject({ crossed: "reducing" });
});

test("nothing is planned while an order is in flight, or when the target is held", () => {
  const reason = "an order of this instrument is in flight";
  expect(planOrder(input({ inFlight: 1 }))).toEqual({ verdict: "nothing", reason });
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
  const { policySnapshot } = decided(planOrder(input({ bias, held: decimalOf("12.5") })));
  expect(policySnapshot.trigger).toEqual({ crossed: "stale", value: 0, threshold: 0.1 });
  // It says what it says for ten minutes, and no longer.
  expect(planOrder(input({ bias: { ...bias, at: instantOf("2022-06-21T02:30:00.000Z") } })).verdict).toBe("approved");
  expect(planOrder(input({ bias: { ...bias, at: instantOf("2022-06-21T02:29:59.999Z") } })).verdict).toBe("nothing");
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

test("an entry whose mark is behind the book counts the book's price against every cap in dollars", () => {
  const apart = { bid: decimalOf("1164.7"), ask: decimalOf("1164.8") }; // 4 % above the mark of 1,120
  const equity = { equity: decimalOf("10000000"), dayStart: decimalOf("10000000"), peak: decimalOf("10000000") };
  const told = (quote: PlanInput["quote"]) => {
    const { order, policySnapshot } = decided(planOrder(input({ ...equity, quote })));
    const limits = policySnapshot.limits as unknown as { name: string; used: string }[];
    const used = (name: string) => Number(limits.find((limit) => limit.name === name)?.used);
    return { coins: Number(order.size) * 0.1, order: used("order_notional_usd"), asset: used("asset_notional_usd") };
  };
  const [level, behind] = [told(input().quote), told({ ...input().quote, ...apart })];
  expect(behind.coins * 1164.8).toBeLessThanOrEqual(25_000);
  expect([behind.order, behind.asset]).toEqual(
    [behind.coins * 1164.8, behind.coins * 1164.8].map((usd) => expect.closeTo(usd, 6)),
  );
  expect(level.coins / behind.coins).toBeCloseTo(1.04, 2);
});

test("no limit but HALT keeps a position from being closed", () => {
  for (const [, overrides] of DENIALS) {
    const bias = { ...input().bias, value: -0.01 };
    const plan = decided(planOrder(input({ ...overrides, bias, held: decimalOf("5"), earlier: [-0.01] })));
    const isHalted = overrides.control?.state === "HALTED";
    expect([plan.verdict, plan.codes]).toEqual(isHalted ? ["denied", ["trading_state"]] : ["approved", []]);
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
