import fc from "fast-check";
import { expect, test } from "vitest";
import type { NoTrade } from "#trading/plans/no-trade";
import { evidenceOn, noEvidence, whyText } from "./no-trade.ts";

const NOTHING = { bias: null, confidence: null, credibility: null };
const gap = (name: NoTrade["gap"], has: number | null, needs: number | null, over: Partial<NoTrade> = {}): NoTrade => ({
  ...{ asset: "ETH", gap: name, has, needs, closes: NOTHING, leansDown: false, denied: [] },
  ...over,
});
const said = (of: NoTrade): string => whyText(of, "4h");

test("a bias that leans down is told with its sign, and what would close the gap too", () => {
  const short = gap("signal", 0.04, 0.12, { leansDown: true, closes: { ...NOTHING, bias: 0.7301 } });
  expect(said(short)).toBe("signal -0.04, below -0.12 needed (0.08 short); a bias of -0.74 would close it");
});

test("too few bets are no evidence yet; enough of them without a wallet above the middle are none", () => {
  expect(noEvidence({ horizon: "24h", needs: 25, has: 0 })).toBe("no evidence yet: needs 25 bets at 24h, has 0");
  expect(noEvidence({ horizon: "4h", needs: 25, has: 24.96 })).toBe("no evidence yet: needs 25 bets at 4h, has 25");
  expect(noEvidence({ horizon: "4h", needs: 25, has: 25 })).toBe(
    "no evidence: 25 bets at 4h, and no wallet behind it stands above 5.0",
  );
});

test("evidence that nobody counted is none", () => {
  const counted = [{ horizon: "4h", needs: 25, has: 3 } as never]; // the fields that are read
  expect(evidenceOn(counted, "4h")).toMatchObject({ needs: 25, has: 3 });
  expect(evidenceOn(counted, "1h")).toEqual({ horizon: "1h", needs: 0, has: 0 });
});

test.each<[NoTrade, string]>([
  [gap("bias", null, null), "no 4h bias: a swap or an exchange transfer of it by a watched wallet would make one"],
  [gap("evidence", 3.2, 25), "no evidence yet: needs 25 bets at 4h, has 3.2; more settled outcomes would close it"],
  [
    gap("evidence", 25, 25),
    "no evidence: 25 bets at 4h, and no wallet behind it stands above 5.0; a swap by a wallet above 5.0 would close it",
  ],
  [
    gap("credibility", 4.9, 5, { closes: { ...NOTHING, credibility: 6.875 } }),
    "the wallets behind it stand at 4.9, above 5.0 needed; a credibility of 6.9 would close it",
  ],
  [
    gap("signal", 0.15, 0.25, { closes: { bias: 0.8333, confidence: null, credibility: 7.5 } }),
    "signal 0.15, above 0.25 needed (0.10 short); a bias of 0.84 or a credibility of 7.5 would close it",
  ],
  [
    gap("signal", 0.2, 0.25, { closes: { bias: 0.5, confidence: 0.871, credibility: 7.5 } }),
    "signal 0.20, above 0.25 needed (0.05 short); a bias of 0.50, a confidence of 88% or a credibility of 7.5 would close it",
  ],
  [
    gap("signal", 0.01, 0.25),
    "signal 0.01, above 0.25 needed (0.24 short); none of bias, confidence and credibility would close it alone",
  ],
  [
    gap("size", null, null),
    "signal enough; what it allows is less than one lot or too small a share of a full position, or an order was on its way",
  ],
])("%#: %s", (of, text) => {
  expect(said(of)).toBe(text);
});

test("a denial names its limits", () => {
  expect(said(gap("policy", null, null, { denied: ["cooldown_seconds", "trading_state"] }))).toMatch(
    /^denied by .*cooldown.* and .*/,
  );
});

test("what is said to be enough is enough, and by less than its last digit", () => {
  fc.assert(
    fc.property(fc.double({ min: 0.001, max: 1, noNaN: true }), (needed) => {
      const text = said(gap("signal", 0.1, 0.25, { closes: { ...NOTHING, bias: needed } }));
      const shown = Number(/a bias of (\d\.\d\d) would/.exec(text)?.[1]);
      expect(shown).toBeGreaterThanOrEqual(needed);
      expect(shown - needed).toBeLessThan(0.01 + 1e-12);
    }),
  );
});
