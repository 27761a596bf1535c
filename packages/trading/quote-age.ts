import { type Instant, millis } from "#units/time";
import type { Quote } from "./venue.ts";

/** Returns how old a quote is at `now`, and how far in the future: in seconds of the venue's clock, one of them 0. */
export function quoteAge({ at }: Pick<Quote, "at">, now: Instant): { readonly old: number; readonly ahead: number } {
  const seconds = (millis(now) - millis(at)) / 1000;
  return { old: Math.max(0, seconds), ahead: Math.max(0, -seconds) };
}
