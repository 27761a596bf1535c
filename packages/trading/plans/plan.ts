import type { Explanation } from "#bias/bias";
import { big, type Decimal, decimalOf, floorTo, text, ZERO } from "#units/decimal";
import type { EventId } from "#units/ids";
import { type Instant, millis } from "#units/time";
import { hashOf, type Json } from "../canonical-json.ts";
import type { Instrument } from "../instrument.ts";
import type { TradingMode } from "../mode.ts";
import { clientOrderId } from "../orders/client-order-id.ts";
import type { OrderType, Quote, Side } from "../venue.ts";
import { type Control, checkLimits, type LimitCheck, mayLeave } from "./limits.ts";
import { POLICY, type Policy, policyHash } from "./policy.ts";
import { countedPrice, type Sizing, sizeOf } from "./sizing.ts";
import { type Trigger, triggerOf } from "./trigger.ts";
import type { LanePast } from "./turnover.ts";
import type { Volatility } from "./volatility.ts";

/** One named contribution to a bias, as its components keep it. */
export type BiasContribution = Readonly<Explanation["contributions"][number]>;

export interface PlannedBias {
  readonly at: Instant;
  readonly value: number;
  readonly confidence: number | null;
  readonly contributions: readonly BiasContribution[];
  /** The stored components, whole. */
  readonly components: Json;
}

/** Everything a decision is made from. Nothing else may influence it. */
export interface PlanInput extends LanePast {
  readonly at: Instant;
  readonly mode: TradingMode;
  readonly venue: string;
  readonly gitSha: string;
  readonly asset: string;
  readonly instrument: Instrument;
  readonly control: Control;
  readonly bias: PlannedBias;
  readonly quote: Quote;
  /** The venue's clock when it gave the quote. */
  readonly quotedAt: Instant;
  readonly volatility: Volatility;
  readonly equity: Decimal;
  readonly dayStart: Decimal;
  readonly peak: Decimal;
  /** Signed contracts from fills. */
  readonly held: Decimal;
  /** Instruments that share the desk's limits. */
  readonly lanes: number;
  /** Notional of other instruments' positions, absolute, in USD. */
  readonly otherGrossUsd: Decimal;
  /** Loss at the stops of other positions plus what orders in flight have reserved, in USD. */
  readonly otherRiskUsd: Decimal;
  /** Orders of this instrument that are still on their way or at the venue. */
  readonly inFlight: number;
  readonly stopsLastDay: number;
  readonly lastClosedAt: Instant | null;
  readonly ordersLastMinute: number;
  readonly analyses: readonly {
    readonly eventId: EventId;
    readonly model: string | null;
    readonly pattern: string | null;
  }[];
}

/** An order as it is first written. `policySnapshot` holds the whole decision and its hash. */
export interface ProposedOrder {
  readonly clientOrderId: string;
  readonly side: Side;
  readonly type: OrderType | "stop" | "take_profit";
  readonly size: Decimal;
  readonly price: Decimal | null;
  readonly reduceOnly: boolean;
  readonly stopLoss: Decimal | null;
  readonly riskUsd: Decimal;
  /** The contribution that moved the bias most in the direction of the trade; null when none did. */
  readonly signal: BiasContribution | null;
}

/** An order with its verdict. */
export interface Decided {
  readonly verdict: "approved" | "denied";
  /** Names of the limits that failed; empty when approved. */
  readonly codes: readonly string[];
  readonly order: ProposedOrder;
  readonly policySnapshot: { readonly [key: string]: Json };
}

export type Plan = { readonly verdict: "nothing"; readonly reason: string } | Decided;

/**
 * Returns the |contribution|-weighted mean credibility of the wallets behind a bias, 0 to 10; null when no contribution
 * has one. Summed in order of event id, so that the order of `contributions` never shows.
 */
export function credibilityOf(contributions: readonly BiasContribution[]): number | null {
  let weight = 0;
  let sum = 0;
  for (const c of contributions.toSorted((a, b) => (a.event_id < b.event_id ? -1 : 1))) {
    if (c.credibility === null || !Number.isFinite(c.credibility * c.contribution)) continue;
    weight += Math.abs(c.contribution);
    sum += Math.abs(c.contribution) * c.credibility;
  }
  return weight > 0 ? sum / weight : null;
}

