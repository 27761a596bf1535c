import fc from "fast-check";
import { expect, test } from "vitest";
import { ETH_SWAP } from "#testing/instruments";
import { type Big, big, decimalOf, text, ZERO } from "#units/decimal";
import { idOf } from "#units/ids";
import { type Instant, instant } from "#units/time";
import { type Lane, type LaneState, planInputOf } from "./lane.ts";
import type { ControlState } from "./limits.ts";
import { type PlannedBias, planOrder } from "./plan.ts";
import { POLICY, type Policy } from "./policy.ts";
import type { Sizing } from "./sizing.ts";
import { type Rest, restOf, type Step } from "./turnover.ts";

const START = Date.parse("2022-06-21T00:00:00.000Z");
/** Biases come this far apart when nothing happens. */
const LOOK_S = 300;
const POLICY_S = { ...POLICY, cooldownSeconds: 0 };

/** What a lane is told at one look. The signal is the bias: confidence and credibility count in full. */
interface Look {
  readonly s: number;
  readonly mark?: string;
  readonly equity?: string;
  readonly atr?: string | null;
  readonly state?: ControlState;
  readonly ageS?: number;
  /** Seconds since the look before. */
  readonly laterS?: number;
}

type Act = "open" | "grow" | "shrink" | "close";
interface Traded {
  readonly act: Act;
  readonly look: number;
}

const actOf = (before: Big, after: Big): Act => {
  if (before.eq(0)) return "open";
  if (after.eq(0)) return "close";
  return after.abs().gt(before.abs()) ? "grow" : "shrink";
};

const biasOf = (at: Instant, s: number): PlannedBias => ({
  ...{ at, value: s, confidence: 1, components: {} },
  contributions: [{ event_id: idOf("event", "a"), wallet_id: idOf("wallet", "w"), contribution: 0.5, credibility: 8 }],
});

const quoteAt = (mark: string, at: Instant) => ({
  ...{ instrument: ETH_SWAP.id, bid: decimalOf(mark), ask: text(big(decimalOf(mark)).plus(0.01)) },
  ...{ mark: decimalOf(mark), at },
});

/**
 * A lane through the code that plans: every order is filled whole at once, and what it knows of its past is what the books
 * would tell. `seen` is told what is held after each look.
 */
function live(
  looks: readonly Look[],
  seen: (held: Big, look: Look, sizing: Sizing | null) => void = () => undefined,
  policy: Policy = POLICY_S,
): Traded[] {
  let [held, now] = [big(0), START];
  let openedAt: Instant | null = null;
  let lastOrderAt: Instant | null = null;
  let lastClosedAt: Instant | null = null;
  const earlier: PlannedBias[] = [];
  const traded: Traded[] = [];
  looks.forEach((look, index) => {
    now += (look.laterS ?? LOOK_S) * 1000;
    const at = instant(now);
    const bias = biasOf(instant(now - (look.ageS ?? 0) * 1000), look.s);
    const lane: Lane = {
      ...{ mode: "demo", venue: "paper", at, by: "test", asset: "ETH", instrument: ETH_SWAP.id },
      ...{ barSeconds: 300, lanes: 2, gitSha: "abc" },
    };
    const equity = decimalOf(look.equity ?? "100000");
    const state: LaneState = {
      ...{ bias, held: text(held), instrument: ETH_SWAP, quote: quoteAt(look.mark ?? "1120", at) },
      quotedAt: at,
      equity: { equity, dayStart: equity, peak: equity },
      facts: {
        ...{ control: { state: look.state ?? "ACTIVE", epoch: 1 }, candles: [], inFlight: 0, analyses: [] },
        positions: openedAt === null ? [] : [{ instrument: ETH_SWAP.id, riskConsumed: ZERO, openedAt }],
        ...{ reserved: [], otherGrossUsd: ZERO, ordersLastMinute: 0, stopsLastDay: 0, lastClosedAt, lastOrderAt },
        standing: null,
        ...{ forcedAt: null, isShared: false, comparedAt: at, earlier: earlier.slice(0, policy.closeLooks - 1) },
      },
    };
    const volatility = {
      ...{ atr: look.atr === null ? null : decimalOf(look.atr ?? "8"), daily: 0.04 },
      ...{ hourVolume: decimalOf("5000000"), hours: 14 },
    };
    const plan = planOrder({ ...planInputOf(lane, state, policy), volatility }, policy);
    let sizing: Sizing | null = null;
    if (plan.verdict !== "nothing") {
      sizing = plan.policySnapshot.sizing as unknown as Sizing; // as it went into the snapshot, where it is JSON
      if (plan.verdict === "approved") {
        const after = held.plus(big(plan.order.size).times(plan.order.side === "buy" ? 1 : -1));
        traded.push({ act: actOf(held, after), look: index });
        if (held.eq(0)) openedAt = at;
        if (after.eq(0)) [openedAt, lastClosedAt] = [null, at];
        held = after;
        lastOrderAt = at;
      }
    }
    earlier.unshift(bias);
    seen(held, look, sizing);
  });
  return traded;
}

