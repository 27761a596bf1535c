import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decimalOf } from "#units/decimal";
import { idOf } from "#units/ids";
import { type Instant, instant } from "#units/time";
import type { StopFate, VenueStop } from "../venue.ts";
import {
  endedAs,
  exposedSince,
  InvalidProtectionMove,
  isOver,
  isSpent,
  movedTo,
  PROTECTION_MOVES,
  PROTECTION_STATES,
  type Protection,
  sighted,
  unprotectedSeconds,
} from "./protection.ts";

const START = Date.parse("2026-01-02T03:04:05.000Z");
const sec = (seconds: number): Instant => instant(START + seconds * 1000);
const EPISODE = idOf("position", "1");

const stop = (over: Partial<VenueStop> = {}): VenueStop => ({
  ...{ algoId: "71", stopId: "d1", instrument: "ETH-USDT-SWAP", side: "sell", trigger: decimalOf("90") },
  ...{ triggerBy: "mark", isWhole: true, size: null, isReduceOnly: true, isMarket: true, placedAt: sec(2), ...over },
});
const sent = (over: Partial<Protection> = {}): Protection => ({
  ...{ stopId: "d1", instrument: "ETH-USDT-SWAP", episode: null, kind: "stop", side: "sell", trigger: decimalOf("90") },
  ...{ size: null, status: "sending", algoId: null, childOrderId: null, reason: null, exposedAt: sec(1) },
  ...{ wantedAt: sec(0), liveAt: null, endedAt: null, version: 1, ...over },
});
const live = (over: Partial<Protection> = {}) => sent({ status: "live", algoId: "71", liveAt: sec(2), ...over });
const held = { episode: null, heldSince: sec(1) };
const fate = (over: Partial<StopFate>): StopFate => ({
  ...{ state: "canceled", algoId: "71", childOrderId: null, reason: null, placedAt: sec(2), changedAt: sec(9) },
  ...over,
});

describe("what a look at the venue says of a protection", () => {
  test("one that was sent is live from when the venue took it, whenever that is seen", () => {
    const { changed, missing } = sighted([sent()], [stop()], held);
    expect(changed).toEqual([live()]);
    expect(missing).toEqual([]);
  });

  test("seen once more it changes nothing", () => {
    expect(sighted([live()], [stop()], held).changed).toEqual([]);
  });

  test("what is not shown has to be asked for; one that is over, or was never sent, has not", () => {
    const rows = [live(), sent({ stopId: "d2" }), sent({ stopId: "d3", status: "wanted" }), ended("d4", "gone")];
    expect(sighted(rows, [], held).missing.map(({ stopId }) => stopId)).toEqual(["d1", "d2"]);
  });

  test("the books tell the first fill later: it counts from then on, once", () => {
    const told = { episode: EPISODE, heldSince: sec(-3) };
    const { changed } = sighted([live()], [stop()], told);
    expect(changed).toEqual([live({ episode: EPISODE, exposedAt: sec(-3) })]);
    expect(sighted(changed, [stop()], { ...told, heldSince: sec(-9) }).changed).toEqual([]);
  });

  test("a stop that was moved elsewhere is as the venue has it", () => {
    expect(sighted([live()], [stop({ trigger: decimalOf("95") })], held).changed).toMatchObject([{ trigger: "95" }]);
  });

  test("a stop that nobody wrote down is written down, by the venue's id where it has no other", () => {
    const [found] = sighted([], [stop({ stopId: null })], held).changed;
    expect(found).toMatchObject({ stopId: "71", status: "live", exposedAt: sec(1), liveAt: sec(2), version: 0 });
  });

  test("a list that is behind brings nothing back that was canceled, and takes back a refusal", () => {
    expect(sighted([ended("d1", "canceled")], [stop()], held).changed).toEqual([]);
    expect(sighted([ended("d1", "failed")], [stop()], held).changed).toMatchObject([{ status: "live", endedAt: null }]);
  });
});

const ended = (stopId: string, status: Protection["status"], seconds = 9): Protection =>
  live({ stopId, status, endedAt: sec(seconds) });

test.each<[string, StopFate | null, object | null]>([
  [
    "it fired",
    fate({ state: "effective", childOrderId: "v1" }),
    { status: "effective", childOrderId: "v1", endedAt: sec(9) },
  ],
  ["its order was refused", fate({ state: "failed", reason: "51008" }), { status: "failed", reason: "51008" }],
  ["somebody canceled it", fate({}), { status: "canceled", endedAt: sec(9) }],
  ["the venue does not know it", null, { status: "gone", endedAt: sec(20) }],
  ["it waits: the list was behind", fate({ state: "waiting" }), null],
])("a stop that is not shown: %s", (_, told, expected) => {
  const now = endedAs(sent(), told, sec(20));
  if (expected === null) expect(now).toBeNull();
  else expect(now).toMatchObject(expected);
  // One that came and went between two looks did wait.
  if (told !== null && now !== null) expect(now.liveAt).toBe(sec(2));
});

