import type { SubmitReply } from "#trading/venue";
import type { VenueError } from "./errors.ts";

/** What a submission's reply code means. A code that is absent is `unknown`: only a listed one is evidence. */
type Meaning = Exclude<SubmitReply["kind"], "accepted">;

const list = (meaning: Meaning, ...codes: readonly string[]): [string, Meaning][] =>
  codes.map((code) => [code, meaning]);

/**
 * OKX's numeric codes on placing an order, by what the caller may do next. It is read by code, never by ccxt's error
 * class (InvalidOrder is both a duplicate and a size below the minimum). Source: OKX v5, error codes; docs/glossary.md.
 */
const MEANINGS: ReadonlyMap<string, Meaning> = new Map([
  ...list("busy", "50011", "50061", "50102"),
  ...list("unknown", "50004", "50001", "50013", "50026"),
  ...list("expired", "50037"),
  ...list("exists", "51016", "50071"),
  ...list(
    "rejected",
    "51000",
    "51001",
    "51008",
    "51119",
    "51127",
    "51131",
    "51020",
    "51120",
    "51121",
    "51004",
    "51005",
  ),
  ...list("rejected", "51006", "51137", "51138", "51010", "51155"),
  ...list("halt", "50101", "50105", "50110", "50111", "50113", "50119", "50035"),
]);

/** Codes with which a cancel or a query says that there is no live order of that id. */
export const ORDER_GONE: ReadonlySet<string> = new Set(["51400", "51401", "51402", "51410", "51603"]);

/**
 * Returns what a failed submission came to. No code (a timeout, a reset, a bare HTTP error, an unparsable body) and an
 * unlisted code are both `unknown`: the venue may hold the order.
 */
export function submitReplyOf({ code, reason, httpStatus }: VenueError): SubmitReply {
  const kind = (code === null ? undefined : MEANINGS.get(code)) ?? "unknown";
  if (code === null || kind === "unknown") {
    const source = code ?? (httpStatus === null ? "no reply" : `HTTP ${httpStatus}`);
    return { kind: "unknown", reason: `${source}: ${reason}` };
  }
  if (kind === "exists") return { kind };
  if (kind === "expired" || kind === "busy") return { kind, code };
  return { kind, code, reason };
}
