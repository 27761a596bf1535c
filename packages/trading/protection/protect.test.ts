import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { big, decimalOf, ZERO } from "#units/decimal";
import { instantOf } from "#units/time";
import { clientOrderId, isOurs } from "../orders/client-order-id.ts";
import type { VenueOrder, VenueStop } from "../venue.ts";
import { exposureOf, unbooked } from "./exposure.ts";
import { type Command, type Covered, isNearer, protect } from "./protect.ts";
import { isStopId, stopId } from "./stop-id.ts";

const AT = instantOf("2026-01-02T03:04:05.678Z");
const ACCOUNT = { mode: "demo", venue: "okx" } as const;
const ETH = "ETH-USDT-SWAP";
const whole = {
  triggerBy: "mark",
  isWhole: true,
  size: null,
  isReduceOnly: true,
  isMarket: true,
  placedAt: AT,
} as const;
const stop = (algoId: string, side: "buy" | "sell", trigger: string, over: Partial<VenueStop> = {}): VenueStop => ({
  ...{ algoId, stopId: null, instrument: ETH, side, trigger: decimalOf(trigger), ...whole, ...over },
});
const long = (over: Partial<Covered> = {}): Covered => ({
  ...{ exposure: decimalOf("2"), mark: decimalOf("100"), trigger: decimalOf("90"), isSure: true, ...over },
});

describe("what is to be done about a position's stop", () => {
  test.each<[string, Covered, VenueStop[], Command[]]>([
    ["no stop waits", long(), [], [{ act: "place", side: "sell", trigger: decimalOf("90") }]],
    ["it waits", long(), [stop("1", "sell", "90")], []],
    [
      "the policy wants it nearer",
      long(),
      [stop("1", "sell", "80")],
      [{ act: "amend", algoId: "1", trigger: decimalOf("90") }],
    ],
    ["the policy wants it farther", long(), [stop("1", "sell", "95")], []],
    ["two wait", long(), [stop("1", "sell", "80"), stop("2", "sell", "92")], [{ act: "cancel", algoId: "1" }]],
    [
      "it is of the other side",
      long(),
      [stop("1", "buy", "120")],
      [
        { act: "cancel", algoId: "1" },
        { act: "place", side: "sell", trigger: decimalOf("90") },
      ],
    ],
    [
      "it goes by the last price",
      long(),
      [stop("1", "sell", "90", { triggerBy: "last" })],
      [
        { act: "cancel", algoId: "1" },
        { act: "place", side: "sell", trigger: decimalOf("90") },
      ],
    ],
    [
      "it could open",
      long(),
      [stop("1", "sell", "90", { isReduceOnly: false })],
      [
        { act: "cancel", algoId: "1" },
        { act: "place", side: "sell", trigger: decimalOf("90") },
      ],
    ],
    ["its price is passed", long({ mark: decimalOf("90") }), [], [{ act: "close" }]],
    ["the nearer price is passed", long({ mark: decimalOf("85") }), [stop("1", "sell", "80")], [{ act: "close" }]],
    ["the mark is not known", long({ mark: null }), [], [{ act: "place", side: "sell", trigger: decimalOf("90") }]],
    ["a person's order of a size", long(), [stop("1", "sell", "90"), stop("2", "sell", "99", { isWhole: false })], []],
    ["flat with an orphan", long({ exposure: ZERO }), [stop("1", "sell", "90")], [{ act: "cancel", algoId: "1" }]],
    ["flat, perhaps", long({ exposure: ZERO, isSure: false }), [stop("1", "sell", "90")], []],
    ["nobody set a stop", long({ trigger: null }), [], []],
    ["nobody set a stop and one waits", long({ trigger: null }), [stop("1", "sell", "90")], []],
    [
      "a short",
      long({ exposure: decimalOf("-2"), trigger: decimalOf("110") }),
      [],
      [{ act: "place", side: "buy", trigger: decimalOf("110") }],
    ],
    [
      "a short's is passed",
      long({ exposure: decimalOf("-2"), mark: decimalOf("111"), trigger: decimalOf("110") }),
      [],
      [{ act: "close" }],
    ],
    [
      "a short's moves down",
      long({ exposure: decimalOf("-2"), trigger: decimalOf("110") }),
      [stop("1", "buy", "115")],
      [{ act: "amend", algoId: "1", trigger: decimalOf("110") }],
    ],
    [
      "a short's does not move up",
      long({ exposure: decimalOf("-2"), trigger: decimalOf("110") }),
      [stop("1", "buy", "105")],
      [],
    ],
    [
      "its price is passed, and what waits there guards nothing",
      long({ mark: decimalOf("90") }),
      [stop("1", "sell", "80", { isMarket: false })],
      [{ act: "cancel", algoId: "1" }, { act: "close" }],
    ],
  ])("%s", (_, covered, stops, commands) => expect(protect(covered, stops)).toEqual(commands));
});

const price = fc.integer({ min: 50, max: 150 }).map((n) => decimalOf(String(n)));
const anyStop = fc.record({
  ...{ algoId: fc.uuid(), stopId: fc.constant(null), instrument: fc.constant(ETH) },
  ...{ side: fc.constantFrom("buy" as const, "sell" as const), trigger: price },
  ...{ triggerBy: fc.constantFrom("last" as const, "mark" as const, "index" as const) },
  ...{ isWhole: fc.boolean(), size: fc.constant(null), isReduceOnly: fc.boolean(), isMarket: fc.boolean() },
  placedAt: fc.constant(AT),
});
const anyStops = fc.uniqueArray(anyStop, { maxLength: 5, selector: ({ algoId }) => algoId });
const anyCovered = fc.record<Covered>({
  exposure: fc.integer({ min: -3, max: 3 }).map((n) => decimalOf(String(n))),
  mark: fc.option(price),
  trigger: fc.option(price),
  isSure: fc.boolean(),
});

