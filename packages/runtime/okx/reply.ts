import type { SubmitReply } from "#trading/venue";
import { type CodeClass, classOf } from "./codes.ts";
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

/** Returns whether a failed cancel or query says that there is no live order of that id. */
export const isGone = ({ code }: VenueError, operation: "cancel" | "query"): boolean =>
  code !== null && classOf(code, operation) === "cancel_race";
