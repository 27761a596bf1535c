import { big } from "#units/decimal";
import { type Instant, millis } from "#units/time";
import type { Instrument } from "../instrument.ts";
import type { Listing } from "../venue.ts";
import type { Policy } from "./policy.ts";

const TERMS = ["contractSize", "lotSize", "minSize", "tickSize"] as const;

/**
 * Returns by which names an instrument must not be opened as the venue lists it at `at`, in a fixed order: it is not listed,
 * not live, its terms are not those that a plan went by, or they change soon or have just changed. Empty when it may.
 * Source: OKX v5, GET /api/v5/public/instruments (state, upcChg)
 */
export function listingFaults(
  listing: Listing | null,
  planned: Instrument,
  at: Instant,
  { changeNoticeSeconds }: Pick<Policy, "changeNoticeSeconds">,
): string[] {
  if (listing === null) return ["instrument_not_listed"];
  const { terms, state, changes } = listing;
  const isOther = terms === null || TERMS.some((name) => !big(terms[name]).eq(planned[name]));
  const isNear = changes.some((change) => Math.abs(millis(change.at) - millis(at)) <= changeNoticeSeconds * 1000);
  return [
    ...(state === "live" ? [] : ["instrument_not_live"]),
    ...(isOther ? ["contract_changed"] : []),
    ...(isNear ? ["contract_changes"] : []),
  ];
}