const acts = (traded: readonly Traded[]): Act[] => traded.map(({ act }) => act);
const count = (traded: readonly Traded[], act: Act): number => traded.filter((one) => one.act === act).length;
const steady = (s: number, times: number): Look[] => Array.from({ length: times }, () => ({ s }));
const sign = fc.constantFrom(1, -1);

test("law: a signal that jitters by 30 % about a constant for a day opens at most once and closes at most once", () => {
  const day = (24 * 3600) / LOOK_S;
  const jitter = fc.array(fc.double({ min: 0.7, max: 1.3, noNaN: true }), { minLength: day, maxLength: day });
  const constant = fc.double({ min: 0.01, max: 0.76, noNaN: true });
  fc.assert(
    fc.property(sign, constant, jitter, (way, about, factors) => {
      const traded = live(factors.map((factor) => ({ s: way * about * factor })));
      expect(count(traded, "open")).toBeLessThanOrEqual(1);
      expect(count(traded, "close")).toBeLessThanOrEqual(1);
      traded.forEach(({ act, look }, index) => {
        const before = traded[index - 1];
        if (act !== "close" && before) expect((look - before.look) * LOOK_S).toBeGreaterThanOrEqual(900);
      });
    }),
    { numRuns: 12 },
  );
});

test("law: a step of the signal trades once", () => {
  const strong = fc.double({ min: 0.26, max: 0.99, noNaN: true });
  fc.assert(
    fc.property(sign, strong, strong, fc.double({ min: 0, max: 0.09, noNaN: true }), (way, from, to, weak) => {
      expect(acts(live([...steady(0, 6), ...steady(way * to, 24)]))).toEqual(["open"]);
      const [first, ...after] = acts(live([...steady(way * from, 24), ...steady(way * to, 24)]));
      expect(first).toBe("open");
      expect(after.length).toBeLessThanOrEqual(1);
      expect(acts(live([...steady(way * from, 24), ...steady(way * weak, 24)]))).toEqual(["open", "close"]);
      expect(acts(live([...steady(way * from, 24), ...steady(-way * to, 24)]))).toEqual(["open", "close", "open"]);
    }),
    { numRuns: 20 },
  );
});

test("law: no path holds more than its caps after a look, whatever is waited for", () => {
  const looks = fc.array(
    fc.record({
      s: fc.double({ min: -0.99, max: 0.99, noNaN: true }),
      mark: fc.integer({ min: 40_000, max: 400_000 }).map((n) => String(n / 100)),
      equity: fc.integer({ min: 1_000, max: 300_000 }).map(String),
      atr: fc.option(fc.integer({ min: 1, max: 60 }).map(String), { freq: 8 }),
      laterS: fc.constantFrom(60, 300, 900),
    }),
    { minLength: 20, maxLength: 60 },
  );
  const one = big(ETH_SWAP.contractSize);
  let cuts = 0;
  fc.assert(
    fc.property(looks, (path) => {
      const traded = live(path, (held, { mark = "", equity = "", atr }) => {
        const oneUsd = one.times(decimalOf(mark));
        const worth = big(decimalOf(equity));
        const distance = Math.max((2 * Number(atr ?? 0)) / Number(mark), 0.005);
        const byRisk = worth.times(POLICY.maxTradeRisk).div(distance + 0.0015);
        const byLeverage = worth.times(POLICY.maxLeverage).div(2);
        const notional = [big(POLICY.maxAssetUsd), big(POLICY.maxGrossUsd).div(2), byLeverage];
        const caps = atr === null ? notional : [...notional, byRisk];
        for (const cap of caps) expect(held.abs().times(oneUsd).lte(cap.plus(0.000001))).toBe(true);
      });
      cuts += count(traded, "shrink");
    }),
    { numRuns: 50 },
  );
  expect(cuts).toBeGreaterThan(10);
});

