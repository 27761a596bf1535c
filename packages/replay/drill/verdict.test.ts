import { expect, test } from "vitest";
import { newAccount, type PaperState } from "#doubles/venue/account";
import { decimalOf, ZERO } from "#units/decimal";
import type { DrillResult } from "./drill.ts";
import type { KilledOutcome } from "./killed.ts";
import type { Outcome } from "./outcome.ts";
import { REFUSALS, refusalName } from "./plan.ts";
import { POISON } from "./poison.ts";
import { metFaults, problemsOf } from "./verdict.ts";

const bodies = POISON.map(({ body }) => body);
/** The venue's books with these orders, each filled for 1. */
const books = (...ids: readonly string[]): PaperState => ({
  ...newAccount(ZERO),
  orders: ids.map((clOrdId) => ({ clOrdId, accFillSz: "1" })) as unknown as PaperState["orders"], // what is compared of one
});
const outcome = (over: Partial<Outcome> = {}): Outcome => ({
  digest: { digest: "d", tables: { orders: { rows: 2, sha256: "s" } } },
  venue: books("a", "posted"),
  ...{ invocations: 9, seconds: 1, deadLetters: [], unsettled: 0 },
  known: new Map(["a", "posted"].map((id) => [id, { status: "filled", filledSize: decimalOf("1.0") }])),
  windows: { "claim to POST": "claimed", "POST to reply": "posted" },
  ...over,
});
const killed = (over: Partial<KilledOutcome> = {}): KilledOutcome => ({
  ...outcome(),
  kills: new Map(["database", "queues", "bus", "end"].map((place) => [place, 1])),
  ...over,
});
const result = (over: Partial<DrillResult> = {}): DrillResult => ({
  undisturbed: outcome(),
  disturbed: outcome({ deadLetters: bodies }),
  killed: killed(),
  counts: {
    ...{ invocations: 9, redelivered: 1, receivesLost: 1, spared: 0 },
    killed: new Map([["job bus", 1]]),
    refused: new Map(),
    refusals: new Map(
      (["queues", "bus"] as const).flatMap((place) => REFUSALS.map((one) => [refusalName(place, one), 1] as const)),
    ),
  },
  ...{ restarts: 2, messages: 5, deliveries: 6, lost: [] },
  ...over,
});

test("nothing is wrong where all agree and every fault was met", () => {
  expect(problemsOf(result(), "around")).toEqual([]);
  expect(problemsOf(result({ killed: null }), "inside")).toEqual([]);
  expect(metFaults(result()).every(([, times]) => times > 0)).toBe(true);
});

const other = { digest: "e", tables: { orders: { rows: 3, sha256: "t" } } };
test.each<[string, Partial<DrillResult>]>([
  [
    "disturbed: table orders differs: 2 rows, 3 disturbed",
    { disturbed: outcome({ deadLetters: bodies, digest: other }) },
  ],
  ["killed: table orders differs: 2 rows, 3 killed", { killed: killed({ digest: other }) }],
  ["killed: the desk knows nothing of the venue's order b", { killed: killed({ venue: books("a", "posted", "b") }) }],
  ["killed: order a is twice at the venue", { killed: killed({ venue: books("a", "posted", "a") }) }],
  ["killed: 1 orders are neither done nor given up", { killed: killed({ unsettled: 1 }) }],
  ["killed: dead without being poisoned: x", { killed: killed({ deadLetters: ["x"] }) }],
  ["dead without being poisoned: x", { disturbed: outcome({ deadLetters: [...bodies, "x"] }) }],
  ["1 messages lost, the first on events x", { lost: ["events x"] }],
  [
    "undisturbed: order claimed ended before its POST and was sent all the same",
    { undisturbed: outcome({ venue: books("a", "posted", "claimed") }) },
  ],
  ["killed: order posted was posted and is not at the venue", { killed: killed({ venue: books("a") }) }],
  [
    "never met: process killed: bus; give it more to do (--slots, a recording with orders) or another --seed",
    { killed: killed({ kills: new Map([["database", 1]]) }) },
  ],
  [
    "never met: submission ended from claim to POST, killed; give it more to do (--slots, a recording with orders) or another --seed",
    { killed: killed({ windows: { "claim to POST": null, "POST to reply": "posted" } }) },
  ],
  [
    "never met: refused: bus part; give it more to do (--slots, a recording with orders) or another --seed",
    { counts: { ...result().counts, refusals: new Map() } },
  ],
])("%s", (problem, over) => {
  expect(problemsOf(result(over), "around")).toContain(problem);
});
