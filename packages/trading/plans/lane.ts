import type { Candle } from "#units/candle";
import { big, type Decimal, text, ZERO } from "#units/decimal";
import { type Instant, instant, millis } from "#units/time";
import type { Account } from "../account.ts";
import { decisive } from "../control.ts";
import type { Instrument } from "../instrument.ts";
import type { Intent } from "../orders/client-order-id.ts";
import type { NewOrder, StoredOrder } from "../orders/stored-order.ts";
import { isStale } from "../positions/comparison.ts";
import type { EquityState } from "../positions/equity-state.ts";
import type { OpenPosition } from "../positions/position-row.ts";
import type { Quote } from "../venue.ts";
import type { Control } from "./limits.ts";
import { credibilityOf, type Decided, type PlanInput, type PlannedBias } from "./plan.ts";
import type { Policy } from "./policy.ts";
import { signalOf } from "./sizing.ts";
import type { LanePast } from "./turnover.ts";
import { volatilityOf } from "./volatility.ts";

/** One instrument to plan for, and what the plan needs to know of its desk. */
export interface Lane extends Account {
  readonly at: Instant;
  readonly by: string;
  readonly asset: string;
  readonly instrument: string;
  readonly barSeconds: number;
  /** Instruments that share the desk's limits. */
  readonly lanes: number;
  readonly gitSha: string;
}

/** What a decision needs of the books, as they were just before it: what other lanes do at that instant never shows. */
export interface LaneFacts {
  readonly control: Control;
  /** Closed bars from `candlesFrom` on, ascending. */
  readonly candles: readonly Candle[];
  /** Orders of this instrument that are on their way or at the venue. */
  readonly inFlight: number;
  readonly analyses: PlanInput["analyses"];
  /** Every open position of the account. */
  readonly positions: readonly Pick<OpenPosition, "instrument" | "riskConsumed" | "openedAt">[];
  /** Orders in flight: what their risk reserves until they are filled. */
  readonly reserved: readonly Pick<StoredOrder, "riskUsd" | "size" | "filledSize">[];
  /** Notional of other instruments' positions, absolute, in USD. */
  readonly otherGrossUsd: Decimal;
  /** Of the whole mode. */
  readonly ordersLastMinute: number;
  readonly stopsLastDay: number;
  /** When the asset's last position was closed. */
  readonly lastClosedAt: Instant | null;
  /** The newest biases of the asset before the one that is planned by, the newest first. */
  readonly earlier: readonly PlannedBias[];
  /** When the newest order of the instrument was decided that was not denied; null = never. */
  readonly lastOrderAt: Instant | null;
  /** The instrument's newest order, where it was denied: that verdict stands. Its limits as they are stored. */
  readonly standing: Pick<StoredOrder, "side" | "reduceOnly" | "errorMessage"> | null;
  /** When the venue last closed some of the instrument by itself. */
  readonly forcedAt: Instant | null;
  /** Whether someone else opened some of the open position. */
  readonly isShared: boolean;
  /** The newest run before it that compared this instrument with the venue; null = none did. */
  readonly comparedAt: Instant | null;
}

/** All that a plan is made from. */
export interface LaneState {
  readonly bias: PlannedBias;
  /** Signed contracts. */
  readonly held: Decimal;
  readonly instrument: Instrument;
  readonly equity: Pick<EquityState, "equity" | "dayStart" | "peak">;
  readonly quote: Quote;
  /** The venue's clock when it gave the quote. */
  readonly quotedAt: Instant;
  readonly facts: LaneFacts;
  /** Contracts of the open position that take-profits have closed; absent = none. */
  readonly taken?: Decimal;
}

const HOUR_MS = 3_600_000;

/** Returns from when on a plan at `at` needs bars: the hours of its ATR, the close before them, and the hour it is in. */
export const candlesFrom = (at: Instant, { atrHours }: Pick<Policy, "atrHours">): Instant =>
  instant(millis(at) - (atrHours + 2) * HOUR_MS);

/** Returns the intent of what a bias asks of a lane: one bias gives at most one order. */
export const planIntent = (lane: Lane, biasAt: Instant, { timeframe }: Pick<Policy, "timeframe">): Intent => ({
  ...{ venue: lane.venue, mode: lane.mode, instrument: lane.instrument },
  ...{ timeframe, biasAt, leg: "plan" },
});

/** Returns the signal of a bias, as it was when the bias was new. */
function signalThen({ value, confidence, contributions }: PlannedBias, policy: Policy): number {
  const credibility = credibilityOf(contributions);
  return signalOf({ bias: value, confidence, credibility, stale: false }, policy).s;
}