/**
 * Returns the limit price of an IOC: the touch plus the allowed slippage, rounded away from the market's side to a tick. Where
 * nobody offers, the mark is in the touch's place: such an order is denied, and is written down with a price all the same.
 */
function limitPrice(side: Side, quote: Quote, instrument: Instrument, policy: Policy): Decimal {
  const slip = big(policy.maxSlippageBps).div(10_000);
  const touch = side === "buy" ? quote.ask : quote.bid;
  const from = big(touch).gt(0) ? big(touch) : big(quote.mark);
  const raw = from.times(side === "buy" ? slip.plus(1) : big(1).minus(slip));
  const down = floorTo(raw, instrument.tickSize);
  return text(side === "buy" || down.eq(raw) ? down : down.plus(instrument.tickSize));
}

/** Returns the stop of a position of `side` at `price`, a tick multiple nearer than the exact distance, never at 0. */
function stopPrice(side: Side, price: Decimal, distance: Decimal, instrument: Instrument): Decimal {
  const raw = big(price).times(side === "buy" ? big(1).minus(distance) : big(1).plus(distance));
  const down = floorTo(raw, instrument.tickSize);
  return text(side === "buy" && !down.eq(raw) ? down.plus(instrument.tickSize) : down);
}

/** Returns the loss at the stop with the fee and slippage of the way out, in USD. */
function riskAt(contracts: Decimal, input: PlanInput, distance: Decimal, policy: Policy): Decimal {
  const notional = big(contracts).abs().times(input.instrument.contractSize).times(input.quote.mark);
  const costs = big(policy.takerFeeBps).plus(policy.exitSlippageBps).div(10_000);
  return text(notional.times(costs.plus(distance)));
}

function proposedOrder(input: PlanInput, sizing: Sizing, policy: Policy): ProposedOrder {
  const side: Side = big(sizing.trade).gt(0) ? "buy" : "sell";
  const direction = side === "buy" ? 1 : -1;
  const opens = !sizing.reduceOnly;
  const distance = opens ? sizing.stopDistance : null;
  const signal = input.bias.contributions
    .filter((c) => c.contribution * direction > 0)
    .toSorted((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution) || (a.event_id < b.event_id ? -1 : 1))[0];
  return {
    clientOrderId: clientOrderId({
      venue: input.venue,
      mode: input.mode,
      instrument: input.instrument.id,
      timeframe: policy.timeframe,
      biasAt: input.bias.at,
      leg: "plan",
    }),
    side,
    type: opens ? "ioc" : "market",
    size: text(big(sizing.trade).abs()),
    price: opens ? limitPrice(side, input.quote, input.instrument, policy) : null,
    reduceOnly: sizing.reduceOnly,
    stopLoss: distance === null ? null : stopPrice(side, input.quote.mark, distance, input.instrument),
    riskUsd: distance === null ? ZERO : riskAt(sizing.trade, input, distance, policy),
    signal: signal ?? null,
  };
}

function limitsOf(input: PlanInput, sizing: Sizing, policy: Policy): LimitCheck[] {
  const price = sizing.reduceOnly
    ? input.quote.mark
    : countedPrice(input.quote, big(sizing.trade).gt(0) ? "buy" : "sell", policy);
  const oneUsd = big(price).times(input.instrument.contractSize);
  const after = big(sizing.held).plus(sizing.trade).abs();
  const assetUsd = after.times(oneUsd);
  return checkLimits(
    {
      ...input,
      orderUsd: text(big(sizing.trade).abs().times(oneUsd)),
      assetUsd: text(assetUsd),
      grossUsd: text(assetUsd.plus(input.otherGrossUsd)),
      tradeRiskUsd: riskAt(text(after), input, sizing.stopDistance ?? decimalOf("1"), policy),
      biasAt: input.bias.at,
      contracts: text(big(sizing.trade).abs()),
      hourVolume: input.volatility.hourVolume,
    },
    policy,
  );
}

/** Returns the limits that stand in the way. A closing order needs only the kill switch's leave: risk must be able to end. */
function failures(order: ProposedOrder, limits: readonly LimitCheck[], control: Control): string[] {
  if (order.reduceOnly) return mayLeave(control, { reduceOnly: true, isStop: false }) ? [] : ["trading_state"];
  return limits.filter((limit) => !limit.ok).map((limit) => limit.name);
}

/** A snapshot is JSON, which has no word for what is not a number. */
const told = (value: number | null): number | null => (value !== null && Number.isFinite(value) ? value : null);

