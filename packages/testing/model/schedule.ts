import fc from "fast-check";
import type { Moment } from "./scheduler.ts";

/**
 * What befalls a request to the venue. `late` is carried out seconds after its connection broke; after a `gap` the mark is
 * beyond the stop of the order that was just taken. At a `clip` somebody else closes half of what is held right before an order that
 * only reduces arrives.
 */
export const FAULTS = {
  read: ["lost", "stale", "429", "502", "50004", "garbled"],
  write: ["lost", "lost-after", "late", "twice", "429", "50061", "502-after", "50004-after", "garbled"],
} as const;
export type FaultKind = (typeof FAULTS)[keyof typeof FAULTS][number] | "gap" | "clip";

export const READS = [
  ...["account/positions", "trade/order", "trade/fills", "trade/orders-pending", "trade/orders-algo-pending"],
  ...["account/balance", "account/bills", "market/ticker", "public/mark-price", "public/time", "account/config"],
] as const;
export const WRITES = ["trade/order", "trade/order-algo", "trade/amend-algos", "trade/cancel-algos"] as const;

/** A fault of the first requests to an endpoint after a time. */
export interface VenueFault {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly kind: FaultKind;
  readonly fromS: number;
  readonly times: number;
}

/** A fault of another door: the books' connection, the control object, the queue, which may give a message to two. */
export interface DoorFault {
  readonly door: (typeof DOORS)[number];
  readonly fromS: number;
  readonly times: number;
}
export const DOORS = [
  "books-lost",
  "books-lost-after",
  "control-unreadable",
  "control-refused",
  "send-refused",
  "given-to-two",
] as const;

/** An await of a job at which its process can die. */
export interface Point {
  readonly job: string;
  readonly what: string;
  readonly moment: Moment;
  /** How often it is drawn: those that few schedules come to as often as it takes. */
  readonly weight: number;
}

/** A process dies at an await, or stands still there: when it comes there for the `nth` time. */
export interface Death extends Omit<Point, "weight"> {
  readonly nth: number;
  /** For so long; null = it dies. */
  readonly stillMs: number | null;
}

export const ACTS = [
  "lean",
  "by-hand",
  "liquidation",
  "adl",
  "transfer",
  "halt",
  "reduce",
  "part",
  "freeze",
  "again",
] as const;
/** Something that happens at a time: a new bias, somebody at the venue, an operator, a machine that stands still. */
export interface Step {
  readonly act: (typeof ACTS)[number];
  readonly atS: number;
  readonly instrument: number;
  /** From −100 to 100: how much of it. */
  readonly amount: number;
}

/** One bar of a price path, in bps of its open. */
export interface Bar {
  readonly close: number;
  readonly above: number;
  readonly below: number;
}

/** All that happens to the desk in one schedule. */
export interface Schedule {
  readonly seed: number;
  readonly bars: readonly (readonly Bar[])[];
  /** Contracts traded in a bar, in lots: few make partial fills. */
  readonly lots: number;
  readonly fillLagMs: number;
  readonly skewMs: number;
  readonly steps: readonly Step[];
  readonly faults: readonly VenueFault[];
  readonly doors: readonly DoorFault[];
  readonly deaths: readonly Death[];
  /** Of one instrument the venue shows the fills of orders so much later, by the time at which they were made; absent or null = of none. */
  readonly hidden?: { readonly instrument: number; readonly forMs: number } | null;
  /** Bills are shown so much after the balance that they have changed; absent = at once. */
  readonly billLagMs?: number;
}

/** For so long things go wrong; then it must come right. */
export const ROUGH_S = 480;
export const BAR_SECONDS = 300;

const seconds = fc.integer({ min: 20, max: ROUGH_S });
const times = fc.oneof({ arbitrary: fc.constant(1), weight: 3 }, fc.integer({ min: 2, max: 4 }));

const readFault: fc.Arbitrary<VenueFault> = fc.record({
  method: fc.constant("GET" as const),
  path: fc.constantFrom(...READS),
  kind: fc.constantFrom(...FAULTS.read),
  ...{ fromS: seconds, times },
});
const writeFault: fc.Arbitrary<VenueFault> = fc
  .record({
    method: fc.constant("POST" as const),
    path: fc.constantFrom(...WRITES, "trade/order", "trade/order-algo"),
    kind: fc.constantFrom(...FAULTS.write),
    ...{ fromS: fc.oneof(fc.constant(0), seconds), times },
  })
  // OKX takes the id of an order that is over once more: what the network repeats by itself, no desk can hold back.
  .filter(({ path, kind }) => path !== "trade/order" || kind !== "twice");