/** The venue's part of it: what the stops are after the commands. */
function left(stops: readonly VenueStop[], commands: readonly Command[]): VenueStop[] {
  let now = [...stops];
  for (const command of commands) {
    if (command.act === "cancel") now = now.filter(({ algoId }) => algoId !== command.algoId);
    if (command.act === "amend")
      now = now.map((one) => (one.algoId === command.algoId ? { ...one, trigger: command.trigger } : one));
    if (command.act === "place") {
      expect(now.filter((one) => one.isWhole)).toEqual([]); // else the venue answers 51088
      now.push(stop("placed", command.side, command.trigger));
    }
  }
  return now;
}
const guards = (one: VenueStop, side: "buy" | "sell") =>
  one.isWhole && one.isReduceOnly && one.isMarket && one.triggerBy === "mark" && one.side === side;

describe("for every position, and whatever waits at the venue", () => {
  const law = (check: (covered: Covered, stops: VenueStop[], commands: Command[]) => void) =>
    fc.assert(
      fc.property(anyCovered, anyStops, (covered, stops) => check(covered, stops, protect(covered, stops))),
      { numRuns: 1000 },
    );

  test("exactly one stop covers it afterwards, or it is closed", () =>
    law((covered, stops, commands) => {
      if (big(covered.exposure).eq(0)) return;
      const side = big(covered.exposure).gt(0) ? "sell" : "buy";
      const waits = left(stops, commands).filter((one) => one.isWhole);
      const closes = commands.some(({ act }) => act === "close");
      if (covered.trigger === null && !stops.some((one) => guards(one, side))) expect(commands).toEqual([]);
      else if (!closes) expect(waits.map((one) => guards(one, side))).toEqual([true]);
    }));

  test("once done there is nothing to do", () =>
    law((covered, stops, commands) => {
      if (commands.some(({ act }) => act === "close")) return;
      expect(protect(covered, left(stops, commands))).toEqual([]);
    }));

  test("no trigger moves away from profit, and the nearest that waits is kept", () =>
    law((covered, stops, commands) => {
      const side = big(covered.exposure).gt(0) ? "sell" : "buy";
      const before = stops.filter((one) => guards(one, side));
      if (big(covered.exposure).eq(0) || before.length === 0) return;
      const now = left(stops, commands).filter((one) => guards(one, side));
      for (const one of before) expect(isNearer(side, one.trigger, now[0]?.trigger ?? ZERO)).toBe(false);
    }));

  test("nothing is placed but on the side that closes, and a person's orders of a size are left alone", () =>
    law((covered, stops, commands) => {
      for (const command of commands) {
        if (command.act === "place") expect(command.side).toBe(big(covered.exposure).gt(0) ? "sell" : "buy");
        if (command.act === "cancel" || command.act === "amend")
          expect(stops.find(({ algoId }) => algoId === command.algoId)?.isWhole).toBe(true);
      }
      if (big(covered.exposure).eq(0))
        expect(commands.every(({ act }) => act === "cancel") && (covered.isSure || commands.length === 0)).toBe(true);
    }));
});

test("the exposure is the larger of what venue and fills say, and the venue's where they disagree about the side", () => {
  const of = (venue: string | null, fills: string) =>
    exposureOf(venue === null ? null : decimalOf(venue), decimalOf(fills));
  expect([
    of("2", "3"),
    of("3", "2"),
    of("-3", "-2"),
    of("0", "2"),
    of("2", "0"),
    of("-1", "2"),
    of(null, "2"),
  ]).toEqual(["3", "3", "-3", "2", "2", "-1", "2"]);
});

test("what an order has filled beyond the books counts, signed by its side", () => {
  const found = (side: "buy" | "sell", filled: string) => ({ side, filledSize: decimalOf(filled) }) as VenueOrder;
  const order = { filledSize: decimalOf("100") };
  expect(unbooked(order, found("buy", "250"))).toBe("150");
  expect(unbooked(order, found("sell", "250"))).toBe("-150");
  expect([unbooked(order, found("buy", "40")), unbooked(order, null)]).toEqual([ZERO, ZERO]);
});

test("a stop's id is OKX's form, the same for the same look, and no client order id", () => {
  const id = stopId(ACCOUNT, ETH, AT, 0);
  expect(id).toMatch(/^d[a-z2-7]{29}00$/);
  expect(stopId(ACCOUNT, ETH, AT, 0)).toBe(id);
  expect(new Set([id, stopId(ACCOUNT, ETH, AT, 1), stopId(ACCOUNT, "BTC-USDT-SWAP", AT, 0)]).size).toBe(3);
  expect([isStopId("demo", id), isStopId("live", id), isOurs("demo", id)]).toEqual([true, false, false]);
  const order = clientOrderId({ ...ACCOUNT, instrument: ETH, timeframe: "4h", biasAt: AT, leg: "stop" });
  expect([isStopId("demo", order), isStopId("demo", null)]).toEqual([false, false]);
  expect(() => stopId(ACCOUNT, ETH, AT, 100)).toThrow(RangeError);
});
