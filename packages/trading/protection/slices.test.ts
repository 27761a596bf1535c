import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { big, type Decimal, decimalOf, text, ZERO } from "#units/decimal";
import { instantOf } from "#units/time";
import type { VenueStop } from "../venue.ts";
import { type Command, type Covered, guards, isNearer, protect } from "./protect.ts";
import { isSliced, slice } from "./slices.ts";

const AT = instantOf("2026-01-02T03:04:05.678Z");
const RULE = { most: decimalOf("10"), lotSize: decimalOf("1") };
const long = (over: Partial<Covered> = {}): Covered => ({
  ...{ exposure: decimalOf("25"), mark: decimalOf("100"), trigger: decimalOf("90"), isSure: true, ...over },
});
const stop = (algoId: string, size: string | null, over: Partial<VenueStop> = {}): VenueStop => ({
  ...{ algoId, stopId: algoId, instrument: "ETH-USDT-SWAP", side: "sell", trigger: decimalOf("90"), placedAt: AT },
  ...{ triggerBy: "mark", isWhole: size === null, size: size === null ? null : decimalOf(size) },
  ...{ isReduceOnly: true, isMarket: true, ...over },
});
const place = (size: string, trigger = "90", side: "buy" | "sell" = "sell"): Command => ({
  ...{ act: "place", side, trigger: decimalOf(trigger), size: decimalOf(size) },
});
const resize = (algoId: string, size: string): Command => ({ act: "resize", algoId, size: decimalOf(size) });
const cancel = (algoId: string): Command => ({ act: "cancel", algoId });
const amend = (algoId: string, trigger: string): Command => ({ act: "amend", algoId, trigger: decimalOf(trigger) });

describe("what covers a position by parts", () => {
  test.each<[string, Covered, VenueStop[], Command[]]>([
    ["nothing waits", long(), [], [place("10"), place("10"), place("5")]],
    ["all of it waits", long(), [stop("1", "10"), stop("2", "10"), stop("3", "5")], []],
    ["it grew: new ones beside the old", long(), [stop("1", "10"), stop("2", "5")], [place("10")]],
    [
      "it shrank: made smaller, and what is left over ended",
      long({ exposure: decimalOf("8") }),
      [stop("1", "10"), stop("2", "10")],
      [resize("1", "8"), cancel("2")],
    ],
    [
      "a stop of the whole position is ended once the parts are there",
      long({ exposure: decimalOf("12") }),
      [stop("1", null)],
      [place("10"), place("2"), cancel("1")],
    ],
    [
      "it has what that one had won",
      long({ exposure: decimalOf("5") }),
      [stop("1", null, { trigger: decimalOf("95") })],
      [place("5", "95"), cancel("1")],
    ],
    [
      "triggers move toward profit",
      long({ exposure: decimalOf("12") }),
      [stop("1", "10", { trigger: decimalOf("85") }), stop("2", "2", { trigger: decimalOf("95") })],
      [amend("1", "95")],
    ],
    [
      "one that could open covers nothing",
      long(),
      [stop("1", "25", { isReduceOnly: false })],
      [place("10"), place("10"), place("5"), cancel("1")],
    ],
    ["the price is passed", long({ mark: decimalOf("90") }), [], [{ act: "close" }]],
    ["flat with orphans", long({ exposure: ZERO }), [stop("1", "10"), stop("2", null)], [cancel("1"), cancel("2")]],
    ["flat, perhaps", long({ exposure: ZERO, isSure: false }), [stop("1", "10")], []],
    ["nobody set a stop", long({ trigger: null }), [], []],
    [
      "a short",
      long({ exposure: decimalOf("-11"), trigger: decimalOf("110") }),
      [],
      [place("10", "110", "buy"), place("1", "110", "buy")],
    ],
  ])("%s", (_, covered, stops, commands) => expect(slice(covered, RULE, stops)).toEqual(commands));

  test("where the venue names no bound one stop of a size is enough", () =>
    expect(slice(long(), { ...RULE, most: null }, [])).toEqual([place("25")]));

  test("it is done for what is too large, and for what is so covered already", () => {
    expect([
      ...[isSliced(long(), RULE, []), isSliced(long({ exposure: decimalOf("10") }), RULE, [])],
      isSliced(long({ exposure: decimalOf("10") }), RULE, [stop("1", "10")]),
      isSliced(long({ exposure: decimalOf("10") }), RULE, [stop("1", "10"), stop("2", null)]),
      isSliced(long({ exposure: decimalOf("10") }), RULE, [stop("1", "10", { isReduceOnly: false })]),
      isSliced(long({ exposure: ZERO }), RULE, [stop("1", "10")]),
      isSliced(long(), { most: null }, []),
    ]).toEqual([true, false, true, false, false, false, false]);
  });
});

test("what came with an order is ended once the position is covered without it, and first of all when that is over", () => {
  const spare = stop("7", "25", { isReduceOnly: false });
  expect(protect(long(), [spare], [spare])).toEqual([...[{ act: "place", side: "sell", trigger: "90" }, cancel("7")]]);
  expect(protect(long(), [stop("1", null), spare], [spare])).toEqual([cancel("7")]);
  expect(protect(long({ exposure: ZERO }), [spare], [spare])).toEqual([cancel("7")]);
  expect(protect(long({ exposure: ZERO, isSure: false }), [spare], [spare])).toEqual([]);
  expect(protect(long({ trigger: null }), [spare], [spare])).toEqual([]);
});

