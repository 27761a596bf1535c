import fc from "fast-check";
import { expect, test } from "vitest";
import { orderWith, positionWith, whyWith } from "#testing/report";
import { decimalOf } from "#units/decimal";
import { instantOf } from "#units/time";
import { eventLine } from "./event-line.ts";
import { explainOrder } from "./explain.ts";
import { explainText } from "./explain-text.ts";

const AT = instantOf("2026-03-03T04:13:02.480Z");

test.each<[string, object, string, string | null]>([
  ["proposed", { set: { side: "sell", size: "1.6", reduceOnly: true } }, "planned: sell 1.6 ct, reduce-only", null],
  ["proposed", { set: { side: "buy", size: "2", price: "9.5" }, leg: "stop" }, "planned: buy 2 ct at 9.5, stop", null],
  ["approved", {}, "approved", null],
  ["denied", { set: { errorMessage: "cooldown" } }, "denied: cooldown", null],
  [
    "claimed",
    { set: { expTime: AT, size: "1.5" } },
    `request: one POST of 1.5 ct, which the venue may take until ${AT}`,
    null,
  ],
  ["accepted", { set: { exchangeOrderId: "77" } }, "reply: accepted as 77", null],
  [
    "accepted",
    { ruling: "found", actor: "anna", reason: "ticket 7" },
    "reply: accepted, ruled found by anna: ticket 7",
    null,
  ],
  ["rejected", { set: { errorMessage: "51008 no margin" } }, "reply: 51008 no margin", "51008"],
  ["expired", { set: { errorMessage: "busy 50011" } }, "expired: busy 50011", "50011"],
  [
    "expired",
    { set: { errorMessage: "not at the venue: 12345 looks" } },
    "expired: not at the venue: 12345 looks",
    null,
  ],
  ["lost", { set: { errorMessage: "timeout" } }, "no usable reply: timeout", null],
  ["looked_up", { outcome: "missing", looked_at: AT }, `looked up: missing at ${AT}`, null],
  ["filled", { set: { filledSize: "2", avgFillPrice: "9.5", fees: "0.01" } }, "filled 2 ct at 9.5, fee 0.01", null],
  ["voided", { set: { errorMessage: "voided: trading is HALTED" } }, "voided: trading is HALTED", null],
])("what %s says of %j", (event, detail, text, code) =>
  expect(eventLine({ at: AT, status: "open", detail: { event, by: "submit-order", ...detail } })).toEqual({
    ...{ at: AT, by: "submit-order", event, status: "open", text, code },
  }),
);

const LEG = {
  ...{ trigger: decimalOf("2"), liveAt: AT, contracts: decimalOf("1"), size: decimalOf("0.1") },
  ...{ awayPercent: decimalOf("1"), netUsd: null },
};

/** An explanation with every text that comes from outside set to `word`. */
const hostile = (word: string): string =>
  explainText(
    explainOrder({
      line: orderWith({
        asset: word,
        instrument: word,
        type: word,
        status: word,
        error: word,
        why: whyWith({ bound: [word] }),
      }),
      ...{ mode: "demo", venue: word, clientOrderId: word, venueOrderId: word, contractSize: decimalOf("0.1") },
      modelVersion: word,
      snapshot: {
        ...{ git_sha: word, control: { state: word, epoch: 1 }, equity: { now: "1" }, policy: { enter: word } },
        ...{ bias: {}, quote: { bid: "1", ask: "2", mark: "1.5" } },
        sizing: { s: 0.4, phase: word, bounds: { [word]: "1" }, orderBounds: { [word]: "2" } },
        limits: [{ name: word, limit: "1", used: "1", headroom: "0", ok: true }],
      },
      ...{ fills: [], facts: new Map(), result: null, open: positionWith({ asset: word, legs: [LEG] }) },
      events: [{ at: AT, status: word, detail: { event: "rejected", by: word, set: { errorMessage: word } } }],
      protections: [
        {
          ...{ kind: "stop", id: word, trigger: decimalOf("1"), size: null, status: word, reason: word },
          ...{ exposedAt: AT, wantedAt: AT, liveAt: null, endedAt: null },
        },
      ],
    }),
  );

test("text from outside reaches the terminal as one visible line, whatever it holds", () => {
  const lines = hostile("calm").split("\n").length;
  const word = fc
    .array(fc.constantFrom("\u001b[31m", "\u202e", "\r\n", "\u0007", "x", " "), { minLength: 1, maxLength: 40 })
    .map((parts) => parts.join(""));
  fc.assert(
    fc.property(word, (name) => {
      const text = hostile(name);
      expect(text.split("\n")).toHaveLength(lines);
      expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
    }),
  );
});
