import { expect, test } from "vitest";
import { decimalOf } from "#units/decimal";
import { instant, instantOf, millis } from "#units/time";
import {
  type ArmedDesk,
  type Arming,
  armingEpoch,
  armingIn,
  armingVerdict,
  LONGEST_MS,
  mustBeArmed,
  overCaps,
} from "./arming.ts";

const NOW = instantOf("2026-01-02T03:00:00.000Z");
const at = (ms: number) => instant(millis(NOW) + ms);
const HASH = "a".repeat(64);
const ARMING: Arming = {
  ...{ format: "spyhop-arming/1", mode: "live", venue: "okx", account: "77", policyHash: HASH, epoch: 4 },
  ...{ maxNotionalUsd: decimalOf("1000"), maxDailyLossUsd: decimalOf("50") },
  ...{ notBefore: NOW, notAfter: at(3_600_000) },
};
const DESK: ArmedDesk = { mode: "live", venue: "okx", account: "77", policyHash: HASH, epoch: 4, now: NOW };
const verdict = (arming: Partial<Arming>, desk: Partial<ArmedDesk> = {}) => {
  const signed = { text: JSON.stringify({ ...ARMING, ...arming }), signature: "AAAA" };
  const found = armingVerdict(signed, ({ signature }) => signature === "AAAA", { ...DESK, ...desk });
  return "arming" in found ? "armed" : found.problem.replace(/^the arming does not hold: (.*)\. npm run arm$/, "$1");
};

test("an arming holds for one account, policy and epoch of live, from its minute to its end", () => {
  expect([verdict({}), verdict({}, { now: at(3_599_999) }), verdict({ notBefore: at(60_000) })]).toEqual([
    ...["armed", "armed", "armed"],
  ]);
  expect(verdict({ notAfter: at(LONGEST_MS) })).toBe("armed");
});

test.each<[string, Partial<Arming>, Partial<ArmedDesk>]>([
  ["it is for live at okx, not demo at okx", {}, { mode: "demo" }],
  ["it is for live at okx, not live at paper", {}, { venue: "paper" }],
  ["the secret of the venue's key names no accountId to hold it against", {}, { account: null }],
  ["it is for account 77, not 78", {}, { account: "78" }],
  ["it is for policy aaaaaaaaaaaa, not bbbbbbbbbbbb", {}, { policyHash: "b".repeat(64) }],
  ["it is for epoch 4 of the kill switch, which is in 5: a change of the switch ends it", {}, { epoch: 5 }],
  ["it is for longer than 24 h", { notAfter: at(LONGEST_MS + 1) }, {}],
  [`it begins at ${at(60_001)}, and it is ${NOW}: is a clock off`, { notBefore: at(60_001) }, {}],
  [`it ended at ${at(3_600_000)}`, {}, { now: at(3_600_000) }],
])("%s", (problem, arming, desk) => expect(verdict(arming, desk)).toBe(problem));

test("what is none, or is not signed, arms nothing", () => {
  const signed = { text: JSON.stringify(ARMING), signature: "AAAA" };
  expect(armingVerdict(null, () => true, DESK)).toEqual({ problem: "there is no arming: npm run arm" });
  expect(armingVerdict(signed, () => false, DESK)).toEqual({
    problem: "the arming is not signed by the desk's key (ARMING_KEY)",
  });
  expect(armingVerdict({ ...signed, text: "{" }, () => true, DESK)).toEqual({
    problem: "the arming is none that this release reads: npm run arm",
  });
  const strange = [
    { more: 1 },
    { format: "spyhop-arming/2" },
    { mode: "demo" },
    { venue: "" },
    { account: "" },
    { policyHash: `${HASH}a` },
    { policyHash: `a${HASH}` },
    { epoch: -1 },
    { maxNotionalUsd: "0" },
    { maxDailyLossUsd: "-1" },
  ];
  for (const change of strange) expect(armingIn(JSON.stringify({ ...ARMING, ...change }))).toBeNull();
  expect(armingIn(signed.text)).toEqual(ARMING);
});

test("an arming is for the epoch that the desk trades in, or for the next; live alone must be armed, while it trades", () => {
  expect(
    ([0, 1, 2] as const).map((i) => armingEpoch({ state: (["ACTIVE", "REDUCING", "HALTED"] as const)[i], epoch: 4 })),
  ).toEqual([4, 5, 5]);
  expect([
    mustBeArmed("live", { state: "ACTIVE" }),
    mustBeArmed("live", { state: "REDUCING" }),
    mustBeArmed("demo", { state: "ACTIVE" }),
  ]).toEqual([true, false, false]);
});

test.each([
  ["1000", "100", "50.01", null],
  ["1000.01", "100", "100", "armed for 1000 USD of positions: 1000.01 with this order"],
  ["0", "100", "50", "armed for a loss of 50 USD a day: 50.00 lost today"],
  ["0", "100", "200", null],
])("%s USD held, from %s to %s USD of equity", (grossUsd, dayStartUsd, equityUsd, over) => {
  const exposure = {
    grossUsd: decimalOf(grossUsd),
    dayStartUsd: decimalOf(dayStartUsd),
    equityUsd: decimalOf(equityUsd),
  };
  expect(overCaps(ARMING, exposure)).toBe(over);
});
