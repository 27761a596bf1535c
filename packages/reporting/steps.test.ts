import fc from "fast-check";
import { expect, test } from "vitest";
import { ETH_SWAP } from "#testing/instruments";
import { resultOf } from "#testing/order-steps";
import { type PlanInput, planOrder } from "#trading/plans/plan";
import { POLICY } from "#trading/plans/policy";
import { decimalOf, fixed } from "#units/decimal";
import { idOf } from "#units/ids";
import { instant, instantOf, millis } from "#units/time";
import { stepsOf } from "./steps.ts";

const AT = instantOf("2022-06-21T02:40:00.000Z");
const ago = (seconds: number) => instant(millis(AT) - seconds * 1000);
const amount = (least: number, most: number, places: number) =>
  fc.double({ min: least, max: most, noNaN: true }).map((value) => fixed(value, places));

const anyInput = fc.record({
  value: fc.double({ min: -0.99, max: 0.99, noNaN: true }),
  confidence: fc.double({ min: 0.3, max: 1, noNaN: true }),
  credibility: fc.constantFrom(5.5, 6.5, 7.25, 9, null),
  biasAge: fc.constantFrom(60, 60, 60, 100_000),
  price: amount(1, 4000, 2),
  atr: fc.option(amount(0.5, 90, 4), { freq: 8 }),
  equity: amount(200, 2_000_000, 2),
  held: fc.oneof(fc.constant(decimalOf("0")), amount(-4000, 4000, 2)),
  taken: fc.constantFrom("0", "3", "40"),
  hourVolume: amount(10, 500_000, 1),
  lots: fc.constantFrom("0.01", "0.1", "1"),
  state: fc.constantFrom("ACTIVE" as const, "REDUCING" as const, "HALTED" as const),
  lastOrder: fc.constantFrom(null, 30, 4000),
  opened: fc.constantFrom(null, 50, 90_000),
});

const planned = (any: typeof anyInput extends fc.Arbitrary<infer T> ? T : never): PlanInput => ({
  ...{ at: AT, mode: "demo", venue: "paper", gitSha: "abc", asset: "ETH" },
  instrument: { ...ETH_SWAP, lotSize: decimalOf(any.lots), minSize: decimalOf(any.lots) },
  control: { state: any.state, epoch: 3 },
  bias: {
    ...{ at: ago(any.biasAge), value: any.value, confidence: any.confidence, components: {} },
    contributions: [
      {
        ...{ event_id: idOf("event", "a"), wallet_id: idOf("wallet", "a") },
        ...{ contribution: any.value, credibility: any.credibility },
      },
    ],
  },
  quote: { instrument: ETH_SWAP.id, bid: any.price, ask: any.price, mark: any.price, at: AT },
  quotedAt: AT,
  volatility: { atr: any.atr, daily: any.atr === null ? null : 0.04, hourVolume: any.hourVolume, hours: 14 },
  ...{ equity: any.equity, dayStart: any.equity, peak: any.equity, held: any.held, taken: decimalOf(any.taken) },
  ...{ lanes: 2, otherGrossUsd: decimalOf("0"), otherRiskUsd: decimalOf("0"), inFlight: 0, stopsLastDay: 0 },
  ...{ lastClosedAt: null, ordersLastMinute: 0, earlier: [any.value], analyses: [] },
  lastOrderAt: any.lastOrder === null ? null : ago(any.lastOrder),
  openedAt: any.opened === null ? null : ago(any.opened),
});

test("the steps of any decision, each taken by itself, end at the order's size", () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(anyInput, (any) => {
      const plan = planOrder(planned(any), POLICY);
      if (plan.verdict === "nothing") return;
      const steps = stepsOf(JSON.parse(JSON.stringify(plan.policySnapshot))) ?? [];
      expect(resultOf(steps)).toBe(plan.order.size);
      for (const { name } of steps) seen.add(name);
    }),
    { numRuns: 1000 },
  );
  expect([...seen]).toEqual(expect.arrayContaining(["bias", "exit", "bounds", "order_bounds"]));
});

test("a stop has no steps, nor has an order of a release that kept less", () => {
  expect([stepsOf(null), stepsOf({ bias: { value: 0.3, confidence: 0.6 }, sizing: { s: 0.2, bounds: {} } })]).toEqual([
    null,
    null,
  ]);
});