const gap: fc.Arbitrary<VenueFault> = fc.constant({
  ...{ method: "POST", path: "trade/order", kind: "gap", fromS: 0, times: 1 },
} as const);
const clip: fc.Arbitrary<VenueFault> = gap.map((one) => ({ ...one, kind: "clip" }));
const fault = fc.oneof(
  { arbitrary: readFault, weight: 5 },
  { arbitrary: writeFault, weight: 5 },
  { arbitrary: gap, weight: 1 },
  { arbitrary: clip, weight: 1 },
);

const step: fc.Arbitrary<Step> = fc.record({
  act: fc.oneof(
    { arbitrary: fc.constant("lean" as const), weight: 3 },
    { arbitrary: fc.constantFrom(...ACTS), weight: 4 },
  ),
  atS: fc.integer({ min: 70, max: ROUGH_S }),
  instrument: fc.integer({ min: 0, max: 1 }),
  amount: fc.integer({ min: -100, max: 100 }),
});

const move = (most: number) =>
  fc.oneof(
    { arbitrary: fc.integer({ min: -30, max: 30 }), weight: 3 },
    { arbitrary: fc.integer({ min: -most, max: most }), weight: 1 },
  );
const bar: fc.Arbitrary<Bar> = fc.record({
  close: move(300),
  above: fc.integer({ min: 0, max: 60 }),
  below: fc.integer({ min: 0, max: 60 }),
});

/** A schedule that has deaths has so many, of which about a quarter come to pass. */
const DEATHS = { minLength: 3, maxLength: 24 };
const still = fc.oneof(
  { arbitrary: fc.constant(null), weight: 4 },
  { arbitrary: fc.constantFrom(2000, 15_000, 45_000), weight: 1 },
);
const nth = fc.oneof({ arbitrary: fc.constant(1), weight: 3 }, fc.integer({ min: 2, max: 4 }));

/** Returns the deaths at `points`, each drawn as often as its weight says. */
function deathsAt(points: readonly Point[]): fc.Arbitrary<readonly Death[]> {
  if (points.length === 0) return fc.constant([]);
  const weighted = points.map(({ weight, ...point }) => ({ arbitrary: fc.constant(point), weight }));
  const one = fc.tuple(fc.oneof(...weighted), nth, still).map(([point, n, stillMs]) => ({ ...point, nth: n, stillMs }));
  // Without a bias: fast-check's own is for few and early.
  const many = fc.noBias(fc.array(one, { ...DEATHS, size: "max" }));
  return fc.oneof({ arbitrary: fc.constant([]), weight: 1 }, { arbitrary: many, weight: 4 });
}

/** Returns the schedules in which processes die at `points`. */
export function schedules(points: readonly Point[]): fc.Arbitrary<Schedule> {
  const bars = fc.array(bar, { minLength: 2, maxLength: 2 });
  return fc.record({
    seed: fc.integer(),
    bars: fc.tuple(bars, bars),
    lots: fc.constantFrom(20_000, 20_000, 3000, 400),
    fillLagMs: fc.constantFrom(...[0, 0, 0, 0, 0, 0, 0, 0], ...[1500, 1500, 20_000, 90_000, 90_000, 400_000]),
    skewMs: fc.constantFrom(0, 0, 0, 0, 900, -1500, 40_000, -40_000),
    steps: fc
      .tuple(fc.integer({ min: 62, max: 110 }), fc.integer({ min: 0, max: 1 }), fc.constantFrom(100, -100, 60, -60))
      .chain(([atS, instrument, amount]) =>
        fc
          .array(step, { maxLength: 6 })
          .map((rest): readonly Step[] => [{ act: "lean", atS, instrument, amount }, ...rest]),
      ),
    faults: fc.array(fault, { maxLength: 4 }),
    doors: fc.array(fc.record({ door: fc.constantFrom(...DOORS), fromS: seconds, times }), { maxLength: 2 }),
    deaths: deathsAt(points),
    billLagMs: fc.constantFrom(...[0, 0, 0, 0, 0, 0, 0], ...[1500, 20_000, 20_000]),
    hidden: fc.oneof(
      { arbitrary: fc.constant(null), weight: 4 },
      {
        arbitrary: fc.record({
          instrument: fc.integer({ min: 0, max: 1 }),
          forMs: fc.constantFrom(90_000, 400_000, 400_000),
        }),
        weight: 1,
      },
    ),
  });
}
