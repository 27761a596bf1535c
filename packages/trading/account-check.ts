import type { TradingMode } from "./mode.ts";
import type { Policy } from "./plans/policy.ts";

/** What the venue says of a key, its account and itself, before anything is sent. */
export interface AccountFacts {
  readonly mode: TradingMode;
  readonly uid: string;
  /** OKX's account level: 1 spot, 2 futures, 3 multi-currency, 4 portfolio margin. */
  readonly acctLv: string;
  readonly posMode: string;
  /** What the key may do: read_only, trade, withdraw. Empty = the venue does not say. */
  readonly perm: readonly string[];
  /** The addresses that the key is bound to; empty = it is not. */
  readonly ip: string;
  /** What refused the trade mode; null = it is taken. */
  readonly tdMode: { readonly wanted: string; readonly refused: Refused | null };
  /** How far this machine's clock is ahead of the venue's, in milliseconds; null = not compared. */
  readonly skewMs: number | null;
  /** The maintenance of trading that is going on, by title; null = not known. */
  readonly ongoing: readonly string[] | null;
}

/** A refusal of the venue's, by its code. */
export interface Refused {
  readonly verdict: "halt" | "freeze";
  readonly code: string;
  readonly reason: string;
}

/** What the desk wants of an account. */
export interface AccountWanted extends Pick<Policy, "maxClockSkewSeconds"> {
  /** The account (uid) that the key must belong to; null = any. */
  readonly accountId: string | null;
}

/**
 * One thing that start-up asserts. `halt` = the key or the account is not what the desk assumes; `freeze` = for now nothing
 * may be opened; `unknown` = the venue did not say. `next` is what a person does about it.
 */
export interface Assertion {
  readonly name: "key" | "uid" | "acctLv" | "posMode" | "perm" | "ip" | "tdMode" | "clock" | "status";
  readonly verdict: "ok" | "halt" | "freeze" | "unknown";
  readonly says: string;
  readonly next: string | null;
  /** The venue's own word, where it refused. */
  readonly refused: Refused | null;
}

type Judged = readonly [verdict: Assertion["verdict"], says: string, next?: string];

const JUDGES: readonly (readonly [Assertion["name"], (facts: AccountFacts, wanted: AccountWanted) => Judged])[] = [
  [
    "uid",
    ({ uid }, { accountId }) =>
      accountId === null
        ? ["ok", `account ${uid}; the secret names none to compare with`]
        : uid === accountId
          ? ["ok", `account ${uid}`]
          : [
              "halt",
              `the key is of account ${uid}, the secret names ${accountId}`,
              "give the key of the desk's own sub-account",
            ],
  ],
  [
    "acctLv",
    ({ acctLv }) =>
      acctLv === "1"
        ? ["halt", "the account is spot only", "set the account mode to futures or multi-currency margin at OKX"]
        : ["ok", `account level ${acctLv}`],
  ],
  [
    "posMode",
    ({ posMode }) =>
      posMode === "net_mode"
        ? ["ok", "net mode"]
        : ["halt", `position mode is ${posMode}`, "set the position mode to one-way (net) at OKX while flat"],
  ],
  ["perm", ({ perm }) => permOf(perm)],
  [
    "ip",
    ({ ip, mode }) =>
      ip !== ""
        ? ["ok", "the key is bound to addresses"]
        : mode === "live"
          ? [
              "halt",
              "the key is bound to no address",
              "bind it to the stage's own address (docs/runbook.md, one address)",
            ]
          : ["ok", "the key is bound to no address, as demo may be"],
  ],
  [
    "tdMode",
    ({ tdMode: { wanted, refused } }) =>
      refused === null
        ? ["ok", `swaps are taken in ${wanted}`]
        : [
            refused.verdict,
            `swaps are not taken in ${wanted}: ${refused.code} ${refused.reason}`,
            "set OKX_TD_MODE to the mode that the account takes",
          ],
  ],
  ["clock", ({ skewMs }, { maxClockSkewSeconds }) => clockOf(skewMs, maxClockSkewSeconds)],
  [
    "status",
    ({ ongoing }) =>
      ongoing === null
        ? ["unknown", "the venue did not say whether it is under maintenance"]
        : ongoing.length === 0
          ? ["ok", "no maintenance is going on"]
          : ["freeze", `under maintenance: ${ongoing.join("; ")}`, "wait for its end: okx.com/status"],
  ],
];

function permOf(perm: readonly string[]): Judged {
  if (perm.length === 0) return ["unknown", "the venue did not say what the key may do"];
  if (perm.includes("withdraw"))
    return ["halt", "the key may withdraw", "make a key with read and trade alone, and delete this one"];
  if (!perm.includes("trade")) return ["halt", "the key may not trade", "make a key that may read and trade"];
  return ["ok", perm.join(", ")];
}

function clockOf(skewMs: number | null, mostSeconds: number): Judged {
  if (skewMs === null) return ["unknown", "not compared: the venue has this machine's clock"];
  const seconds = (Math.abs(skewMs) / 1000).toFixed(1);
  if (Math.abs(skewMs) <= mostSeconds * 1000) return ["ok", `${seconds} s from the venue's`];
  return [
    "halt",
    `this machine is ${seconds} s ${skewMs > 0 ? "ahead of" : "behind"} the venue`,
    "set its clock (NTP)",
  ];
}

/** Returns what start-up asserts of an account, in a fixed order. */
export const judgeAccount = (facts: AccountFacts, wanted: AccountWanted): Assertion[] =>
  JUDGES.map(([name, judge]) => {
    const [verdict, says, next = null] = judge(facts, wanted);
    return { name, verdict, says, next, refused: name === "tdMode" ? facts.tdMode.refused : null };
  });

/** Returns the worst of some assertions: the first that halts, else the first that freezes; null when none does. */
export const worstOf = (assertions: readonly Assertion[]): Assertion | null =>
  assertions.find(({ verdict }) => verdict === "halt") ??
  assertions.find(({ verdict }) => verdict === "freeze") ??
  null;

/**
 * Returns whether an assertion that fails also keeps a reduce-only order back. To close is safe with any key that can: only
 * where an order would mean something else, or go to another account, nothing is sent at all.
 */
export const bindsClosing = ({ name }: Assertion): boolean =>
  ["key", "uid", "acctLv", "posMode", "tdMode"].includes(name);
