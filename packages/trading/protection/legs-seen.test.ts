import fc from "fast-check";
import { expect, test } from "vitest";
import { decimalOf } from "#units/decimal";
import { idOf } from "#units/ids";
import { type Instant, instant } from "#units/time";
import type { VenueStop } from "../venue.ts";
import { legRefused, legSent, legsSeen } from "./legs-seen.ts";
import { PROTECTION_KINDS, PROTECTION_MOVES, PROTECTION_STATES, type Protection } from "./protection.ts";

const START = Date.parse("2026-01-02T03:04:05.000Z");
const sec = (seconds: number): Instant => instant(START + seconds * 1000);
const OF = { instrument: "ETH-USDT-SWAP", episode: idOf("position", "1") };

const leg = (over: Partial<VenueStop> = {}): VenueStop => ({
  ...{ algoId: "71", stopId: "e1", instrument: OF.instrument, side: "sell", trigger: decimalOf("110") },
  ...{ triggerBy: "mark", isWhole: false, size: decimalOf("40"), isReduceOnly: true, isMarket: true },
  ...{ placedAt: sec(2), ...over },
});
const sent = legSent("e1", { side: "sell", trigger: decimalOf("110"), size: decimalOf("40") }, OF, sec(1));

test("a leg that was sent is live from when the venue took it; one that nobody wrote down is, too", () => {
  const [live] = legsSeen([sent], [leg()], OF).changed;
  expect(live).toMatchObject({ status: "live", algoId: "71", liveAt: sec(2), size: "40", wantedAt: sec(1) });
  expect(legsSeen([], [leg()], OF).changed).toMatchObject([{ ...OF, stopId: "e1", kind: "tp", status: "live" }]);
});

test("a size that was changed is written; what does not wait is asked for, and only legs of this instrument", () => {
  const [live] = legsSeen([sent], [leg()], OF).changed as [Protection];
  expect(legsSeen([live], [leg({ size: decimalOf("30") })], OF).changed).toMatchObject([
    { size: "30", liveAt: sec(2) },
  ]);
  const others = [
    { ...live, stopId: "d1", kind: "stop" as const },
    { ...live, stopId: "e2", instrument: "X" },
  ];
  expect(legsSeen([live, ...others], [], OF)).toEqual({ changed: [], missing: [live] });
});

test("one that the venue does not take has failed; where nothing was to be closed any more it is gone", () => {
  expect(legRefused(sent, sec(3), "rejected", "51000 no")).toMatchObject({ status: "failed", reason: "51000 no" });
  expect(legRefused(sent, sec(3), "passed", "51277 up")).toMatchObject({ status: "gone", endedAt: sec(3) });
});

test("for all rows and legs: a second look at the same finds nothing new, and nothing is both seen and missing", () => {
  const ids = fc.constantFrom("e1", "e2", "e3");
  const row = fc
    .record({ stopId: ids, status: fc.constantFrom(...PROTECTION_STATES), kind: fc.constantFrom(...PROTECTION_KINDS) })
    .map(
      (over): Protection => ({
        ...{ ...sent, ...over, liveAt: over.status === "live" ? sec(1) : null },
        endedAt: PROTECTION_MOVES[over.status].includes("sending") ? null : sec(1),
      }),
    );
  const sizes = fc.constantFrom("30", "40").map((size) => decimalOf(size));
  const there = fc.record({ stopId: ids, size: sizes }).map((over) => leg(over));
  const selector = ({ stopId }: { readonly stopId: string | null }) => stopId;
  fc.assert(
    fc.property(fc.uniqueArray(row, { selector }), fc.uniqueArray(there, { selector }), (known, waiting) => {
      const legs = waiting.filter(({ stopId }) => !known.some((one) => one.kind === "stop" && one.stopId === stopId));
      const first = legsSeen(known, legs, OF);
      const now = new Map([...known, ...first.changed].map((one) => [one.stopId, one]));
      expect(legsSeen([...now.values()], legs, OF).changed).toEqual([]);
      expect(first.missing.filter(({ stopId }) => legs.some((one) => one.stopId === stopId))).toEqual([]);
    }),
  );
});
