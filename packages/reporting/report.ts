import * as z from "zod";
import { TradingMode } from "#trading/mode";
import { NoTrade } from "#trading/plans/no-trade";
import { PolicyDifferences } from "#trading/plans/policy";
import { Trigger } from "#trading/plans/trigger";
import { Act } from "#trading/positions/step";
import { Decimal, ZERO } from "#units/decimal";
import { EventId, OrderId, PositionId, WalletId } from "#units/ids";
import { Horizon, Instant } from "#units/time";
import { Metrics } from "./metrics.ts";

/** A wallet as a report names it. `label` is text from outside: escape it wherever it is shown. */
export const WalletName = z.object({ id: WalletId, address: z.string(), label: z.string().nullable() });
export type WalletName = z.infer<typeof WalletName>;

/** One event as a report tells it. */
export const EventLine = z.object({
  id: EventId,
  at: Instant,
  wallet: WalletName,
  type: z.string(),
  asset: z.string().nullable(),
  /** +1 the wallet gained the asset, -1 it lost it, 0 neither. */
  direction: z.number().int(),
  /** Whole tokens. */
  amount: Decimal.nullable(),
  /** Null = unpriced, never 0. */
  notionalUsd: Decimal.nullable(),
  venue: z.string().nullable(),
  txHash: z.string(),
  pattern: z.string().nullable(),
  /** The strongest w·d that the event was given when it was seen, over assets and timeframes; null = it moved no bias. */
  push: z.number().nullable(),
});
export type EventLine = z.infer<typeof EventLine>;

/** One term of a bias: what one event adds to it at that moment. `event` is null when the row left the feed. */
export const ContributionLine = z.object({ eventId: EventId, contribution: z.number(), event: EventLine.nullable() });
export type ContributionLine = z.infer<typeof ContributionLine>;

export const BiasLine = z.object({
  asset: z.string(),
  timeframe: Horizon,
  value: z.number(),
  confidence: z.number().nullable(),
  at: Instant,
  /** The value when the period began; null = there was none yet. */
  previous: z.number().nullable(),
  /** Of the wallets behind it, 0 to 10, as a plan weighs them; null = nobody with a score moved it. */
  credibility: z.number().nullable().default(null),
  /** The largest terms by magnitude. */
  contributions: z.array(ContributionLine),
  /** All other terms: with `contributions` they add up to the value. */
  others: z.object({ count: z.number().int(), contribution: z.number() }),
});
export type BiasLine = z.infer<typeof BiasLine>;

/** A credibility that says nothing. Source: docs/glossary.md#credibility. */
export const NEUTRAL = 5;

/** A credibility at one horizon: 0 to 10, 5.0 = nothing known. */
export const CredibilityLine = z.object({
  horizon: Horizon,
  score: z.number(),
  /** The score when the period began; null = never scored before. */
  previous: z.number().nullable(),
  /** Posterior probability that the wallet has a profitable edge, 0 to 1. */
  edge: z.number().nullable(),
  /** Effective bets behind it: clustered, so that ten swaps in one hour are one, and decayed. */
  bets: z.number().nullable(),
  /** Where a run went on after its last block: the same once its outcomes had settled. */
  settled: z
    .object({ score: z.number(), edge: z.number().nullable(), bets: z.number().nullable() })
    .nullable()
    .default(null),
});
export type CredibilityLine = z.infer<typeof CredibilityLine>;

export const WalletLine = z.object({
  wallet: WalletName,
  archetype: z.string().nullable(),
  credibility: z.array(CredibilityLine),
});
export type WalletLine = z.infer<typeof WalletLine>;