/** The venue's part of it: what waits after each command. */
function steps(stops: readonly VenueStop[], commands: readonly Command[]): VenueStop[][] {
  let now = [...stops];
  return commands.map((command, i) => {
    const change = (over: Partial<VenueStop>, id: string) =>
      now.map((one) => (one.algoId === id ? { ...one, ...over } : one));
    if (command.act === "cancel") now = now.filter(({ algoId }) => algoId !== command.algoId);
    if (command.act === "amend") now = change({ trigger: command.trigger }, command.algoId);
    if (command.act === "resize") now = change({ size: command.size }, command.algoId);
    if (command.act === "place") {
      const { side, trigger, size } = command;
      now = [...now, stop(`new ${i} ${now.length}`, size ?? null, { side, trigger })];
    }
    return now;
  });
}

/** Contracts that waiting stops close, of `held`. */
function coverage(stops: readonly VenueStop[], held: Decimal): ReturnType<typeof big> {
  const right = stops.filter((one) => guards(one, big(held).gt(0) ? "sell" : "buy"));
  if (right.some(({ isWhole }) => isWhole)) return big(held).abs();
  return right.reduce((sum, one) => sum.plus(one.size ?? 0), big(0));
}
const least = (a: ReturnType<typeof big>, b: ReturnType<typeof big>) => (a.lt(b) ? a : b);

const price = fc.integer({ min: 80, max: 120 }).map((n) => decimalOf(String(n)));
const contracts = fc.integer({ min: -40, max: 40 }).map((n) => decimalOf(String(n)));
const anyStop = fc
  .record({
    ...{ algoId: fc.uuid(), side: fc.constantFrom("buy" as const, "sell" as const, "sell" as const), trigger: price },
    ...{ size: fc.option(fc.integer({ min: 1, max: 20 }).map(String), { freq: 4 }), isReduceOnly: fc.boolean() },
    triggerBy: fc.constantFrom("mark" as const, "mark" as const, "last" as const),
  })
  .map(({ algoId, size, ...over }) => stop(algoId, size, over));
const anyStops = fc.uniqueArray(anyStop, { maxLength: 5, selector: ({ algoId }) => algoId });
const anyCovered = fc.record<Covered>({
  ...{ exposure: contracts, mark: fc.option(price), trigger: fc.option(price), isSure: fc.boolean() },
});
const anyRule = fc.record({ most: fc.option(fc.integer({ min: 1, max: 15 }).map((n) => decimalOf(String(n)))) });

describe("for every position, and whatever waits", () => {
  const law = (
    check: (covered: Covered, rule: typeof RULE | { most: null; lotSize: Decimal }, stops: VenueStop[]) => void,
  ) =>
    fc.assert(
      fc.property(anyCovered, anyRule, anyStops, (covered, rule, stops) =>
        check(covered, { ...RULE, ...rule } as typeof RULE, stops),
      ),
      { numRuns: 2000 },
    );

  test("at no moment between two commands is less covered than before", () =>
    law((covered, rule, stops) => {
      const held = big(covered.exposure).abs();
      const before = least(coverage(stops, covered.exposure), held);
      for (const each of steps(stops, slice(covered, rule, stops)))
        expect(coverage(each, covered.exposure).gte(before)).toBe(true);
    }));

  test("afterwards the parts are exactly what is held, none above the bound, and there is nothing left to do", () =>
    law((covered, rule, stops) => {
      const commands = slice(covered, rule, stops);
      const after = steps(stops, commands).at(-1) ?? stops;
      if (commands.some(({ act }) => act === "close") || big(covered.exposure).eq(0)) return;
      if (commands.length === 0 && coverage(stops, covered.exposure).eq(0)) return; // nobody set a stop
      expect(after.reduce((sum, { size }) => sum.plus(size ?? 0), big(0)).eq(big(covered.exposure).abs())).toBe(true);
      for (const { size, isWhole } of after)
        expect([isWhole, rule.most !== null && big(size ?? 0).gt(rule.most)]).toEqual([false, false]);
      expect(slice(covered, rule, after)).toEqual([]);
    }));
});

describe("over any sequence of positions, marks and policies", () => {
  const anySteps = fc.array(
    fc.record({ size: fc.integer({ min: 1, max: 40 }), mark: fc.option(price), trigger: fc.option(price) }),
    { minLength: 2, maxLength: 12 },
  );
  /** Where a position is stopped at the latest: the farthest of the triggers that cover it. */
  const farthest = (stops: readonly VenueStop[], side: "buy" | "sell"): Decimal | null =>
    stops
      .filter((one) => guards(one, side))
      .map(({ trigger }) => trigger)
      .reduce<Decimal | null>((last, one) => (last === null || isNearer(side, last, one) ? one : last), null);

  test.each(["whole", "parts"] as const)("the stop only ever moves toward profit (%s)", (form) =>
    fc.assert(
      fc.property(anySteps, fc.constantFrom("buy" as const, "sell" as const), (sequence, side) => {
        let stops: VenueStop[] = [];
        for (const { size, mark, trigger } of sequence) {
          const exposure = text(side === "sell" ? size : -size);
          const covered = { exposure, mark, trigger, isSure: true };
          const before = farthest(stops, side);
          const commands = form === "whole" ? protect(covered, stops) : slice(covered, RULE, stops);
          if (commands.some(({ act }) => act === "close")) return; // the episode is over
          for (const each of steps(stops, commands)) {
            const now = farthest(each, side);
            if (before !== null) expect(now !== null && !isNearer(side, before, now)).toBe(true);
            stops = each;
          }
        }
      }),
      { numRuns: 1000 },
    ),
  );
});
