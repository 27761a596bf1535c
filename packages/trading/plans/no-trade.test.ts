import fc from "fast-check";
import { expect, test } from "vitest";
import { NoTrade, type Standing, whyNoTrade } from "./no-trade.ts";
import { POLICY } from "./policy.ts";
import { signalOf } from "./sizing.ts";

const standing = (value: number, confidence: number | null, credibility: number | null, denied: string[] = []) => ({
  ...{ asset: "ETH", bias: { value, confidence, credibility }, bets: { has: 3.2, needs: 25 }, denied },
});
const none = { bias: null, confidence: null, credibility: null };

test.each<[string, Standing, Partial<NoTrade>]>([
  ["nothing moved it", { ...standing(0, 0, null), bias: null }, { gap: "bias", needs: null, closes: none }],
  ["nobody is known", standing(0, 0, null), { gap: "evidence", has: 3.2, needs: 25, closes: none }],
  ["no confidence", standing(0.4, null, 7), { gap: "evidence", has: 3.2, needs: 25, closes: none }],
  ["no lean", standing(0, 0.5, 7), { gap: "evidence", leansDown: false, closes: none }],
  ["wallets without a score", standing(0.4, 0.5, null), { gap: "evidence", closes: none }],
  ["a signal at the entry", standing(0.25, 1, 8, ["drawdown"]), { gap: "signal", leansDown: false, denied: [] }],
  [
    "wallets at the floor",
    standing(0.8, 0.5, 5),
    { gap: "credibility", has: 5, needs: 5, closes: { ...none, credibility: 6.875 } },
  ],
  [
    "a weak signal that one factor could close",
    standing(0.5, 0.6, 6.5),
    { gap: "signal", has: 0.15, needs: 0.25, closes: { bias: 0.25 / 0.3, confidence: null, credibility: 7.5 } },
  ],
  ["a weak signal that none closes alone", standing(0.1, 0.2, 6.5), { gap: "signal", has: 0.01, closes: none }],
  ["a short as well", standing(-0.5, 0.6, 6.5), { gap: "signal", has: 0.15, needs: 0.25, leansDown: true }],
  ["a limit", standing(0.6, 0.7, 8, ["cooldown_seconds"]), { gap: "policy", denied: ["cooldown_seconds"] }],
  ["no limit, so it is the size", standing(0.6, 0.7, 8), { gap: "size", denied: [] }],
])("%s", (_, given, wanted) => {
  const gap = whyNoTrade(given, POLICY);
  expect(NoTrade.parse(gap)).toEqual(gap);
  for (const [name, value] of Object.entries(wanted.closes ?? {})) {
    const found = gap.closes[name as keyof NoTrade["closes"]];
    if (value === null) expect(found).toBeNull();
    else expect(found).toBeCloseTo(value, 9);
  }
  const { closes: _closes, has, ...rest } = wanted;
  expect(gap).toMatchObject(rest);
  if (typeof has === "number") expect(gap.has).toBeCloseTo(has, 9);
});

test("what is said to close a gap closes it, and a little less does not", () => {
  const unit = fc.double({ min: 0.01, max: 0.99, noNaN: true });
  fc.assert(
    fc.property(unit, unit, fc.double({ min: 5.01, max: 10, noNaN: true }), (value, confidence, credibility) => {
      const { gap, closes } = whyNoTrade(standing(value, confidence, credibility), POLICY);
      if (gap !== "signal") return;
      const now = { bias: value, confidence, credibility };
      for (const name of ["bias", "confidence", "credibility"] as const) {
        const needed = closes[name];
        if (needed === null) continue;
        const signal = (at: number) => signalOf({ ...now, [name]: at, stale: false }, POLICY).s;
        expect(signal(needed * 1.001)).toBeGreaterThan(POLICY.enter);
        expect(signal(needed * 0.999)).toBeLessThan(POLICY.enter);
      }
    }),
  );
});

test("a report of an earlier release does not say where the bias leans", () => {
  const { leansDown: _, ...earlier } = whyNoTrade(standing(-0.5, 0.6, 6.5), POLICY);
  expect(NoTrade.parse(earlier).leansDown).toBe(false);
});