/** Why an order was made or denied: what its policy snapshot says, in words. */
export const Why = z.object({
  bias: z.number().nullable(),
  confidence: z.number().nullable(),
  credibility: z.number().nullable(),
  /** bias · confidence · credibility weight, -1 to 1. */
  signal: z.number().nullable(),
  /** The bound that set the size: the smallest of the sizing. */
  bound: z.array(z.string()),
  /** Policies that denied it. */
  denied: z.array(z.string()),
  /** The threshold that was crossed; null where none was (a stop), or where a release before this one decided. */
  trigger: Trigger.nullable().default(null),
  /** The signal of the last order before it that filled, of the same instrument. */
  signalBefore: z.number().nullable().default(null),
  /** By which policy: its name, and the SHA-256 of all its limits. A stop goes by that of the last order before it. */
  policy: z.object({ version: z.string(), hash: z.string() }).nullable().default(null),
});
export type Why = z.infer<typeof Why>;

/** What was held before and after, signed: a short is below zero. */
export const ChangeLine = z.object({
  act: Act,
  /** Contracts. `after` is `before` with the fills. */
  before: Decimal,
  after: Decimal,
  /** The same in the asset, exact; null while the instrument is not listed. */
  beforeAsset: Decimal.nullable(),
  afterAsset: Decimal.nullable(),
  /** Both at one price: the average fill, else the limit, else the mark of the decision; null when none is known. */
  beforeUsd: Decimal.nullable(),
  afterUsd: Decimal.nullable(),
  /** Nothing is filled: `after` is what the order asks for. */
  isAsked: z.boolean(),
});
export type ChangeLine = z.infer<typeof ChangeLine>;

export const OrderLine = z.object({
  id: OrderId,
  decidedAt: Instant,
  instrument: z.string(),
  asset: z.string(),
  side: z.enum(["buy", "sell"]),
  /** "stop" = sent by the desk because a position's stop was reached. */
  type: z.string(),
  /** Contracts. */
  size: Decimal,
  filledSize: Decimal,
  /** The same in the asset, exact; null while the instrument is not listed. */
  assetSize: Decimal.nullable().default(null),
  filledAssetSize: Decimal.nullable().default(null),
  /** At the average fill price, else at the limit; null when neither is known. */
  notionalUsd: Decimal.nullable(),
  averagePrice: Decimal.nullable(),
  feesUsd: Decimal,
  /** What its fills were worse than the middle of the quote that it was decided on; negative = better. Null = no quote. */
  spreadUsd: Decimal.nullable().default(null),
  /** Reports of earlier releases have none. */
  change: ChangeLine.nullable().default(null),
  /** Of the first fill. */
  filledAt: Instant.nullable().default(null),
  /** Whether a fee in another currency has no value: `feesUsd` is then not all. */
  feesUnvalued: z.boolean().default(false),
  status: z.string(),
  reduceOnly: z.boolean(),
  timeframe: z.string().nullable(),
  why: Why,
  error: z.string().nullable(),
});
export type OrderLine = z.infer<typeof OrderLine>;

/** How often plans of one instrument and side came to be denied by the same policies; a verdict that lasts counts once. */
export const Denial = z.object({
  instrument: z.string(),
  side: z.enum(["buy", "sell"]),
  denied: z.array(z.string()),
  count: z.number().int().positive(),
  lastAt: Instant,
});
export type Denial = z.infer<typeof Denial>;

/** A stop or take-profit that waits at the venue for what is held, with its figures as they are shown. */
export const WaitingLine = z.object({
  trigger: Decimal,
  /** Since when it waits, by the venue's clock. */
  liveAt: Instant,
  /** What it closes, in contracts, and in the asset; null in reports of earlier releases, or of an instrument that is not listed. */
  contracts: Decimal.nullable().default(null),
  size: Decimal.nullable().default(null),
  /** How far the trigger is from the mark, in %, to a tenth; null where there is no mark. */
  awayPercent: Decimal.nullable().default(null),
  /** What it would realise at its trigger against the entry, less the fee of that order, to the cent. */
  netUsd: Decimal.nullable().default(null),
});
export type WaitingLine = z.infer<typeof WaitingLine>;

const StopAtVenue = WaitingLine.extend({
  /** For how long something was held before it without one. */
  unprotectedSeconds: z.number().nonnegative(),
});

