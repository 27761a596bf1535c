import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { big, type Decimal, decimalOf, text } from "#units/decimal";
import { idOf } from "#units/ids";
import { instant, instantOf, millis } from "#units/time";
import { FILL_CAUSES, signed } from "./fill.ts";
import { positionsOf } from "./position.ts";
import { actOf, type Counted, stepsOf } from "./step.ts";

const START = instantOf("2026-01-02T03:04:05.000Z");
const PLAN = { type: "ioc" };

describe("what a change of exposure is called", () => {
  test.each([
    ["open", "0", "4.84", PLAN],
    ["open", "0", "-1", PLAN],
    ["add", "3.24", "4.84", PLAN],
    ["add", "-3.24", "-4.84", PLAN],
    ["cut", "4.84", "3.24", PLAN],
    ["cut", "-4.84", "-3.24", PLAN],
    ["close", "4.84", "0", PLAN],
    ["close", "-1", "0", { type: "market" }],
    ["flip", "4.84", "-0.1", PLAN],
    ["flip", "-4.84", "0.1", PLAN],
    ["stop", "4.84", "0", { type: "stop" }],
    ["stop", "4.84", "2", { type: "stop" }],
    ["take-profit", "4.84", "3.24", { type: "take_profit" }],
    ["liquidated", "4.84", "3.24", { cause: "liquidation" }],
    ["external", "0", "4.84", { cause: "hand" }],
    ["external", "4.84", "0", { cause: "adl" }],
  ] as const)("%s: from %s to %s", (act, before, after, maker) =>
    expect(actOf({ before: decimalOf(before), after: decimalOf(after) }, maker)).toBe(act),
  );

  test("no change has no name", () =>
    expect(() => actOf({ before: decimalOf("1"), after: decimalOf("1.0") }, PLAN)).toThrow(RangeError));
});

const anyFill = fc.record({
  order: fc.option(fc.constantFrom("a", "b", "c", "d")),
  cause: fc.constantFrom(...FILL_CAUSES),
  second: fc.integer({ min: 0, max: 20 }),
  lots: fc.integer({ min: 1, max: 500 }),
  cents: fc.integer({ min: 100, max: 900 }),
});
const SIDES = { a: "buy", b: "sell", c: "buy", d: "sell" } as const;
/** Each order has one side; the fills of others have any. */
const anyFills = fc.array(anyFill, { maxLength: 30 }).map((list) =>
  list.map(
    ({ order, cause, second, lots, cents }, index): Counted => ({
      ...{ tradeId: String(index), instrument: "BTC-USDT-SWAP", orderId: order === null ? null : idOf("order", order) },
      ...{ cause: order === null ? cause : null, filledAt: instant(millis(START) + second * 1000) },
      side: order === null ? (lots % 2 === 0 ? "buy" : "sell") : SIDES[order],
      ...{ size: text(big(lots).div(100)), price: text(big(cents).div(100)) },
      ...{ fee: decimalOf("0.01"), feeAsset: "USDT", feePrice: null, liquidity: "taker" },
    }),
  ),
);
const sum = (fills: readonly Counted[]): Decimal => text(fills.reduce((held, fill) => held.plus(signed(fill)), big(0)));

describe("for any fills, in any order and replayed", () => {
  const law = (check: (fills: Counted[], steps: ReturnType<typeof stepsOf>) => void) =>
    fc.assert(
      fc.property(anyFills, fc.nat(), (fills, turn) => {
        const turned = [...fills.slice(turn % (fills.length + 1)), ...fills, ...fills.slice(0, 3)];
        check(fills, stepsOf(turned));
      }),
      { numRuns: 1000 },
    );

  test("what was held before, with an order's fills, is what is held after", () =>
    law((fills, steps) => {
      for (const { orderId, before, after, total } of steps.filter((step) => step.orderId !== null)) {
        const own = fills.filter((fill) => fill.orderId === orderId);
        expect(text(big(before).plus(sum(own)))).toBe(after);
        expect(text(big(after).minus(before).abs())).toBe(total.size);
      }
    }));

  test("every fill counts in one step, so the steps lead from nothing to what is held", () =>
    law((fills, steps) => {
      const moved = steps.reduce((held, { before, after }) => held.plus(after).minus(before), big(0));
      expect(text(moved)).toBe(sum(fills));
      expect(text(moved)).toBe(positionsOf(fills, decimalOf("0.01")).at(-1)?.contracts ?? "0");
    }));

  test("where no order's fills have another's between them, each step begins where the last one ended", () =>
    law((fills, steps) => {
      const ids = steps.map((step) => step.orderId);
      const runs = fills
        .toSorted((a, b) => (a.filledAt < b.filledAt ? -1 : a.filledAt > b.filledAt ? 1 : 0))
        .filter((fill, index, all) => fill.orderId === null || fill.orderId !== all[index - 1]?.orderId);
      if (runs.length !== ids.length) return;
      for (const [index, { before }] of steps.entries()) expect(before).toBe(steps[index - 1]?.after ?? "0");
    }));
});
