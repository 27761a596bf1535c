import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { orderWith, whyWith } from "#testing/report";
import { type Decimal, decimalOf } from "#units/decimal";
import { instantOf } from "#units/time";
import { askedOf, changeLine, spreadUsd } from "./change.ts";
import { changeText, orderText, orderWhy } from "./order-text.ts";
import { escaped, plain } from "./plain.ts";
import type { OrderLine } from "./report.ts";

const PLAN = { type: "ioc" };
const BTC = { contractSize: decimalOf("0.01"), price: decimalOf("74763.2") };
const change = (before: string, after: string, maker: Parameters<typeof changeLine>[1] = { type: "ioc" }) =>
  changeLine({ before: decimalOf(before), after: decimalOf(after) }, maker, BTC, false);
const order = (parts: Partial<OrderLine>): OrderLine =>
  orderWith({
    ...{ instrument: "BTC-USDT-SWAP", asset: "BTC", side: "sell", type: "market", reduceOnly: true },
    ...{ size: decimalOf("1.6"), filledSize: decimalOf("1.6"), averagePrice: decimalOf("74763.2") },
    ...{ assetSize: decimalOf("0.016"), filledAssetSize: decimalOf("0.016") },
    ...{ feesUsd: decimalOf("0.5981056"), spreadUsd: decimalOf("0.3104") },
    ...{ filledAt: instantOf("2026-03-03T04:13:02.480Z"), change: change("4.84", "3.24") },
    ...parts,
  });

test("a cut, as it is told everywhere", () =>
  expect(orderText(order({}))).toBe(
    "CUT long BTC 4.84 → 3.24 ct (0.0484 → 0.0324 BTC, 3,619 → 2,422 USD) · 04:13:02 · filled 74,763.2 · cost 0.60 fee + 0.31 spread",
  ));

test.each([
  ["0", "4.84", PLAN, "OPEN long BTC 0 → 4.84 ct (0 → 0.0484 BTC, 0 → 3,619 USD)"],
  ["0", "-4.84", PLAN, "OPEN short BTC 0 → 4.84 ct (0 → 0.0484 BTC, 0 → 3,619 USD)"],
  ["-3.24", "-4.84", PLAN, "ADD short BTC 3.24 → 4.84 ct (0.0324 → 0.0484 BTC, 2,422 → 3,619 USD)"],
  ["4.84", "3.24", PLAN, "CUT long BTC 4.84 → 3.24 ct (0.0484 → 0.0324 BTC, 3,619 → 2,422 USD)"],
  ["0.1", "0", PLAN, "CLOSE long BTC 0.1 → 0 ct (0.001 → 0 BTC, 74.76 → 0 USD)"],
  ["4.84", "-3.24", PLAN, "FLIP long → short BTC 4.84 → 3.24 ct (0.0484 → 0.0324 BTC, 3,619 → 2,422 USD)"],
  ["4.84", "0", { type: "stop" }, "STOP long BTC 4.84 → 0 ct (0.0484 → 0 BTC, 3,619 → 0 USD)"],
  [
    "-4.84",
    "-3.24",
    { type: "take_profit" },
    "TAKE-PROFIT short BTC 4.84 → 3.24 ct (0.0484 → 0.0324 BTC, 3,619 → 2,422 USD)",
  ],
  ["4.84", "1.2", { cause: "liquidation" }, "LIQUIDATED long BTC 4.84 → 1.2 ct (0.0484 → 0.012 BTC, 3,619 → 897 USD)"],
  ["0", "1200", { cause: "hand" }, "EXTERNAL long BTC 0 → 1,200 ct (0 → 12 BTC, 0 → 897,158 USD)"],
] as const)("the change from %s to %s contracts, made by %j", (before, after, maker, text) =>
  expect(changeText(change(before, after, maker), "BTC")).toBe(text),
);

describe("what became of an order", () => {
  test.each<[string, Partial<OrderLine>, string]>([
    [
      "a rebate and a better price",
      { feesUsd: decimalOf("-0.12"), spreadUsd: decimalOf("-0.5") },
      "04:13:02 · filled 74,763.2 · cost -0.12 fee - 0.50 spread",
    ],
    ["no quote to compare with", { spreadUsd: null }, "04:13:02 · filled 74,763.2 · cost 0.60 fee"],
    [
      "a part, and it is over",
      { status: "canceled", filledSize: decimalOf("0.6"), filledAssetSize: decimalOf("0.006") },
      "04:13:02 · canceled, filled 0.006 BTC of it at 74,763.2 · cost 0.60 fee + 0.31 spread",
    ],
    [
      "a part, and the rest waits",
      { status: "partially_filled", filledSize: decimalOf("0.6"), filledAssetSize: decimalOf("0.006") },
      "04:13:02 · filled 0.006 BTC of it at 74,763.2 · cost 0.60 fee + 0.31 spread",
    ],
  ])("%s", (_, parts, text) => expect(orderText(order(parts)).split(" USD) · ")[1]).toBe(text));

  test("without a fill it says what it asks for, valued at its limit", () => {
    const asked = askedOf(decimalOf("0"), "buy", decimalOf("4.84"));
    const parts = {
      ...{ averagePrice: null, filledAt: null, filledSize: decimalOf("0"), status: "denied" },
      ...{ change: changeLine(asked, { type: "ioc" }, BTC, true), decidedAt: instantOf("2026-03-03T04:13:00.000Z") },
      why: whyWith({ denied: ["cooldown", "daily_loss"] }),
    };
    expect(orderText(order(parts))).toBe(
      "OPEN long BTC 0 → 4.84 ct asked (0 → 0.0484 BTC, 0 → 3,619 USD) · 04:13:00 · denied: cooldown, daily loss",
    );
  });

  test("of an instrument that is not listed there are contracts alone", () => {
    const unlisted = changeLine(
      askedOf(decimalOf("2"), "sell", decimalOf("2")),
      { type: "market" },
      { contractSize: null, price: null },
      false,
    );
    expect(changeText(unlisted, "BTC")).toBe("CLOSE long BTC 2 → 0 ct");
    expect(orderText(order({ change: null, assetSize: null }))).toMatch(/^sell 1\.6 contracts · filled/);
  });
});

