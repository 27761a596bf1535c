import { expect, test } from "vitest";
import { type AccountFacts, type Assertion, bindsClosing, judgeAccount, worstOf } from "./account-check.ts";

const FACTS: AccountFacts = {
  ...{ mode: "live", uid: "77", acctLv: "2", posMode: "net_mode", perm: ["read_only", "trade"], ip: "1.2.3.4" },
  ...{ tdMode: { wanted: "cross", refused: null }, skewMs: 900, ongoing: [] },
};
const WANTED = { accountId: "77", maxClockSkewSeconds: 2 };
const judged = (facts: Partial<AccountFacts>, wanted: Partial<typeof WANTED | { accountId: null }> = {}) =>
  judgeAccount({ ...FACTS, ...facts }, { ...WANTED, ...wanted });

test("an account that is as the desk assumes: each thing is said, and none keeps it from trading", () => {
  expect(judged({}).map(({ name, verdict, says }) => `${name} ${verdict}: ${says}`)).toEqual([
    "uid ok: account 77",
    "acctLv ok: account level 2",
    "posMode ok: net mode",
    "perm ok: read_only, trade",
    "ip ok: the key is bound to addresses",
    "tdMode ok: swaps are taken in cross",
    "clock ok: 0.9 s from the venue's",
    "status ok: no maintenance is going on",
  ]);
  expect(worstOf(judged({}))).toBeNull();
  expect(judged({}).every(({ next, refused }) => next === null && refused === null)).toBe(true);
});

const NO = { verdict: "freeze", code: "51000", reason: "no" } as const;
test.each<[Assertion["name"], Partial<AccountFacts>, Assertion["verdict"], string, string | null]>([
  [
    "uid",
    { uid: "78" },
    "halt",
    "the key is of account 78, the secret names 77",
    "give the key of the desk's own sub-account",
  ],
  [
    "acctLv",
    { acctLv: "1" },
    "halt",
    "the account is spot only",
    "set the account mode to futures or multi-currency margin at OKX",
  ],
  [
    "posMode",
    { posMode: "long_short_mode" },
    "halt",
    "position mode is long_short_mode",
    "set the position mode to one-way (net) at OKX while flat",
  ],
  ["perm", { perm: [] }, "unknown", "the venue did not say what the key may do", null],
  ["perm", { perm: ["read_only"] }, "halt", "the key may not trade", "make a key that may read and trade"],
  [
    "perm",
    { perm: ["trade", "withdraw"] },
    "halt",
    "the key may withdraw",
    "make a key with read and trade alone, and delete this one",
  ],
  [
    "ip",
    { ip: "" },
    "halt",
    "the key is bound to no address",
    "bind it to the stage's own address (docs/runbook.md, one address)",
  ],
  ["ip", { ip: "", mode: "demo" }, "ok", "the key is bound to no address, as demo may be", null],
  [
    "tdMode",
    { tdMode: { wanted: "cross", refused: NO } },
    "freeze",
    "swaps are not taken in cross: 51000 no",
    "set OKX_TD_MODE to the mode that the account takes",
  ],
  ["clock", { skewMs: null }, "unknown", "not compared: the venue has this machine's clock", null],
  ["clock", { skewMs: -2000 }, "ok", "2.0 s from the venue's", null],
  ["clock", { skewMs: 2001 }, "halt", "this machine is 2.0 s ahead of the venue", "set its clock (NTP)"],
  ["clock", { skewMs: -2100 }, "halt", "this machine is 2.1 s behind the venue", "set its clock (NTP)"],
  ["status", { ongoing: null }, "unknown", "the venue did not say whether it is under maintenance", null],
  ["status", { ongoing: ["a", "b"] }, "freeze", "under maintenance: a; b", "wait for its end: okx.com/status"],
])("%s of %j: %s", (name, facts, verdict, says, next) => {
  const all = judged(facts);
  const refused = name === "tdMode" ? NO : null;
  expect(all.find((one) => one.name === name)).toEqual({ name, verdict, says, next, refused });
  expect(worstOf(all)?.name ?? null).toBe(verdict === "halt" || verdict === "freeze" ? name : null);
});

test("a secret that names no account takes any", () => {
  expect(judged({ uid: "78" }, { accountId: null })[0]).toMatchObject({
    ...{ verdict: "ok", says: "account 78; the secret names none to compare with" },
  });
});

test("what halts is worse than what freezes, whichever is first; what would mean another thing keeps a close back too", () => {
  const both = judged({ tdMode: { wanted: "cross", refused: NO }, skewMs: 9000 });
  expect(worstOf(both)?.name).toBe("clock");
  expect(
    judged({})
      .filter(bindsClosing)
      .map(({ name }) => name),
  ).toEqual(["uid", "acctLv", "posMode", "tdMode"]);
});
