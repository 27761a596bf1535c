import { barStart, type Instant, instant, millis } from "#units/time";
import type { Scope } from "./report.ts";

const PERIOD_SECONDS = 4 * 3600;
/** A tick this soon after a boundary is the boundary's own: a scheduler may be a little late. */
const GRACE_MS = 60_000;

/**
 * Returns the period that a report built at `at` is about: on a boundary (00, 04, 08, … UTC) the four hours before it,
 * else the part of the current four hours that has passed, cut to the millisecond.
 */
export function periodAt(at: Instant): Pick<Scope, "type" | "start" | "end"> {
  const boundary = barStart(at, PERIOD_SECONDS);
  if (millis(at) - millis(boundary) > GRACE_MS) return { type: "partial", start: boundary, end: at };
  return { type: "4h", start: instant(millis(boundary) - PERIOD_SECONDS * 1000), end: boundary };
}