describe("which threshold was crossed", () => {
  const why = (parts: Parameters<typeof whyWith>[0]) => orderWhy(order({ why: whyWith(parts) })).split(" (4h")[0];
  test.each([
    [{ crossed: "enter", value: 0.48, threshold: 0.25 }, null, "signal +0.480 above enter 0.25"],
    [{ crossed: "enter", value: -0.48, threshold: 0.25 }, null, "signal -0.480 below enter -0.25"],
    [
      { crossed: "exit", value: 0.08, threshold: 0.1 },
      0.31,
      "signal +0.080 inside exit 0.1, signal +0.310 at the last order",
    ],
    [
      { crossed: "turned", value: -0.3, threshold: 0.25 },
      0.31,
      "signal -0.300 turned against it, beyond 0.25, signal +0.310 at the last order",
    ],
    [{ crossed: "stale", value: 0, threshold: 0.1 }, null, "the bias was too old: signal counts 0, inside exit 0.1"],
    [
      { crossed: "grow", value: 0.5, threshold: 0.2 },
      0.2,
      "signal +0.280: target 50% above what is held, band 20%, signal +0.200 at the last order",
    ],
    [
      { crossed: "cap", value: 20, threshold: 15.5 },
      null,
      "signal +0.280: held 20 ct, above the 15.5 ct that the limits allow",
    ],
    [
      { crossed: "reducing", value: 0.25, threshold: 0.35 },
      null,
      "signal +0.280: target 25% below what is held, and the kill switch wants less",
    ],
    [
      { crossed: "shrink", value: 0.3306, threshold: 0.2 },
      0.4,
      "signal +0.280: target 33% below what is held, band 20%, signal +0.400 at the last order",
    ],
  ] as const)("%j", (trigger, signalBefore, text) => expect(why({ trigger, signalBefore })).toBe(text));

  test("a decision of an earlier release, a stop, and an order of someone else", () => {
    const numbers = { bias: null, confidence: null, credibility: null, trigger: null };
    expect(why({ ...numbers })).toMatch(/^signal \+0\.280 · policy 1-practice 73ea44af15f2 · order /);
    const foreign = whyWith({ ...numbers, signal: null, policy: null });
    expect(orderWhy(order({ why: foreign }))).toMatch(/^not the desk's own order · policy not known · order /);
    expect(orderWhy(order({ why: foreign, type: "stop" }))).toMatch(/^the position's stop was reached · /);
  });
});

test("what the venue says is shown in one line, and what denied is not said twice", () => {
  expect(orderWhy(order({ error: "51008 too\nlittle margin" }))).toContain(
    " · venue: 51008 too little margin · policy ",
  );
  expect(orderWhy(order({ error: "cooldown", why: whyWith({ denied: ["cooldown"] }) }))).not.toContain("venue:");
});

test("text from outside starts no line, link, tag or emphasis", () => {
  const hostile = fc
    .array(fc.constantFrom("\u001b[31m", "\u202e", "\r\n", "](http://e)", "<b>", "**", "`", "|", "x"), { minLength: 1 })
    .map((parts) => parts.join(""));
  fc.assert(
    fc.property(hostile, (name) => {
      const one = order({ asset: name, instrument: name, error: name, status: name, why: whyWith({ bound: [name] }) });
      const shown = [orderText(one, escaped), orderWhy(one, escaped)].join(" ");
      expect(shown).not.toMatch(/[<>`|]|\*\*|\]\(/);
      const terminal = [orderText(one, plain), orderWhy(one, plain)].join(" ");
      expect(terminal).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
    }),
  );
});

test("what a fill was worse than the middle of its quote", () => {
  const quote = { bid: decimalOf("74740"), ask: decimalOf("74760") };
  const cost = (side: "buy" | "sell", price: string): Decimal =>
    spreadUsd({ side, size: decimalOf("1.6"), price: decimalOf(price) }, quote, decimalOf("0.01"));
  // 1.6 × 0.01 × (74,763.20 − 74,750) = 0.2112.
  expect([cost("buy", "74763.2"), cost("sell", "74763.2"), cost("sell", "74740")]).toEqual([
    "0.2112",
    "-0.2112",
    "0.16",
  ]);
});
