import type { FunctionName } from "#topology/functions";

/** What a function's bundle may cost. CI refuses more bytes or more CPU; the time is for people, since machines differ. */
export interface Budget {
  readonly kind: "API" | "orders" | "other";
  /** Of `index.mjs`. */
  readonly bytes: number;
  /** CPU from the start of the process to ready, as a multiple of what a function of one empty handler takes. */
  readonly cpuRatio: number;
  /** From the start of the process until it asks for its first event. */
  readonly readyMs: number;
}

const KIB = 1024;

// How much more CPU than nothing at all; the figures are in docs/benchmarks.md.
const BUDGETS = {
  API: { kind: "API", bytes: 480 * KIB, cpuRatio: 3.4, readyMs: 115 },
  // They send, publish, trade, read secrets, sign tokens, and have what failed delivered again; they look after stops, fees in
  // other currencies and leverage, and explain what they did.
  orders: { kind: "orders", bytes: 800 * KIB, cpuRatio: 4.4, readyMs: 160 },
  other: { kind: "other", bytes: 700 * KIB, cpuRatio: 4.4, readyMs: 160 },
} as const satisfies Record<string, Budget>;

/** Returns the budget of a job: a route's, that of a job that talks to the venue, or any other's. */
export function budgetOf({ job, needs }: { job: FunctionName; needs: readonly string[] }): Budget {
  if (job.startsWith("api/")) return BUDGETS.API;
  return needs.includes("exchange") ? BUDGETS.orders : BUDGETS.other;
}
