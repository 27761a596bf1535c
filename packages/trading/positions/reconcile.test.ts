import { expect, test } from "vitest";
import { type Decimal, decimalOf } from "#units/decimal";
import { instantOf } from "#units/time";
import { POLICY } from "../plans/policy.ts";
import type { VenueFill, VenueOrder } from "../venue.ts";
import {
  adoptionOf,
  differenceOf,
  externalOrders,
  fillsSince,
  type Health,
  isStuck,
  lacksFills,
  measuresDrawdown,
  stopReached,
  tripOf,
} from "./reconcile.ts";

test("a difference of half a lot is a break, less is rounding", () => {
  const differs = (ours: string, venue: string, lot = "0.1") =>
    differenceOf("ETH", decimalOf(ours), decimalOf(venue), decimalOf(lot));
  expect(differs("1.2", "1.24")).toBeNull();
  expect(differs("1.2", "1.25")).toEqual({ instrument: "ETH", ours: "1.2", venue: "1.25" });
  expect(differs("1.2", "0")).toEqual({ instrument: "ETH", ours: "1.2", venue: "0" });
  expect(differs("0", "-1", "0")).toEqual({ instrument: "ETH", ours: "0", venue: "-1" });
  expect(differs("1.20", "1.2", "0")).toBeNull();
});

test("orders that are not ours are external", () => {
  const order = (venueOrderId: string, clientOrderId: string | null): VenueOrder => ({
    ...{ venueOrderId, clientOrderId, instrument: "ETH", side: "buy", state: "open" },
    ...{
      size: decimalOf("1"),
      filledSize: decimalOf("0"),
      averagePrice: null,
      updatedAt: instantOf("2022-06-21T00:00:00.000Z"),
    },
  });
  const found = externalOrders([order("3", null), order("2", "theirs"), order("1", "ours")], new Set(["ours"]));
  expect(found.map((external) => external.venueOrderId)).toEqual(["2", "3"]);
});

test("a stop is reached from its own side only", () => {
  expect(stopReached(decimalOf("5"), decimalOf("980"), decimalOf("980"))).toBe(true);
  expect(stopReached(decimalOf("5"), decimalOf("980"), decimalOf("980.01"))).toBe(false);
  expect(stopReached(decimalOf("-5"), decimalOf("1020"), decimalOf("1020"))).toBe(true);
  expect(stopReached(decimalOf("-5"), decimalOf("1020"), decimalOf("1019"))).toBe(false);
  expect(stopReached(decimalOf("0"), decimalOf("980"), decimalOf("1"))).toBe(false);
  expect(stopReached(decimalOf("5"), null, decimalOf("1"))).toBe(false);
});

test("fills lead: filled when they add up, canceled only when all are booked", () => {
  const order = { status: "open" as const, size: decimalOf("10"), bookedBefore: decimalOf("0") };
  const found = (state: VenueOrder["state"], filledSize: Decimal) => ({ state, filledSize });
  expect(adoptionOf(order, decimalOf("0"), found("filled", decimalOf("10")))).toBeNull();
  expect(adoptionOf(order, decimalOf("4"), found("filled", decimalOf("10")))).toBe("partly_filled");
  expect(adoptionOf(order, decimalOf("10"), null)).toBe("filled");
  expect(
    adoptionOf(
      { ...order, status: "partially_filled", bookedBefore: decimalOf("4") },
      decimalOf("4"),
      found("canceled", decimalOf("6")),
    ),
  ).toBeNull();
  expect(
    adoptionOf(
      { ...order, status: "partially_filled", bookedBefore: decimalOf("4") },
      decimalOf("4"),
      found("canceled", decimalOf("4")),
    ),
  ).toBe("canceled");
  expect(adoptionOf({ ...order, status: "unknown" }, decimalOf("0"), found("open", decimalOf("0")))).toBe("accepted");
  expect(adoptionOf({ ...order, status: "unknown" }, decimalOf("0"), null)).toBeNull();
  expect(adoptionOf({ ...order, status: "expired" }, decimalOf("3"), null)).toBe("partly_filled");
  expect(adoptionOf({ ...order, status: "expired" }, decimalOf("0"), found("canceled", decimalOf("0")))).toBeNull();
});

const WELL: Health = {
  ...{
    at: instantOf("2022-06-21T01:00:00.000Z"),
    equity: decimalOf("100000"),
    dayStart: decimalOf("100000"),
    peak: decimalOf("100000"),
    breaks: [],
    unseen: [],
    alarms: [],
    external: [],
    lifted: [],
  },
  ...{ unknownSince: [], rejects: 0, impossibleFills: 0, credentialError: false },
};