// Opened at the first look; the looks after it → what is done at them. A look is five minutes after the one before.
const S = 0.5;
const CASES: readonly [string, readonly Look[], readonly Act[]][] = [
  ["a weak signal closes at the second look", [...steady(S, 4), { s: 0.05 }, { s: 0.05 }], ["open", "close"]],
  ["one weak look closes nothing", [...steady(S, 4), { s: 0.05 }, ...steady(S, 3), { s: 0.05 }, { s: S }], ["open"]],
  ["a signal against it closes at once", [...steady(S, 4), { s: -0.2 }], ["open", "close"]],
  ["a weak one against it closes at the second look", [...steady(S, 4), { s: -0.05 }], ["open"]],
  ["a young position is not closed by its signal", [{ s: S }, { s: -0.9 }, { s: 0 }], ["open"]],
  ["after a quarter of an hour it is", [{ s: S }, { s: -0.2 }, { s: -0.2 }, { s: -0.2 }], ["open", "close"]],
  ["an old bias closes a young position", [{ s: S }, { s: S, ageS: 601, laterS: 60 }], ["open", "close"]],
  ["no number closes a young position", [{ s: S }, { s: Number.NaN, laterS: 60 }], ["open", "close"]],
  [
    "what reduces does not wait when the switch wants less",
    [{ s: S }, { s: 0.45, state: "REDUCING", laterS: 60 }, { s: 0, state: "REDUCING", laterS: 60 }],
    ["open", "shrink", "close"],
  ],
  ["nothing is added while it does", [...steady(0.3, 4), { s: 0.9, state: "REDUCING" }], ["open"]],
  ["a share under 35 % is not cut", [...steady(S, 4), { s: 0.34 }], ["open"]],
  ["a share of 35 % is cut", [...steady(S, 4), { s: 0.32 }], ["open", "shrink"]],
  ["and not within a quarter of an hour of the last order", [{ s: S }, { s: 0.3 }, { s: 0.3 }], ["open"]],
  ["but after it", [{ s: S }, { s: 0.3 }, { s: 0.3 }, { s: 0.3 }], ["open", "shrink"]],
  ["a share under a half is not added", [...steady(0.3, 4), { s: 0.44 }], ["open"]],
  ["a share of a half is", [...steady(0.3, 4), { s: 0.46 }], ["open", "grow"]],
  ["and not within a quarter of an hour", [{ s: 0.3 }, { s: 0.6 }, { s: 0.6 }], ["open"]],
  [
    "equity that falls cuts a young position to its caps",
    [{ s: S }, { s: S, equity: "8000", laterS: 60 }],
    ["open", "shrink"],
  ],
  [
    "so it does at a weak look, and without a volatility",
    [{ s: S }, { s: 0.05, equity: "8000", laterS: 60 }, { s: S, equity: "1000", atr: null, laterS: 60 }],
    ["open", "shrink", "shrink"],
  ],
];

test.each(CASES)("%s", (_, looks, expected) => {
  expect(acts(live(looks))).toEqual(expected);
});

test("a position under 8 % of a full one is not opened, and one of 8 % is", () => {
  // A thousandth of a signal is enough to enter, so that only its share of a full position stands in the way.
  const policy = { ...POLICY_S, enter: 0.001, exit: 0.0005, dailyVolatilityTarget: decimalOf("1") };
  const equity = "1000000";
  const full = big(policy.maxAssetUsd); // the smaller of 350,000 by risk and this
  expect(full.lt(350_000)).toBe(true);
  expect(acts(live([{ s: 0.011, equity }], undefined, policy))).toEqual([]);
  expect(acts(live([{ s: 0.012, equity }], undefined, policy))).toEqual(["open"]);
});

