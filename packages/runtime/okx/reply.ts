import type { StopReply, SubmitReply } from "#trading/venue";
import { type CodeClass, classOf, type Operation } from "./codes.ts";
import type { VenueError } from "./errors.ts";

/** What a submission of that class came to. Null = the venue may hold the order: only a look-up can say. */
const REPLIES: Readonly<Record<CodeClass | "unlisted", Exclude<SubmitReply["kind"], "accepted" | "unknown"> | null>> = {
  not_accepted: "busy",
  expired: "expired",
  exists: "exists",
  rejected: "rejected",
  stop_passed: "rejected",
  flat: "flat",
  credential: "halt",
  config: "halt",
  frozen: "frozen",
  // An error whose code says that all is well, or that the row would say, says nothing.
  ok: null,
  row: null,
  unknown: null,
  maintenance: null,
  cancel_race: null,
  unlisted: null,
};

/**
 * Returns what a failed submission came to. It is read by code, never by ccxt's error class (InvalidOrder is both a
 * duplicate and a size below the minimum). No code (a timeout, a reset, a bare HTTP error, an unparsable body) and an
 * unlisted code are both `unknown`: the venue may hold the order.
 */
export function submitReplyOf({ code, reason, httpStatus }: VenueError): SubmitReply {
  const kind = code === null ? null : REPLIES[classOf(code, "place")];
  if (code === null || kind === null) {
    const source = code ?? (httpStatus === null ? "no reply" : `HTTP ${httpStatus}`);
    return { kind: "unknown", reason: `${source}: ${reason}` };
  }
  if (kind === "exists") return { kind };
  if (kind === "expired" || kind === "busy") return { kind, code };
  return { kind, code, reason };
}

const STOP_REPLIES: Readonly<Record<CodeClass | "unlisted", Exclude<StopReply["kind"], "accepted">>> = {
  not_accepted: "busy",
  expired: "rejected",
  exists: "exists",
  rejected: "rejected",
  stop_passed: "passed",
  flat: "flat",
  credential: "halt",
  config: "halt",
  frozen: "frozen",
  cancel_race: "gone",
  ok: "unknown",
  row: "unknown",
  unknown: "unknown",
  maintenance: "unknown",
  unlisted: "unknown",
};

/**
 * Returns what a failed request about a stop came to, by its code. A stop is placed, moved and ended by requests of their
 * own, and each may also be answered as orders are: `operations`, the first that lists the code says what it means.
 */
export function stopReplyOf({ code, reason }: VenueError, operations: readonly Operation[]): StopReply {
  if (code === null) return { kind: "unknown", code, reason };
  const meanings = operations.map((operation) => classOf(code, operation));
  return { kind: STOP_REPLIES[meanings.find((meaning) => meaning !== "unlisted") ?? "unlisted"], code, reason };
}

/** Returns whether a failed cancel or query says that there is no live order of that id. */
export const isGone = ({ code }: VenueError, operation: "cancel" | "query"): boolean =>
  code !== null && classOf(code, operation) === "cancel_race";
