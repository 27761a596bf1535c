import * as z from "zod";
import { feesOf } from "#trading/positions/fee";
import { type Big, big, Decimal, fixed, text, ZERO } from "#units/decimal";
import { HORIZONS, Horizon, Instant, millis } from "#units/time";
import { netUsdOf, oppositeNetUsdOf, type ResultParts } from "./net.ts";

const share = z.number().min(0).max(1).nullable();
const count = z.number().int().nonnegative();

/**
 * The figures of a period. Money is exact, in USD (a USDT counts as one); shares and returns are fractions. Null = there
 * was nothing to measure, never 0.
 */
export const Metrics = z.object({
  wallets: z.object({ watched: count, active: count }),
  blocks: z.object({
    count,
    first: count.nullable(),
    last: count.nullable(),
    /** Their own times. */
    firstAt: Instant.nullable().default(null),
    lastAt: Instant.nullable().default(null),
    transactions: count,
    transfers: count,
    /** Numbers between the first and the last that were not ingested. */
    missing: count,
    /** Chains of events taken back by a reorg, and the events in them. */
    reorgedBlocks: count,
    retractedEvents: count,
    /** Seconds from a block's own time to when the desk saw it. */
    lagMedianSeconds: z.number().nullable(),
    lagMaxSeconds: z.number().nullable(),
  }),
  events: z.object({
    count,
    byType: z.record(z.string(), count),
    notionalUsd: Decimal,
    unpriced: count,
    unpricedShare: share,
    complex: count,
    complexShare: share,
  }),
  /**
   * Settled in the period: the share of directional events whose excess return, after cost, was above zero. `chance` is
   * the share that a coin would have had, tossed for the direction of each: below a half, for a small move pays no side.
   */
  outcomes: z.array(
    z.object({ horizon: Horizon, settled: count, hits: count, hitRate: share, chance: share.default(null) }),
  ),
  equity: z.object({
    start: Decimal.nullable(),
    end: Decimal.nullable(),
    /** Moved into the account in the period, less what was moved out: no result, and in none of the three below. */
    transferred: Decimal.default(ZERO),
    change: Decimal.nullable(),
    return: z.number().nullable(),
    /** Max drawdown between snapshots, as a fraction of the peak. */
    maxDrawdown: z.number().nullable(),
    /** What of the newest balance the venue's bills do not explain; "0" = nothing. Null = it was not compared. */
    gap: Decimal.nullable().default(null),
  }),
  pnl: z.object({ realizedUsd: Decimal, unrealizedUsd: Decimal, feesUsd: Decimal, fundingUsd: Decimal }),
  /** Fees in a currency whose price was not known, by currency; not part of feesUsd. */
  feesUnconverted: z.record(z.string(), Decimal),
  /** Wins are net of fees and funding; `chance` is the share that a coin would have won, tossed for the side of each. */
  trades: z.object({ closed: count, wins: count, winRate: share, chance: share.default(null) }),
  orders: z.object({
    count,
    byStatus: z.record(z.string(), count),
    fills: count,
    /** Notional of all fills. */
    turnoverUsd: Decimal.nullable(),
    /** The same as a multiple of the period's first equity, a day. Reports of earlier releases do not say. */
    turnoverADay: z.number().nullable().default(null),
  }),
  exposure: z.object({ grossUsd: Decimal, netUsd: Decimal, ofEquity: z.number().nullable() }),
});
export type Metrics = z.infer<typeof Metrics>;

