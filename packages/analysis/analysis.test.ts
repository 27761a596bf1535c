import fc from "fast-check";
import { expect, test } from "vitest";
import { idOf } from "#units/ids";
import { instant } from "#units/time";
import { channelOf, contributionsOf, sizeFactor } from "./contribution.ts";
import type { ObservedEvent, PastEvent } from "./observed-event.ts";
import { analyze, type Pattern } from "./pattern.ts";

const NOW = Date.UTC(2024, 0, 10);
const event: ObservedEvent = {
  id: idOf("event", "e"),
  walletId: idOf("wallet", "w"),
  timestamp: instant(NOW),
  observedAt: instant(NOW + 4000),
  type: "swap",
  asset: "ETH",
  direction: 1,
  notionalUsd: 100_000,
  sizeFraction: 0.25,
  isFirstSinceWatch: false,
  quality: 0.9,
  otherAssets: ["USDC"],
};
const past = (hoursAgo: number, over: Partial<PastEvent> = {}): PastEvent => ({
  id: idOf("event", hoursAgo),
  timestamp: instant(NOW - hoursAgo * 3_600_000),
  type: "swap",
  asset: "ETH",
  direction: 1,
  notionalUsd: 90_000,
  ...over,
});
const calm = { boughtUsd: 0, soldUsd: 0 };
const even = { "1h": 0.5, "4h": 0.5, "24h": 0.5 };

test.each<[string, Partial<ObservedEvent>, PastEvent[], Pattern, number]>([
  ["first buy", { isFirstSinceWatch: true }, [], "first_buy_since_watch", 1],
  ["first sale", { isFirstSinceWatch: true, direction: -1 }, [], "first_sale_since_watch", -1],
  ["third buy in a row", {}, [past(2), past(5)], "accumulation_streak", 1],
  [
    "third sale in a row",
    { direction: -1 },
    [past(2, { direction: -1 }), past(5, { direction: -1 })],
    "distribution_streak",
    -1,
  ],
  ["a sale breaks the streak", {}, [past(2), past(5, { direction: -1 }), past(6)], "buy", 1],
  ["other assets are no streak", {}, [past(2, { asset: "BTC" }), past(5, { asset: "BTC" })], "buy", 1],
  ["undone within an hour", { direction: -1 }, [past(0.5)], "round_trip", -1],
  ["a large part into stable", { direction: -1, sizeFraction: 0.5 }, [], "rotation_to_stable", -1],
  ["bought on borrowed money", {}, [past(3, { type: "borrow", asset: "USDC" })], "leverage_up", 1],
  ["borrows a stablecoin", { type: "borrow", asset: "USDC" }, [], "leverage_up", 1],
  ["borrows ETH", { type: "borrow" }, [], "short_borrow", -1],
  [
    "repays after selling",
    { type: "repay", asset: "DAI", direction: -1 },
    [past(1, { direction: -1 })],
    "leverage_down",
    -1,
  ],
  ["unstakes, then sells", { direction: -1 }, [past(3, { type: "unstake" })], "unstake_then_sell", -1],
  ["to an exchange", { type: "cex_deposit", direction: -1 }, [], "exchange_inflow", -1],
  ["from an exchange", { type: "cex_withdrawal" }, [], "exchange_outflow", 1],
  ["money to an exchange", { type: "cex_deposit", asset: "USDT", direction: -1 }, [], "stable_to_exchange", 1],
  ["money from an exchange", { type: "cex_withdrawal", asset: "USDT" }, [], "stable_from_exchange", 0],
  ["stakes", { type: "stake", direction: -1 }, [], "stake", 1],
  ["bridges out", { type: "bridge_out", direction: -1 }, [], "bridge_out", 0],
  ["wallet to wallet", { type: "transfer_in" }, [], "transfer", 0],
  ["complex", { type: "complex", direction: 0 }, [], "unclear", 0],
  ["unknown token", { asset: null }, [], "unclear", 0],
  ["stable for stable", { asset: "USDC", direction: 0 }, [], "other", 0],
])("%s", (_, over, history, pattern, direction) => {
  const found = analyze({ ...event, ...over }, history, calm);
  expect(found.pattern).toBe(pattern);
  expect(found.direction).toBe(direction);
  expect(Math.sign(found.impact) === 0 || Math.sign(found.impact) === found.direction).toBe(true);
});

test("flow makes a rule surer or less sure, and never turns it", () => {
  const along = analyze(event, [], { boughtUsd: 1e6, soldUsd: 0 });
  const against = analyze(event, [], { boughtUsd: 0, soldUsd: 1e6 });
  expect(along.confidence).toBeGreaterThan(against.confidence);
  expect(along.direction).toBe(against.direction);
});

