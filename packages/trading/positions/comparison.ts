import { big, type Decimal } from "#units/decimal";
import { type Instant, millis } from "#units/time";
import type { Policy } from "../plans/policy.ts";

/** How the books and the venue have stood to each other in one instrument, run after run. */
export interface Comparison {
  readonly instrument: string;
  /** The first run that compared it: what others traded before is not the desk's. */
  readonly since: Instant | null;
  /** The newest run that compared it; null = none did. */
  readonly comparedAt: Instant | null;
  /** The run before that one. */
  readonly comparedBefore: Instant | null;
  /** The newest run that could not, and how many in a row could not. */
  readonly failedAt: Instant | null;
  readonly failures: number;
  /** The difference that is looked at, in signed contracts; null = there is none. */
  readonly ours: Decimal | null;
  readonly theirs: Decimal | null;
  /** When the venue's position of it was changed last; null = the venue shows none. */
  readonly positionAt: Instant | null;
  /** Snapshots with that same difference, and when the newest was taken, by the venue's clock. */
  readonly seen: number;
  readonly seenAt: Instant | null;
  /** Runs in a row in which they agreed, and the first of them. */
  readonly agreed: number;
  readonly agreedSince: Instant | null;
  /** When this instrument's cause last lifted the kill switch by itself. */
  readonly liftedAt: Instant | null;
  /** Raised at each write; 0 = not stored yet. */
  readonly version: number;
}

/** What one run found of an instrument. */
export type Found =
  /** It threw, or the venue did not say. */
  | { readonly kind: "failed" }
  | { readonly kind: "agrees" }
  /** Not equal, and an order is on its way that may be why. */
  | { readonly kind: "busy" }
  | {
      readonly kind: "differs";
      readonly ours: Decimal;
      readonly theirs: Decimal;
      readonly positionAt: Instant | null;
      /** When the snapshot was taken, by the venue's clock. */
      readonly seenAt: Instant;
    };

const FRESH = {
  ...{ since: null, comparedAt: null, comparedBefore: null, failedAt: null, failures: 0, ours: null, theirs: null },
  ...{ positionAt: null, seen: 0, seenAt: null, agreed: 0, agreedSince: null, liftedAt: null, version: 0 },
} as const;
const NO_DIFFERENCE = { ours: null, theirs: null, positionAt: null, seen: 0, seenAt: null } as const;

/** Snapshots nearer to each other than this are one: a lagging read is still lagging. */
export const SNAPSHOT_MS = 5_000;

/** Returns a difference as looked at once more. */
function lookedAt(before: Comparison, found: Extract<Found, { kind: "differs" }>) {
  const { ours, theirs, positionAt, seenAt } = found;
  const isSame =
    before.ours !== null &&
    before.theirs !== null &&
    big(before.ours).eq(ours) &&
    big(before.theirs).eq(theirs) &&
    before.positionAt === positionAt;
  if (!isSame || before.seenAt === null) return { ours, theirs, positionAt, seen: 1, seenAt };
  const isApart = millis(seenAt) - millis(before.seenAt) >= SNAPSHOT_MS;
  return isApart ? { seen: before.seen + 1, seenAt } : {};
}

/** Returns how an instrument stands after the run at `at` found `found`; the same run again counts once. */
export function compared(before: Comparison | null, instrument: string, at: Instant, found: Found): Comparison {
  const last = before ?? { instrument, ...FRESH };
  if (found.kind === "failed") {
    const failures = last.failedAt === at ? last.failures : last.failures + 1;
    return { ...last, failedAt: at, failures };
  }
  const isNewer = last.comparedAt === null || at > last.comparedAt;
  const when = isNewer ? { comparedAt: at, comparedBefore: last.comparedAt } : {};
  const next = { ...last, ...when, since: last.since ?? at, failures: 0 };
  if (found.kind === "differs") return { ...next, ...lookedAt(last, found), agreed: 0, agreedSince: null };
  if (found.kind === "busy") return { ...next, ...NO_DIFFERENCE, agreed: 0, agreedSince: null };
  const agreed = isNewer ? last.agreed + 1 : Math.max(last.agreed, 1);
  return { ...next, ...NO_DIFFERENCE, agreed, agreedSince: last.agreedSince ?? at };
}

/** Returns whether a difference is a break: seen so often, apart, with nothing moving between. */
export const isBreak = (
  { seen }: Pick<Comparison, "seen">,
  { breakSnapshots }: Pick<Policy, "breakSnapshots">,
): boolean => seen >= breakSnapshots;

/** Returns the newest run before `at` that compared an instrument: what is done at that instant itself never shows. */
export function runBefore(row: Pick<Comparison, "comparedAt" | "comparedBefore">, at: Instant): Instant | null {
  const isEarlier = row.comparedAt !== null && row.comparedAt < at;
  return isEarlier ? row.comparedAt : row.comparedBefore;
}

/** Returns whether an instrument was compared longer than `seconds` before `at`, or never. */
export const isStale = (comparedAt: Instant | null, at: Instant, seconds: number): boolean =>
  comparedAt === null || millis(at) - millis(comparedAt) > seconds * 1000;

/** Returns whether nobody knows any more how an instrument stands: it failed, and too long or too often in a row. */
export const isUnseen = (
  { comparedAt, failures }: Comparison,
  at: Instant,
  { maxUnseenRuns, maxUnseenSeconds }: Pick<Policy, "maxUnseenRuns" | "maxUnseenSeconds">,
): boolean =>
  failures >= maxUnseenRuns ||
  (failures > 0 && comparedAt !== null && millis(at) - millis(comparedAt) > maxUnseenSeconds * 1000);

/** Returns whether books and venue have agreed often and long enough for what an instrument tripped to lift itself. */
export const agreesAgain = (
  { agreed, agreedSince }: Comparison,
  at: Instant,
  { liftRuns, liftAfterSeconds }: Pick<Policy, "liftRuns" | "liftAfterSeconds">,
): boolean => agreed >= liftRuns && agreedSince !== null && millis(at) - millis(agreedSince) >= liftAfterSeconds * 1000;

/** Returns whether an instrument's cause may lift itself, which it did not lately. The second time a person looks. */
export const mayLift = (
  { liftedAt }: Pick<Comparison, "liftedAt">,
  at: Instant,
  { liftEverySeconds }: Pick<Policy, "liftEverySeconds">,
): boolean => liftedAt === null || millis(at) - millis(liftedAt) >= liftEverySeconds * 1000;

/** Returns the cause by which an instrument keeps the kill switch at REDUCING. */
export const liftCause = (kind: "break" | "unseen", instrument: string): string => `${kind}:${instrument}`;

/** Returns the instrument of a cause. */
export const instrumentOf = (cause: string): string => cause.slice(cause.indexOf(":") + 1);