test("how many weak looks close is the policy's to say", () => {
  const weak = (looks: number) => [...steady(S, 6), ...steady(0.05, looks)];
  for (const closeLooks of [1, 2, 4]) {
    const policy = { ...POLICY_S, closeLooks };
    expect(acts(live(weak(closeLooks), undefined, policy))).toEqual(["open", "close"]);
    expect(acts(live(weak(closeLooks - 1), undefined, policy))).toEqual(["open"]);
  }
});

const NOW = instant(START);
const ago = (seconds: number): Instant => instant(START - seconds * 1000);
const step = (held: string, target: string, more: Partial<Step> = {}): Step => ({
  ...{
    at: NOW,
    s: 0.5,
    full: big(1000),
    isExit: false,
    isUrgent: false,
    earlier: [],
    lastOrderAt: null,
    openedAt: null,
  },
  ...{ held: big(decimalOf(held)), target: big(decimalOf(target)), ...more },
});
const WEAK = { isExit: true, s: 0.0999, earlier: [0.0999] };

// A full position is 1,000 contracts. What is held, what is wanted → why it is left alone.
test.each<[string, string, Partial<Step>, Rest | null]>([
  ["0", "80", {}, null],
  ["0", "-80", {}, null],
  ["0", "79.9", {}, "open_share"],
  ["0", "1", { full: null }, null],
  ["0", "80", { lastOrderAt: ago(1) }, null],
  ["200", "300", {}, null],
  ["-200", "-300", {}, null],
  ["200", "299.9", {}, "grow_band"],
  ["100", "180", {}, null],
  ["100", "179.9", {}, "grow_band"],
  ["200", "300", { lastOrderAt: ago(899) }, "order_gap"],
  ["200", "300", { lastOrderAt: ago(900) }, null],
  ["200", "300", { lastOrderAt: ago(899), isUrgent: true }, "order_gap"],
  ["200", "130", {}, null],
  ["-200", "-130", {}, null],
  ["200", "130.1", {}, "shrink_band"],
  ["100", "50", {}, null],
  ["100", "50.1", {}, "shrink_band"],
  ["200", "130", { lastOrderAt: ago(899) }, "order_gap"],
  ["200", "130", { lastOrderAt: ago(900) }, null],
  ["200", "199.9", { lastOrderAt: ago(1), isUrgent: true }, null],
  ["200", "0", {}, null],
  ["200", "0", { openedAt: ago(1) }, null], // sized to nothing, not closed by its signal
  ["200", "-100", { openedAt: ago(899) }, "min_hold"],
  ["200", "-100", { openedAt: ago(900) }, null],
  ["-200", "100", { openedAt: ago(899) }, "min_hold"],
  ["200", "-100", { openedAt: ago(1), isUrgent: true }, null],
  ["200", "0", { ...WEAK, openedAt: ago(899) }, "min_hold"],
  ["200", "0", { ...WEAK, openedAt: ago(900), lastOrderAt: ago(1) }, null],
  ["200", "0", { ...WEAK, earlier: [-0.0999, 0.5] }, null],
  ["200", "0", { ...WEAK, earlier: [0.1] }, "weak_once"],
  ["200", "0", { ...WEAK, earlier: [0.5, 0] }, "weak_once"],
  ["200", "0", { ...WEAK, earlier: [] }, "weak_once"],
  ["200", "0", { ...WEAK, earlier: [], isUrgent: true }, null],
  ["200", "0", { isExit: true, s: -0.1, earlier: [0.5] }, null],
])("held %s, wanted %s, %o: %s", (held, target, more, rest) => {
  expect(restOf(step(held, target, more), POLICY)).toBe(rest);
});

test("of four looks each must be weak", () => {
  const policy = { ...POLICY, closeLooks: 4 };
  const rest = (...earlier: number[]) => restOf(step("200", "0", { ...WEAK, earlier }), policy);
  expect([rest(0, 0, 0), rest(0, 0, 0, 1), rest(0, 0), rest(0, 1, 0), rest(1, 0, 0)]).toEqual([
    ...[null, null, "weak_once", "weak_once", "weak_once"],
  ]);
});
