import fc from "fast-check";
import { expect, test } from "vitest";
import { big, decimalOf, text, ZERO } from "#units/decimal";
import { instantOf } from "#units/time";
import { type Adopted, adoptedStop } from "./adopted-stop.ts";
import type { Protection } from "./protection.ts";

const AT = instantOf("2026-01-02T03:04:05.678Z");
const ETH = "ETH-USDT-SWAP";
const row = (trigger: string, over: Partial<Protection> = {}): Protection => ({
  ...{ stopId: "d1", instrument: ETH, episode: null, kind: "stop", side: "sell", trigger: decimalOf(trigger) },
  ...{ size: null, status: "live", algoId: "71", childOrderId: null, reason: null, exposedAt: AT, wantedAt: AT },
  ...{ liveAt: AT, endedAt: null, version: 1, ...over },
});
const long = (over: Partial<Adopted> = {}): Adopted => ({
  ...{ instrument: ETH, tickSize: decimalOf("0.01"), side: "sell", mark: decimalOf("1000.01") },
  ...{ distance: decimalOf("0.02"), known: [], ...over },
});

test.each<[string, Adopted, string | null]>([
  ["a long, at the nearer tick", long(), "980.01"],
  ["a short, at the nearer tick", long({ side: "buy" }), "1020.01"],
  ["the mark has moved since", long({ known: [row("970")], mark: decimalOf("2000") }), "970"],
  ["of two the nearer", long({ known: [row("970"), row("975", { stopId: "d2" })] }), "975"],
  ["one that ended", long({ known: [row("970", { status: "canceled", endedAt: AT })] }), "980.01"],
  ["one of the other side", long({ known: [row("1100", { side: "buy" })] }), "980.01"],
  ["one of another instrument", long({ known: [row("970", { instrument: "BTC-USDT-SWAP" })] }), "980.01"],
  ["a take-profit", long({ known: [row("1100", { kind: "tp" })] }), "980.01"],
  ["the mark is not known", long({ mark: null }), null],
])("%s", (_, adopted, expected) => expect(adoptedStop(adopted)).toBe(expected));

test("for every mark and distance: on a tick, on the losing side, never farther than the distance", () => {
  const hundredths = fc.integer({ min: 1, max: 10_000_000 }).map((n) => text(big(n).div(100)));
  const share = fc.integer({ min: 1, max: 5000 }).map((n) => text(big(n).div(10_000)));
  fc.assert(
    fc.property(hundredths, share, fc.constantFrom("sell" as const, "buy" as const), (mark, distance, side) => {
      const stop = big(adoptedStop(long({ mark, distance, side })) ?? ZERO);
      expect(stop.times(100).mod(1).toFixed()).toBe("0");
      const exact = big(mark).times(side === "sell" ? big(1).minus(distance) : big(1).plus(distance));
      if (side === "sell") expect(stop.gte(exact)).toBe(true);
      else expect(stop.lte(exact)).toBe(true);
      expect(stop.minus(exact).abs().lt("0.01")).toBe(true);
    }),
  );
});
