import { expect, test } from "vitest";
import { POLICY } from "./policy.ts";
import { adoptionOf, comparePositions, externalOrders, type Health, stopReached, tripOf } from "./reconcile.ts";
import type { VenueOrder, VenuePosition } from "./venue.ts";

const held = (instrument: string, contracts: string): VenuePosition => ({
  ...{ instrument, contracts, averagePrice: "1000", markPrice: "1000", unrealizedPnl: "0" },
});
const LOTS = new Map([["ETH", "0.1"]]);

test("a difference of half a lot is a break, less is rounding", () => {
  const ours = new Map([["ETH", "1.2"]]);
  expect(comparePositions(ours, [held("ETH", "1.24")], LOTS)).toEqual([]);
  expect(comparePositions(ours, [held("ETH", "1.25")], LOTS)).toEqual([
    { instrument: "ETH", ours: "1.2", venue: "1.25" },
  ]);
  expect(comparePositions(ours, [], LOTS)).toEqual([{ instrument: "ETH", ours: "1.2", venue: "0" }]);
  expect(comparePositions(new Map(), [held("XRP", "-1")], LOTS)).toEqual([
    { instrument: "XRP", ours: "0", venue: "-1" },
  ]);
});

test("orders that are not ours are external", () => {
  const order = (venueOrderId: string, clientOrderId: string | null): VenueOrder => ({
    ...{ venueOrderId, clientOrderId, instrument: "ETH", side: "buy", state: "open" },
    ...{ size: "1", filledSize: "0", averagePrice: null, updatedAt: "2022-06-21T00:00:00.000Z" },
  });
  const found = externalOrders([order("3", null), order("2", "theirs"), order("1", "ours")], new Set(["ours"]));
  expect(found.map((external) => external.venueOrderId)).toEqual(["2", "3"]);
});

test("a stop is reached from its own side only", () => {
  expect(stopReached("5", "980", "980")).toBe(true);
  expect(stopReached("5", "980", "980.01")).toBe(false);
  expect(stopReached("-5", "1020", "1020")).toBe(true);
  expect(stopReached("-5", "1020", "1019")).toBe(false);
  expect(stopReached("0", "980", "1")).toBe(false);
  expect(stopReached("5", null, "1")).toBe(false);
});

test("fills lead: filled when they add up, canceled only when all are booked", () => {
  const order = { status: "open" as const, size: "10", bookedBefore: "0" };
  const found = (state: VenueOrder["state"], filledSize: string) => ({ state, filledSize });
  expect(adoptionOf(order, "0", found("filled", "10"))).toBeNull();
  expect(adoptionOf(order, "4", found("filled", "10"))).toBe("partly_filled");
  expect(adoptionOf(order, "10", null)).toBe("filled");
  expect(
    adoptionOf({ ...order, status: "partially_filled", bookedBefore: "4" }, "4", found("canceled", "6")),
  ).toBeNull();
  expect(adoptionOf({ ...order, status: "partially_filled", bookedBefore: "4" }, "4", found("canceled", "4"))).toBe(
    "canceled",
  );
  expect(adoptionOf({ ...order, status: "unknown" }, "0", found("open", "0"))).toBe("accepted");
  expect(adoptionOf({ ...order, status: "unknown" }, "0", null)).toBeNull();
  expect(adoptionOf({ ...order, status: "expired" }, "3", null)).toBe("partly_filled");
});

const WELL: Health = {
  ...{ at: "2022-06-21T01:00:00.000Z", equity: "100000", dayStart: "100000", peak: "100000", breaks: [] },
  ...{ unknownSince: [], rejects: 0, impossibleFills: 0, credentialError: false },
};

test("the switch trips on loss, drawdown, a break, an old unknown, rejects, credentials and impossible fills", () => {
  const trip = (overrides: Partial<Health>) => tripOf({ ...WELL, ...overrides }, POLICY)?.state ?? null;
  expect(trip({})).toBeNull();
  expect(trip({ equity: "98001" })).toBeNull();
  expect(trip({ equity: "98000" })).toBe("REDUCING");
  expect(trip({ equity: "92000" })).toBe("HALTED");
  expect(trip({ breaks: [{ instrument: "ETH", ours: "1", venue: "2" }] })).toBe("REDUCING");
  expect(trip({ unknownSince: ["2022-06-21T00:59:00.000Z"] })).toBeNull();
  expect(trip({ unknownSince: ["2022-06-21T00:58:59.999Z"] })).toBe("REDUCING");
  expect(trip({ rejects: 5 })).toBe("REDUCING");
  expect(trip({ impossibleFills: 1 })).toBe("REDUCING");
  expect(trip({ credentialError: true })).toBe("HALTED");
});