function snapshotOf(
  input: PlanInput,
  policy: Policy,
  decision: {
    sizing: Sizing;
    trigger: Trigger;
    limits: LimitCheck[];
    order: ProposedOrder;
    codes: string[];
    credibility: number | null;
  },
): { readonly [key: string]: Json } {
  const { bias, volatility, instrument, control, quote } = input;
  const { sizing, order } = decision;
  const body: { readonly [key: string]: Json } = {
    policy: { ...policy },
    policy_hash: policyHash(policy),
    git_sha: input.gitSha,
    at: input.at,
    mode: input.mode,
    venue: input.venue,
    control: { ...control },
    equity: { now: input.equity, day_start: input.dayStart, peak: input.peak },
    open_risk_usd: input.otherRiskUsd,
    other_gross_usd: input.otherGrossUsd,
    bias: {
      timeframe: policy.timeframe,
      at: bias.at,
      value: told(bias.value),
      confidence: told(bias.confidence),
      components: bias.components,
    },
    wallets: bias.contributions.map((c) => ({ ...c })),
    credibility: decision.credibility,
    analyses: input.analyses.map((analysis) => ({ ...analysis })),
    volatility: { ...volatility },
    quote: { ...quote, asked_at: input.quotedAt },
    instrument: { ...instrument },
    past: {
      earlier: [...input.earlier],
      last_order_at: input.lastOrderAt,
      opened_at: input.openedAt,
      taken: input.taken ?? ZERO,
    },
    sizing: { ...sizing },
    trigger: { ...decision.trigger },
    limits: decision.limits.map((limit) => ({ ...limit })),
    order: { ...order, signal: order.signal === null ? null : { ...order.signal } },
    verdict: decision.codes.length === 0 ? "approved" : "denied",
    codes: decision.codes,
  };
  return { ...body, hash: hashOf(body) };
}

/** Returns a plan as it is when something else than a limit stands in its way, by name, with `listing` as the venue told it. */
export function refused(plan: Decided, codes: readonly string[], listing: Json): Decided {
  const { hash: _, ...decided } = plan.policySnapshot;
  const body = { ...decided, listing, verdict: "denied", codes };
  return { ...plan, verdict: "denied", codes, policySnapshot: { ...body, hash: hashOf(body) } };
}

/**
 * Decides what to trade, from its arguments alone: `nothing` (with why, and nothing is stored), or an order that is
 * approved or denied with the snapshot that decided. A flip closes first; the opening is a later plan's. An instrument
 * with an order in flight is left alone.
 */
export function planOrder(input: PlanInput, policy: Policy = POLICY): Plan {
  if (input.inFlight > 0) return { verdict: "nothing", reason: "an order of this instrument is in flight" };
  if (big(input.quote.mark).lte(0)) return { verdict: "nothing", reason: `the venue's mark is ${input.quote.mark}` };
  const credibility = credibilityOf(input.bias.contributions);
  const stale = millis(input.at) - millis(input.bias.at) > policy.maxBiasAgeSeconds * 1000;
  const mustReduce = input.control.state !== "ACTIVE";
  const sizing = sizeOf(
    {
      bias: input.bias.value,
      confidence: input.bias.confidence,
      credibility,
      at: input.at,
      earlier: input.earlier,
      lastOrderAt: input.lastOrderAt,
      openedAt: input.openedAt,
      ...(input.taken === undefined ? {} : { taken: input.taken }),
      mustReduce,
      stale,
      price: input.quote.mark,
      touch: input.quote,
      atr: input.volatility.atr,
      dailyVolatility: input.volatility.daily,
      equity: input.equity,
      held: input.held,
      lanes: input.lanes,
      hourVolume: input.volatility.hourVolume,
      instrument: input.instrument,
    },
    policy,
  );
  if (big(sizing.trade).eq(0)) return { verdict: "nothing", reason: sizing.rest ?? `${sizing.phase} at target` };
  const order = proposedOrder(input, sizing, policy);
  const limits = limitsOf(input, sizing, policy);
  const codes = failures(order, limits, input.control);
  const trigger = triggerOf(sizing, { stale, mustReduce }, policy);
  const policySnapshot = snapshotOf(input, policy, { sizing, trigger, limits, order, codes, credibility });
  return { verdict: codes.length === 0 ? "approved" : "denied", codes, order, policySnapshot };
}