test.each([
  ["swap", "ETH", "swap"],
  ["swap", "USDC", "none"],
  ["cex_deposit", "ETH", "asset_to_exchange"],
  ["cex_deposit", "DAI", "stable_to_exchange"],
  ["transfer_out", "ETH", "none"],
  ["complex", "ETH", "unclear"],
  ["borrow", "USDC", "borrow_stable"],
  ["liquidation", "ETH", "liquidation"],
])("%s of %s goes through %s", (type, asset, channel) => expect(channelOf({ type, asset })).toBe(channel));

const shares = (
  over: Partial<ObservedEvent>,
  believed: Record<"1h" | "4h" | "24h", number | null> = { "1h": 0.9, "4h": 0.9, "24h": 0.9 },
  history: PastEvent[] = [],
) => {
  const full = { ...event, ...over };
  return contributionsOf(full, analyze(full, history, calm), believed, history, 5_000_000);
};

test("money to an exchange leans on both majors", () => {
  const found = shares({ type: "cex_deposit", asset: "USDC", direction: -1 });
  expect(found.map((c) => `${c.asset} ${c.timeframe} ${c.d}`)).toEqual([
    "BTC 1h 0.25",
    "BTC 4h 0.25",
    "BTC 24h 0.25",
    "ETH 1h 0.25",
    "ETH 4h 0.25",
    "ETH 24h 0.25",
  ]);
});

test.each([
  ["swap", -1, -1],
  ["swap", 1, 1],
  ["cex_deposit", -1, -0.35],
  ["cex_withdrawal", 1, 0.25],
  ["stake", -1, 0.15],
  ["unstake", 1, -0.15],
  ["transfer_in", 1, 0],
])("%s %i pushes %d", (type, direction, d) => {
  expect(shares({ type, direction: direction as 1 | -1 })[0]?.d).toBe(d);
});

test("a new wallet counts nothing, and the row says why", () => {
  const [first] = shares({}, even);
  expect(first).toMatchObject({ w: 0, d: 1, factors: { credibility: 0, score: 5 } });
  expect(first?.factors.size).toBeGreaterThan(0);
  expect(shares({}, { "1h": null, "4h": null, "24h": null })[0]).toMatchObject({ w: 0, factors: { score: null } });
});

test("unpriced counts nothing; unknown equity counts half", () => {
  expect(shares({ notionalUsd: null })[0]).toMatchObject({ w: 0, factors: { size: 0 } });
  expect(shares({ sizeFraction: null })[0]?.factors.fraction).toBe(0.5);
});

test("repeats count less, within the timeframe only; the first since watch counts in full", () => {
  const [h1, h4] = shares({}, even, [past(2), past(3)]);
  expect([h1?.factors.novelty, h4?.factors.novelty]).toEqual([0.8, 0.4619]);
  expect(shares({ isFirstSinceWatch: true })[0]?.factors.novelty).toBe(1);
});

test("size grows with the logarithm and ends at the 99th percentile", () => {
  expect(sizeFactor(0, 1e6)).toBe(0);
  expect(sizeFactor(1e6, 1e6)).toBe(1);
  expect(sizeFactor(9e6, 1e6)).toBe(1);
  expect(sizeFactor(30_000, 1e6)).toBeCloseTo(Math.log(31) / Math.log(1001), 12);
});

test("the weight is the product of factors that all lie in [0, 1]", () => {
  const any = fc.record({
    type: fc.constantFrom("swap", "cex_deposit", "cex_withdrawal", "borrow", "stake", "transfer_in", "complex"),
    asset: fc.constantFrom("ETH", "BTC", "USDC", "LINK", null),
    direction: fc.constantFrom(-1 as const, 0 as const, 1 as const),
    notionalUsd: fc.option(fc.double({ min: 0, max: 1e9, noNaN: true })),
    sizeFraction: fc.option(fc.double({ min: 0, max: 20, noNaN: true })),
    isFirstSinceWatch: fc.boolean(),
    quality: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  fc.assert(
    fc.property(any, fc.double({ min: 0, max: 1, noNaN: true }), (over, p) => {
      for (const { w, d, factors } of shares(over, { "1h": p, "4h": null, "24h": 1 })) {
        const { score, ...five } = factors;
        for (const factor of Object.values(five)) expect(factor >= 0 && factor <= 1).toBe(true);
        expect(w).toBe(five.credibility * five.size * five.fraction * five.quality * five.novelty);
        expect(Math.abs(d)).toBeLessThanOrEqual(1);
      }
    }),
  );
});
