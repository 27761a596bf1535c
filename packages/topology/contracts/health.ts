import * as z from "zod";
import { TradingMode } from "#trading/mode";
import { ControlState } from "#trading/plans/limits";
import { Decimal } from "#units/decimal";
import { Instant } from "#units/time";
import type { Contract } from "./contract.ts";
import { Input } from "./lines.ts";

const block = z.object({ number: z.int(), at: Instant, observedAt: Instant });
const cursor = z.object({ sent: z.int(), safe: z.int(), finalized: z.int(), updatedAt: Instant });
const trading = z.object({ state: ControlState, epoch: z.int(), reason: z.string(), changedAt: Instant });
const report = z.object({ id: z.uuid(), type: z.string(), end: Instant });
const stops = z.object({
  open: z.int(),
  covered: z.int(),
  withoutSince: Instant.nullable(),
  unprotectedSeconds: z.number().nullable(),
});
const arming = z.object({
  ...{ epoch: z.int(), maxNotionalUsd: Decimal, maxDailyLossUsd: Decimal, notAfter: Instant },
  ...{ by: z.string(), problem: z.string().nullable() },
});

/** How far the desk has come, whether it may trade, and how what it holds is covered. */
export const healthContract = {
  query: z.strictObject({}),
  reply: z.object({
    status: z.enum(["waiting for the first block", "ok", "behind"]),
    chain: z.string(),
    mode: TradingMode,
    venue: z.string(),
    input: Input,
    block: block.nullable(),
    cursor: cursor.nullable(),
    trading: trading.nullable(),
    report: report.nullable(),
    stops,
    /** Of live alone; null = not armed. */
    arming: arming.nullable(),
  }),
  also: { 503: "a live desk whose newest block is more than five minutes old" },
} as const satisfies Contract;