/** The records that the figures are made of, all of one period; every list in the order of its key. */
export interface MetricRecords {
  /** The period, [start, end). */
  readonly scope: { readonly start: Instant; readonly end: Instant };
  readonly watchedWallets: number;
  readonly blocks: readonly {
    readonly number: number;
    readonly at: Instant;
    readonly observedAt: Instant;
    readonly transactions: number;
    readonly transfers: number;
  }[];
  readonly retracted: readonly { readonly blockHash: string | null }[];
  readonly events: readonly {
    readonly wallet: { readonly id: string };
    readonly type: string;
    readonly notionalUsd: Decimal | null;
  }[];
  /** `decided`: of how many one direction or the other came out above the cost. */
  readonly outcomes: readonly {
    readonly horizon: Horizon;
    readonly settled: number;
    readonly hits: number;
    readonly decided: number;
  }[];
  /** Ascending; the first may be the last snapshot before the period. */
  readonly equity: readonly {
    readonly at: Instant;
    readonly equity: Decimal;
    /** That the account was in: transfers issue and burn them. */
    readonly units: Decimal;
    readonly gap: Decimal | null;
  }[];
  readonly orders: readonly { readonly status: string }[];
  readonly fills: readonly {
    readonly notionalUsd: Decimal | null;
    readonly fee: Decimal;
    readonly feeAsset: string;
    readonly feePrice: Decimal | null;
  }[];
  readonly funding: readonly { readonly amount: Decimal }[];
  /** Open ones, and those that closed in the period. */
  readonly positions: readonly {
    readonly closedAt: Instant | null;
    readonly side: "long" | "short";
    readonly size: Decimal | null;
    readonly entryPrice: Decimal | null;
    readonly markPrice: Decimal | null;
    readonly realizedUsd: Decimal | null;
    readonly unrealizedUsd: Decimal | null;
    readonly feesUsd: Decimal;
    readonly feesUnvalued: boolean;
    readonly fundingUsd: Decimal;
  }[];
}

/** Returns the figures of one period. Linear in the records; the order of `equity` alone matters. */
export function metricsOf(records: MetricRecords): Metrics {
  const fees = feesOf(records.fills);
  const equity = equityMetrics(records.equity);
  const open = records.positions.filter((position) => position.closedAt === null);
  const closed = records.positions.filter((position) => position.closedAt !== null);
  const turnoverUsd = turnover(records.fills);
  return {
    wallets: { watched: records.watchedWallets, active: new Set(records.events.map((event) => event.wallet.id)).size },
    blocks: blockMetrics(records),
    events: eventMetrics(records.events),
    outcomes: HORIZONS.map((horizon) => outcomeMetrics(horizon, records.outcomes)),
    equity,
    pnl: {
      realizedUsd: text(sum(records.positions.map((position) => position.realizedUsd ?? ZERO))),
      unrealizedUsd: text(sum(open.map((position) => position.unrealizedUsd ?? ZERO))),
      feesUsd: fees.usd,
      fundingUsd: text(sum(records.funding.map((payment) => payment.amount))),
    },
    feesUnconverted: inOrder(fees.unvalued),
    trades: tradeMetrics(closed),
    orders: {
      count: records.orders.length,
      byStatus: tally(records.orders.map((order) => order.status)),
      fills: records.fills.length,
      turnoverUsd,
      turnoverADay: turnoverADay(turnoverUsd, equity.start, records.scope),
    },
    exposure: exposureMetrics(open, equity.end),
  };
}

const DAY_MS = 86_400_000;
const sum = (amounts: readonly Decimal[]): Big => amounts.reduce((total, amount) => total.plus(amount), big(0));
const ratio = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);

