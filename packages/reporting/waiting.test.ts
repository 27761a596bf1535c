import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { POLICY } from "#trading/plans/policy";
import { big, type Decimal, decimalOf, text } from "#units/decimal";
import { instantOf } from "#units/time";
import { type WaitedFor, type WaitingRow, waitingFor } from "./waiting.ts";

const liveAt = instantOf("2022-06-21T02:15:05.400Z");
const long: WaitedFor = {
  ...{ side: "long", contracts: decimalOf("120"), contractSize: decimalOf("0.1"), minSize: decimalOf("0.1") },
  ...{ entryPrice: decimalOf("1127.4"), markPrice: decimalOf("1134.8"), policy: POLICY },
};
const row = (kind: "stop" | "tp", trigger: string, size: string | null = null): WaitingRow => ({
  ...{ kind, trigger: decimalOf(trigger), size: size === null ? null : decimalOf(size), liveAt },
  unprotectedSeconds: 1.4,
});

describe("what waits for a position", () => {
  test("a stop closes all: (1,104.10 − 1,127.40) × 12 = −279.60, less 5 bps of 13,249.20", () => {
    const { atVenue, uncovered, legs } = waitingFor(long, [row("stop", "1104.1")]);
    const figures = { contracts: "120", size: "12", awayPercent: "2.7", netUsd: "-286.22" };
    expect(atVenue).toEqual({ trigger: "1104.1", liveAt, ...figures, unprotectedSeconds: 1.4 });
    expect([uncovered, legs]).toEqual(["0", []]);
  });

  test("legs close their parts at a profit, the nearest first, of a short as well", () => {
    const { legs } = waitingFor(long, [row("tp", "1174", "40"), row("tp", "1150.7", "40")]);
    expect(legs).toMatchObject([
      { trigger: "1150.7", contracts: "40", size: "4", awayPercent: "1.4", netUsd: "90.9" },
      { trigger: "1174", contracts: "40", size: "4", awayPercent: "3.5", netUsd: "184.05" },
    ]);
    const short = waitingFor({ ...long, side: "short" }, [row("tp", "1080.8", "40"), row("tp", "1104.1", "40")]);
    expect(short.legs).toMatchObject([
      { trigger: "1104.1", netUsd: "90.99" },
      { trigger: "1080.8", netUsd: "184.24" },
    ]);
  });

  test("parts are one stop, and what they leave bare is told", () => {
    const parts = [row("stop", "1104.1", "50"), row("stop", "1104.1", "30")];
    expect(waitingFor(long, parts)).toMatchObject({ atVenue: { contracts: "80", size: "8" }, uncovered: "40" });
    expect(waitingFor(long, [...parts, row("stop", "1104.1", "40")]).uncovered).toBe("0");
  });

  test.each<[string, Partial<WaitedFor>, Decimal | null]>([
    ["no stop", {}, decimalOf("120")],
    ["dust", { contracts: decimalOf("0.01") }, decimalOf("0")],
    ["below the least order, and worth too much for dust", { contracts: decimalOf("0.09") }, decimalOf("0.09")],
    ["nobody knows what is held", { contracts: null }, null],
  ])("what no stop covers: %s", (_, parts, bare) =>
    expect(waitingFor({ ...long, ...parts }, [])).toEqual({ atVenue: null, uncovered: bare, legs: [] }),
  );

  test("what is not known is not made up", () => {
    const bare = { ...long, contractSize: null, entryPrice: null, markPrice: null };
    expect(waitingFor(bare, [row("stop", "1104.1")]).atVenue).toMatchObject({
      ...{ contracts: "120", size: null, awayPercent: null, netUsd: null },
    });
  });
});

test("for all parts: what the stops close and what is told as bare are what is held, unless they close more", () => {
  const size = fc.integer({ min: 1, max: 200 }).map(String);
  fc.assert(
    fc.property(fc.array(size, { maxLength: 5 }), (sizes) => {
      const { atVenue, uncovered } = waitingFor(
        long,
        sizes.map((one) => row("stop", "1104.1", one)),
      );
      const sum = sizes.reduce((total, one) => total.plus(one), big(0));
      expect(atVenue?.contracts ?? "0").toBe(text(sum));
      expect(uncovered).toBe(text(sum.gte(120) ? big(0) : big(120).minus(sum)));
    }),
  );
});