export const PositionLine = z.object({
  id: PositionId,
  instrument: z.string(),
  asset: z.string(),
  side: z.enum(["long", "short"]),
  /** Of the asset: held now, or once closed the most that was held. */
  size: Decimal.nullable(),
  /** All that was opened in it, and the most that was held at once, of the asset; null where its fills are gone. */
  tradedSize: Decimal.nullable().default(null),
  peakSize: Decimal.nullable().default(null),
  entryPrice: Decimal.nullable(),
  markPrice: Decimal.nullable(),
  exitPrice: Decimal.nullable(),
  /** Where its orders want the stop; `atVenue` is where one waits. */
  stopPrice: Decimal.nullable(),
  /** Null = none waits, or nothing is held; undefined = a release before this one told it. Of several parts they are one. */
  atVenue: StopAtVenue.nullish(),
  /** Contracts that no stop at the venue covers, "0" when all are; null = not known, or nothing is held. */
  uncovered: Decimal.nullable().default(null),
  /** Take-profits that wait at the venue, the nearest first. */
  legs: z.array(WaitingLine).default([]),
  unrealizedUsd: Decimal.nullable(),
  realizedUsd: Decimal.nullable(),
  feesUsd: Decimal,
  /** Whether a fee in another currency has no value: `feesUsd` is then not all, and `netUsd` null. */
  feesUnvalued: z.boolean().default(false),
  /** Paid; negative = received. */
  fundingUsd: Decimal.default(ZERO),
  /** Realized, and while open unrealized, less fees and funding; null when a part is not known. */
  netUsd: Decimal.nullable().default(null),
  openedAt: Instant,
  closedAt: Instant.nullable(),
});
export type PositionLine = z.infer<typeof PositionLine>;

/** `4h` on the boundaries 00, 04, 08, … UTC; `partial` for a period that was cut short; `run` for a whole replay. */
const ReportType = z.enum(["4h", "partial", "run"]);

/** What a report is about: [start, end), and where its input came from. */
export const Scope = z.object({
  type: ReportType,
  start: Instant,
  end: Instant,
  mode: TradingMode,
  venue: z.string(),
  chain: z.string(),
  inputName: z.string(),
  /** The input is generated: the first line says so. */
  generated: z.boolean(),
  explorerUrl: z.string().nullable(),
  /** The limits of the policy in force that differ from the defaults. Reports of earlier releases have none. */
  policy: PolicyDifferences.default({}),
});
export type Scope = z.infer<typeof Scope>;

/** Everything that the Markdown shows, exact. It holds no wall clock: the same rows give the same report. */
export const Report = z.object({
  scope: Scope,
  /**
   * When what is shown stood so: the biases, the scores and why nothing was traded (null without a bias), and all the rest. A run
   * goes on after its last block.
   */
  asOf: z.object({ bias: Instant.nullable(), rest: Instant }).nullable().default(null),
  trading: z.object({ state: z.string(), reason: z.string() }).nullable(),
  /** Of live alone: until when positions may be opened, by whom, up to which caps, and why not all the same. Null = not armed. */
  arming: z
    .object({
      ...{ notAfter: Instant, by: z.string(), maxNotionalUsd: Decimal, maxDailyLossUsd: Decimal },
      problem: z.string().nullable(),
    })
    .nullable()
    .default(null),
  /** As of the biases: the effective bets of the wallet that has most, and how many it takes to tell skill from luck. */
  evidence: z.array(z.object({ horizon: Horizon, has: z.number(), needs: z.number().int() })).default([]),
  biases: z.array(BiasLine),
  events: z.array(EventLine),
  walletsUp: z.array(WalletLine),
  walletsDown: z.array(WalletLine),
  /** Orders that were approved, oldest first. */
  orders: z.array(OrderLine),
  /** Plans that policy stopped, most frequent first. */
  denials: z.array(Denial),
  /** Traded assets without an order in the period: what stood first between each and one, as of the biases. */
  noTrade: z.array(NoTrade).default([]),
  positions: z.array(PositionLine),
  metrics: Metrics,
});
export type Report = z.infer<typeof Report>;