test("what is held has had no stop since it began, or since the last one that waited for it ended", () => {
  expect(exposedSince([], sec(1))).toBe(sec(1));
  expect(exposedSince([ended("d1", "effective", 5), ended("d2", "canceled", 3)], sec(1))).toBe(sec(5));
  expect(exposedSince([{ ...ended("d1", "failed", 5), liveAt: null }], sec(1))).toBe(sec(1)); // it never waited
  expect(exposedSince([ended("d1", "effective", 5)], sec(30))).toBe(sec(30));
});

test.each<[string, Protection[], boolean]>([
  ["its order was refused", [ended("d1", "failed", 5)], true],
  ["it was never taken", [{ ...ended("d1", "failed", 5), liveAt: null }], false],
  ["its order was placed", [ended("d1", "effective", 5)], false],
  ["of what was held before", [ended("d1", "failed", 0)], false],
  ["another has waited since", [ended("d1", "failed", 5), live({ stopId: "d2", liveAt: sec(6) })], false],
  ["others of the same level wait still", [ended("d1", "failed", 5), live({ stopId: "d2", liveAt: sec(2) })], true],
  ["of the other side", [{ ...ended("d1", "failed", 5), side: "buy" }], false],
  ["a take-profit", [{ ...ended("d1", "failed", 5), kind: "tp" }], false],
])("whether a stop was triggered in vain: %s", (_, rows, is) => expect(isSpent(rows, "sell", sec(1))).toBe(is));

const states = fc.constantFrom(...PROTECTION_STATES);

test("for every status: it goes where the table says and nowhere else, and one that ends says when", () => {
  fc.assert(
    fc.property(states, states, (from, to) => {
      const row = sent({ status: from });
      if (!PROTECTION_MOVES[from].includes(to)) {
        expect(() => movedTo(row, to, sec(7))).toThrow(InvalidProtectionMove);
        return;
      }
      const moved = movedTo(row, to, sec(7));
      expect(moved.status).toBe(to);
      expect(isOver(moved)).toBe(["effective", "canceled", "failed", "gone"].includes(to));
    }),
  );
});

test("for all rows and stops: a second look at the same finds nothing new, and nothing is both seen and missing", () => {
  const row = fc
    .record({ stopId: fc.constantFrom("d1", "d2", "d3"), status: states, seconds: fc.nat(20) })
    .map(({ stopId, status, seconds }) =>
      sent({
        ...{ stopId, status, exposedAt: sec(seconds), liveAt: status === "live" ? sec(seconds) : null },
        endedAt: PROTECTION_MOVES[status].includes("sending") ? null : sec(seconds),
      }),
    );
  const seen = fc
    .record({ stopId: fc.constantFrom("d1", "d2", "d3", null), seconds: fc.nat(20) })
    .map(({ stopId, seconds }) => stop({ stopId, placedAt: sec(seconds) }));
  const rows = fc.uniqueArray(row, { selector: ({ stopId }) => stopId });
  const stops = fc.uniqueArray(seen, { selector: ({ stopId }) => stopId });
  const sights = fc.record({ episode: fc.option(fc.constant(EPISODE)), heldSince: fc.option(fc.nat(20).map(sec)) });
  fc.assert(
    fc.property(rows, stops, sights, (known, there, sight) => {
      const first = sighted(known, there, sight);
      const now = new Map([...known, ...first.changed].map((one) => [one.stopId, one]));
      expect(sighted([...now.values()], there, sight).changed).toEqual([]);
      const both = first.missing.filter(({ stopId }) => there.some((one) => one.stopId === stopId));
      expect(both).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

describe("for how long something was held without a stop", () => {
  test.each<[string, Protection[], number, number]>([
    ["nothing was held", [], 60, 0],
    ["it waits since a second after the fill", [live()], 60, 1],
    ["that was long ago", [live()], 200, 0],
    ["it was sent and is not there", [sent()], 41, 40],
    ["it cannot be sent", [sent({ status: "wanted" })], 41, 40],
    ["another waits meanwhile", [sent({ stopId: "d2" }), live()], 41, 1],
    ["it was refused, then something was closed", [{ ...ended("d1", "failed", 31), liveAt: null }], 60, 30],
    ["it was not needed any more", [{ ...ended("d1", "gone", 31), liveAt: null }], 60, 0],
    ["a take-profit is no stop", [sent({ kind: "tp" })], 41, 0],
    ["the worst counts", [live(), live({ stopId: "d2", instrument: "BTC-USDT-SWAP", liveAt: sec(31) })], 60, 30],
  ])("%s", (_, rows, now, seconds) => expect(unprotectedSeconds(rows, sec(now))).toBe(seconds));
});