/** Returns whether there is nothing to decide: nothing is held, and the signal is too weak to enter. */
export const isIdle = (bias: PlannedBias, held: Decimal, policy: Policy): boolean =>
  big(held).eq(0) && Math.abs(signalThen(bias, policy)) <= policy.enter;

/** Returns the loss at the stops of other positions plus what orders in flight have reserved, in USD to 8 places. */
function otherRiskUsd({ instrument, equity, facts }: LaneState): Decimal {
  const held = facts.positions.filter((position) => position.instrument !== instrument.id);
  const open = held.reduce((sum, position) => sum.plus(big(position.riskConsumed).times(equity.equity)), big(0));
  const risk = facts.reserved.reduce(
    (sum, order) => sum.plus(big(order.riskUsd).times(big(order.size).minus(order.filledSize)).div(order.size)),
    open,
  );
  return text(risk.round(8));
}

/** Returns what a plan looks back at. */
function pastOf({ held, instrument, facts, taken = ZERO }: LaneState, policy: Policy): LanePast {
  const position = facts.positions.find((open) => open.instrument === instrument.id);
  return {
    earlier: facts.earlier.map((earlier) => signalThen(earlier, policy)),
    lastOrderAt: facts.lastOrderAt,
    taken,
    openedAt: big(held).eq(0) ? null : (position?.openedAt ?? null),
  };
}

/** Returns what a plan is decided from. */
export function planInputOf(lane: Lane, state: LaneState, policy: Policy): PlanInput {
  const { at, mode, venue, gitSha, asset, lanes } = lane;
  const { bias, held, instrument, equity, quote, quotedAt, facts } = state;
  const { control, candles, inFlight, analyses, otherGrossUsd, ordersLastMinute, stopsLastDay, lastClosedAt } = facts;
  return {
    ...{ at, mode, venue, gitSha, asset, lanes },
    ...{ bias, held, instrument, quote, quotedAt, inFlight, analyses, otherGrossUsd },
    ...{ ordersLastMinute, stopsLastDay, lastClosedAt },
    ...pastOf(state, policy),
    equity: equity.equity,
    dayStart: equity.dayStart,
    peak: equity.peak,
    control: decisive(control),
    volatility: volatilityOf(candles, at, policy),
    otherRiskUsd: otherRiskUsd(state),
  };
}

/** Returns the order of a plan as it is to be written, in the kill switch's epoch that it was decided in. */
export function plannedOrder(
  lane: Lane,
  { bias, facts }: Pick<LaneState, "bias" | "facts">,
  { order, verdict, codes, policySnapshot }: Decided,
  { timeframe }: Pick<Policy, "timeframe">,
): NewOrder {
  const { at, by, mode, venue, asset, instrument } = lane;
  const { epoch } = facts.control;
  const whence = { mode, venue, asset, instrument, timeframe, biasAt: bias.at, epoch, at, by };
  return { ...whence, order, verdict, codes, policySnapshot };
}

/**
 * Returns whether a lane was told of this denial before: the same limits stand in the way of the same trade, and did so at
 * the bias before, which wanted one too. Such a denial is not written again.
 */
export function isTold(plan: Decided, { held, facts }: LaneState, policy: Policy): boolean {
  const { standing, earlier } = facts;
  const [before] = earlier;
  if (plan.verdict !== "denied" || standing === null || before === undefined) return false;
  const { order, codes } = plan;
  const isSame = standing.side === order.side && standing.reduceOnly === order.reduceOnly;
  return isSame && standing.errorMessage === codes.join(", ") && !isIdle(before, held, policy);
}

/** Returns why nothing may be opened or added in a lane, whatever its signal and limits say; null when it may. */
export function openingFault(
  { comparedAt, forcedAt, isShared }: LaneFacts,
  at: Instant,
  { maxComparedAgeSeconds, forcedPauseSeconds }: Pick<Policy, "maxComparedAgeSeconds" | "forcedPauseSeconds">,
): string | null {
  if (isStale(comparedAt, at, maxComparedAgeSeconds))
    return `books and venue were not compared for ${maxComparedAgeSeconds} s`;
  if (forcedAt !== null && millis(at) - millis(forcedAt) < forcedPauseSeconds * 1000)
    return `the venue closed some of it by itself within ${forcedPauseSeconds} s`;
  return isShared ? "some of the position is not the desk's: nothing is added to it" : null;
}