test("the switch trips on loss, drawdown, a break, an old unknown, rejects, credentials and impossible fills", () => {
  const trip = (overrides: Partial<Health>) => tripOf({ ...WELL, ...overrides }, POLICY)?.state ?? null;
  expect(trip({})).toBeNull();
  expect(trip({ equity: decimalOf("98001") })).toBeNull();
  expect(trip({ equity: decimalOf("98000") })).toBe("REDUCING");
  expect(trip({ equity: decimalOf("92000") })).toBe("HALTED");
  expect(trip({ external: ["ETH: hand"], impossibleFills: 1 })).toBe("HALTED");
  expect(trip({ breaks: [{ instrument: "ETH", ours: decimalOf("1"), venue: decimalOf("2") }] })).toBe("REDUCING");
  expect(trip({ unknownSince: [instantOf("2022-06-21T00:59:00.000Z")] })).toBeNull();
  expect(trip({ unknownSince: [instantOf("2022-06-21T00:58:59.999Z")] })).toBe("REDUCING");
  expect(trip({ rejects: 5 })).toBe("REDUCING");
  expect(trip({ impossibleFills: 1 })).toBe("REDUCING");
  expect(trip({ credentialError: true })).toBe("HALTED");
});

test("fills are asked for from before the newest booked one, and a day back when there is none", () => {
  expect(fillsSince(instantOf("2022-06-21T01:00:00.000Z"), instantOf("2022-06-21T09:00:00.000Z"))).toBe(
    instantOf("2022-06-21T00:55:00.000Z"),
  );
  expect(fillsSince(null, instantOf("2022-06-21T09:00:00.000Z"))).toBe(instantOf("2022-06-20T09:00:00.000Z"));
});

test("drawdowns are measured each fifteenth minute", () => {
  const minutes = Array.from({ length: 60 }, (_, i) =>
    instantOf(`2022-06-21T01:${String(i).padStart(2, "0")}:30.000Z`),
  );
  expect(minutes.flatMap((at, i) => (measuresDrawdown(at) ? [i] : []))).toEqual([0, 15, 30, 45]);
});

test("an order is stuck when it is quarantined, or unknown for half a minute past its deadline", () => {
  const at = (second: string) => instantOf(`2022-06-21T01:00:${second}.000Z`);
  const [expiresAt, edge, past] = [at("00"), at("30"), at("31")];
  expect(isStuck({ status: "unknown", expiresAt }, edge, POLICY)).toBe(false);
  expect(isStuck({ status: "unknown", expiresAt }, past, POLICY)).toBe(true);
  expect(isStuck({ status: "unknown", expiresAt: null }, edge, POLICY)).toBe(true);
  expect(isStuck({ status: "quarantined", expiresAt }, edge, POLICY)).toBe(true);
  expect(isStuck({ status: "open", expiresAt }, past, POLICY)).toBe(false);
});

test("an order that the venue made smaller is over by its word, once every fill that it counts is booked", () => {
  const order = { status: "partially_filled" as const, size: decimalOf("10"), bookedBefore: decimalOf("6") };
  const filled = (filledSize: Decimal) => ({ state: "filled" as const, filledSize });
  expect(adoptionOf(order, decimalOf("6"), filled(decimalOf("6")))).toBe("filled");
  expect(adoptionOf(order, decimalOf("6"), filled(decimalOf("7")))).toBeNull();
  // Filled, and of nothing: no order is.
  const fresh = { ...order, status: "open" as const, bookedBefore: decimalOf("0") };
  expect(adoptionOf(fresh, decimalOf("0"), filled(decimalOf("0")))).toBeNull();
  expect(adoptionOf({ ...order, status: "expired" }, decimalOf("6"), filled(decimalOf("6")))).toBeNull();
});

test("an order's fills are asked for while the venue counts more of it than books and fills have", () => {
  const found = { venueOrderId: "9", filledSize: decimalOf("6") } as VenueOrder; // what is compared
  const fill = (venueOrderId: string, size: string) => ({ venueOrderId, size: decimalOf(size) }) as VenueFill; // as above
  const booked = (size: string) => ({ filledSize: decimalOf(size) });
  expect(lacksFills(booked("0"), found, [])).toBe(true);
  expect(lacksFills(booked("5"), found, [fill("9", "5")])).toBe(true);
  expect(lacksFills(booked("0"), found, [fill("8", "6")])).toBe(true);
  expect(lacksFills(booked("0"), found, [fill("9", "4"), fill("9", "2")])).toBe(false);
  expect(lacksFills(booked("6"), found, [])).toBe(false);
  expect(lacksFills(booked("0"), null, [])).toBe(false);
});

test("how long an order may be unknown and how many may be rejected are the policy's to say", () => {
  const health = { ...WELL, unknownSince: [instantOf("2022-06-21T00:59:00.000Z")], rejects: 2 };
  const trip = (more: Partial<typeof POLICY>) => tripOf(health, { ...POLICY, ...more })?.reason ?? null;
  expect(trip({})).toBeNull();
  expect(trip({ maxUnknownSeconds: 59 })).toBe("1 orders unknown for over 59 s");
  expect(trip({ maxRejects: 2 })).toBe("2 rejects in ten minutes");
  const late = { status: "unknown", expiresAt: WELL.at } as const;
  const after = (seconds: number) => instantOf(`2022-06-21T01:00:${seconds}.000Z`);
  expect(isStuck(late, after(31), POLICY)).toBe(true);
  expect(isStuck(late, after(31), { ...POLICY, stuckSeconds: 31 })).toBe(false);
});
