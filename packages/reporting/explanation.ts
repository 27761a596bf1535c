import * as z from "zod";
import { TradingMode } from "#trading/mode";
import { Act } from "#trading/positions/step";
import { Decimal } from "#units/decimal";
import { Instant } from "#units/time";
import { OrderLine } from "./report.ts";
import { Step } from "./steps.ts";

/** One limit as it stood when an order was decided. */
export const LimitLine = z.object({
  name: z.string(),
  used: Decimal,
  limit: Decimal,
  headroom: Decimal,
  /** What is left of the limit, in percent of it; null of a limit of 0, which has no part. */
  headroomPercent: z.number().nullable(),
  ok: z.boolean(),
});
export type LimitLine = z.infer<typeof LimitLine>;

/** Where a position's stop stands, and what it would lose there. */
export const StopLine = z.object({
  price: Decimal,
  /** The average entry of what is held. */
  entryPrice: Decimal,
  /** 1 R: lost from the average entry to the stop, in USD; below zero once the stop is in profit. */
  riskUsd: Decimal,
  /** The same with the fee and the slippage of the way out that the policy assumes; never below the costs alone. */
  lossUsd: Decimal,
});
export type StopLine = z.infer<typeof StopLine>;

/** One step of an order's life, as its chained events keep it. */
export const VenueLine = z.object({
  at: Instant,
  by: z.string(),
  event: z.string(),
  status: z.string(),
  /** What was asked or answered, in words; text of the venue in it is as it came. */
  text: z.string(),
  /** The venue's code; null = none was given. */
  code: z.string().nullable(),
});
export type VenueLine = z.infer<typeof VenueLine>;

/** A stop or a take-profit of the position. */
export const ProtectionLine = z.object({
  kind: z.enum(["stop", "take-profit"]),
  /** The desk's id of it at the venue. */
  id: z.string(),
  trigger: Decimal,
  /** Contracts; null = all that is held. */
  size: Decimal.nullable(),
  status: z.string(),
  /** Why the venue did not take it, or ended it; as it came. */
  reason: z.string().nullable(),
  /** Since when what is held had no stop; when one was wanted, waited at the venue, and ended. */
  exposedAt: Instant,
  wantedAt: Instant,
  liveAt: Instant.nullable(),
  endedAt: Instant.nullable(),
});
export type ProtectionLine = z.infer<typeof ProtectionLine>;

/** What moved the position, by order or by others, oldest first. */
export const EpisodeLine = z.object({
  at: Instant,
  act: Act,
  before: Decimal,
  after: Decimal,
  price: Decimal.nullable(),
  /** Null = of no order of the desk. */
  order: z.string().nullable(),
  cause: z.string().nullable(),
});
export type EpisodeLine = z.infer<typeof EpisodeLine>;

/** What a position has come to, in USD. */
export const ResultLine = z.object({
  side: z.enum(["long", "short"]),
  openedAt: Instant,
  closedAt: Instant.nullable(),
  realizedUsd: Decimal.nullable(),
  /** Of what is still held, at `markPrice`. */
  unrealizedUsd: Decimal.nullable(),
  markPrice: Decimal.nullable(),
  feesUsd: Decimal,
  /** Paid; negative = received. */
  fundingUsd: Decimal,
  /** Whether a fee in another currency has no value: `feesUsd` is then not all. */
  feesUnvalued: z.boolean(),
  netUsd: Decimal.nullable(),
});
export type ResultLine = z.infer<typeof ResultLine>;

/** Everything that is known of one order. The same on a terminal and as JSON. */
export const Explanation = z.object({
  /** In the words of the report. */
  text: z.string(),
  whyText: z.string(),
  mode: TradingMode,
  venue: z.string(),
  clientOrderId: z.string(),
  venueOrderId: z.string().nullable(),
  order: OrderLine,
  /** What it was decided from; null of an order that no plan made. */
  decision: z
    .object({
      at: Instant,
      biasAt: Instant.nullable(),
      signal: z.number(),
      /** Of the last order before it that filled. */
      signalBefore: z.number().nullable(),
      /** Signals of the biases before, the newest first, as far as the decision looked back. */
      earlier: z.array(z.number()),
      phase: z.string().nullable(),
      credibilityFactor: z.number().nullable(),
      /** The policy's thresholds, by its own names. */
      thresholds: z.record(z.string(), z.string()),
      equityUsd: Decimal.nullable(),
      quote: z.object({ bid: Decimal, ask: Decimal, mark: Decimal }).nullable(),
      control: z.string().nullable(),
      gitSha: z.string().nullable(),
    })
    .nullable(),
  /** The decision's own way from the bias to the size, in its order; null of an order that no plan made, or of a release that kept less. */
  steps: z.array(Step).nullable().default(null),
  /** Of the formula of the bias; null where none was kept. */
  modelVersion: z.string().nullable().default(null),
  /** From the bias to the trade, in contracts; empty without a decision. The smallest bound set the target. */
  sizing: z.object({
    bounds: z.array(z.object({ name: z.string(), contracts: Decimal })),
    orderBounds: z.array(z.object({ name: z.string(), contracts: Decimal })),
    held: Decimal.nullable(),
    target: Decimal.nullable(),
    trade: Decimal.nullable(),
  }),
  /** The tightest first. An order that only reduces is not held to them. */
  limits: z.array(LimitLine),
  limitsApply: z.boolean(),
  /** Of the position before and after it; null where nothing was held, or no stop was set. */
  stop: z.object({ before: StopLine.nullable(), after: StopLine.nullable() }),
  /** What it was expected to earn against what a way in and out costs, in basis points of its notional. */
  edge: z.object({
    state: z.string(),
    expectedBps: z.number().nullable(),
    costBps: z.number().nullable(),
    costUsd: Decimal.nullable(),
  }),
  events: z.array(VenueLine),
  protections: z.array(ProtectionLine),
  /** What waits at the venue for the position while it is open, in the words and figures of the report: its stop, then its legs. */
  waiting: z.array(z.string()).default([]),
  /** How long the position has been without a stop that waited, in all; null = none has waited, or was refused. */
  unprotectedSeconds: z.number().nullable(),
  episode: z.array(EpisodeLine),
  /** Of the position so far; null without one in the books. */
  result: ResultLine.nullable(),
  /** Its net in units of what was at risk from entry to stop once its first order had filled; null = no stop was set. */
  resultR: z.number().nullable(),
  /** What this order's own fills realized, before fees; null where it closed nothing. */
  ownRealizedUsd: Decimal.nullable(),
});
export type Explanation = z.infer<typeof Explanation>;