function tally(names: readonly string[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function blockMetrics({ blocks, retracted }: MetricRecords): Metrics["blocks"] {
  const numbers = new Set(blocks.map((block) => block.number));
  let first: number | null = null;
  let last: number | null = null;
  for (const number of numbers) {
    first = first === null || number < first ? number : first;
    last = last === null || number > last ? number : last;
  }
  const lags = blocks.map((block) => (millis(block.observedAt) - millis(block.at)) / 1000).sort((a, b) => a - b);
  return {
    count: numbers.size,
    first,
    last,
    firstAt: blocks.reduce<Instant | null>((least, { at }) => (least === null || at < least ? at : least), null),
    lastAt: blocks.reduce<Instant | null>((most, { at }) => (most === null || at > most ? at : most), null),
    transactions: blocks.reduce((total, block) => total + block.transactions, 0),
    transfers: blocks.reduce((total, block) => total + block.transfers, 0),
    missing: first === null || last === null ? 0 : last - first + 1 - numbers.size,
    reorgedBlocks: new Set(retracted.map((event) => event.blockHash)).size,
    retractedEvents: retracted.length,
    lagMedianSeconds: lags[Math.floor((lags.length - 1) / 2)] ?? null,
    lagMaxSeconds: lags.at(-1) ?? null,
  };
}

function eventMetrics(events: MetricRecords["events"]): Metrics["events"] {
  const priced = events.flatMap((event) => (event.notionalUsd === null ? [] : [event.notionalUsd]));
  const complex = events.filter((event) => event.type === "complex").length;
  const unpriced = events.length - priced.length;
  return {
    count: events.length,
    byType: tally(events.map((event) => event.type)),
    notionalUsd: text(sum(priced)),
    unpriced,
    unpricedShare: ratio(unpriced, events.length),
    complex,
    complexShare: ratio(complex, events.length),
  };
}

function outcomeMetrics(horizon: Horizon, outcomes: MetricRecords["outcomes"]): Metrics["outcomes"][number] {
  const own = outcomes.filter((outcome) => outcome.horizon === horizon);
  const settled = own.reduce((total, outcome) => total + outcome.settled, 0);
  const hits = own.reduce((total, outcome) => total + outcome.hits, 0);
  const decided = own.reduce((total, outcome) => total + outcome.decided, 0);
  return { horizon, settled, hits, hitRate: ratio(hits, settled), chance: ratio(decided / 2, settled) };
}

function equityMetrics(snapshots: MetricRecords["equity"]): Metrics["equity"] {
  const first = snapshots[0];
  const last = snapshots.at(-1);
  const nothing = {
    start: null,
    end: null,
    transferred: ZERO,
    change: null,
    return: null,
    maxDrawdown: null,
    gap: null,
  };
  if (!first || !last) return nothing;
  // A unit's worth moves by results alone.
  const price = ({ equity, units }: typeof first): Big => big(equity).div(units);
  let peak = price(first);
  let drawdown = big(0);
  let transferred = big(0);
  let before = first;
  for (const snapshot of snapshots) {
    const worth = price(snapshot);
    if (peak.lt(worth)) peak = worth;
    const fall = peak.gt(0) ? peak.minus(worth).div(peak) : big(0);
    if (fall.gt(drawdown)) drawdown = fall;
    if (snapshot.units !== before.units)
      transferred = transferred.plus(fixed(big(snapshot.equity).minus(worth.times(before.units)), 8));
    before = snapshot;
  }
  const began = price(first);
  return {
    start: text(first.equity),
    end: text(last.equity),
    transferred: text(transferred),
    change: text(big(last.equity).minus(first.equity).minus(transferred)),
    return: began.gt(0) ? Number(fixed(price(last).minus(began).div(began), 8)) : null,
    maxDrawdown: Number(fixed(drawdown, 8)),
    gap: last.gap,
  };
}

function tradeMetrics(closed: MetricRecords["positions"]): Metrics["trades"] {
  const count = (net: (position: ResultParts) => Decimal | null): number =>
    closed.filter((position) => big(net(position) ?? ZERO).gt(0)).length;
  const wins = count(netUsdOf);
  const chance = ratio((wins + count(oppositeNetUsdOf)) / 2, closed.length);
  return { closed: closed.length, wins, winRate: ratio(wins, closed.length), chance };
}

function exposureMetrics(open: MetricRecords["positions"], equity: Decimal | null): Metrics["exposure"] {
  const sized = open.map((position) => {
    const price = position.markPrice ?? position.entryPrice;
    const notional = position.size === null || price === null ? big(0) : big(position.size).times(price);
    return position.side === "long" ? notional : notional.times(-1);
  });
  const gross = sized.reduce((total, notional) => total.plus(notional.abs()), big(0));
  const net = sized.reduce((total, notional) => total.plus(notional), big(0));
  const ofEquity = equity !== null && big(equity).gt(0) ? Number(fixed(gross.div(equity), 8)) : null;
  return { grossUsd: text(gross), netUsd: text(net), ofEquity };
}

/** Null when one fill has no value here: a part is not the whole. */
function turnover(fills: MetricRecords["fills"]): Decimal | null {
  const valued = fills.flatMap((fill) => (fill.notionalUsd === null ? [] : [fill.notionalUsd]));
  return valued.length === fills.length ? text(sum(valued)) : null;
}

function turnoverADay(
  usd: Decimal | null,
  equity: Decimal | null,
  { start, end }: MetricRecords["scope"],
): number | null {
  const days = (millis(end) - millis(start)) / DAY_MS;
  if (usd === null || equity === null || days <= 0 || !big(equity).gt(0)) return null;
  return Number(fixed(big(usd).div(equity).div(days), 8));
}

const inOrder = (amounts: Readonly<Record<string, Decimal>>): Record<string, Decimal> =>
  Object.fromEntries(Object.entries(amounts).sort(([a], [b]) => (a < b ? -1 : 1)));
