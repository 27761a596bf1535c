import { type Big, big, type Decimal, fixed, floorTo, text, ZERO } from "#units/decimal";
import type { Instant } from "#units/time";
import type { Instrument } from "../instrument.ts";
import type { Quote, Side } from "../venue.ts";
import type { Policy } from "./policy.ts";
import { type LanePast, type Rest, restOf } from "./turnover.ts";

export interface SizingInput extends LanePast {
  readonly at: Instant;
  /** In (−1, 1), and its confidence in [0, 1]; null or NaN counts as no opinion. */
  readonly bias: number | null;
  readonly confidence: number | null;
  /** 0 to 10, of the wallets behind the bias; null when none is known. */
  readonly credibility: number | null;
  /** True when the bias is too old: then it says nothing. */
  readonly stale: boolean;
  /** True when the kill switch wants less risk: then what reduces is due at once. */
  readonly mustReduce: boolean;
  /** The mark. */
  readonly price: Decimal;
  /** The book's best prices; 0 on a side without an offer. */
  readonly touch: Pick<Quote, "bid" | "ask">;
  /** Hourly average true range in quote; null when unknown: then no position is opened. */
  readonly atr: Decimal | null;
  /** Daily standard deviation as a fraction; null as above. */
  readonly dailyVolatility: number | null;
  readonly equity: Decimal;
  /** Contracts held now, signed. */
  readonly held: Decimal;
  /**
   * Instruments that the desk trades. Each has an equal share of the limits that all have in common, so that plans made
   * at one instant never need to know of each other, whatever order they are made in.
   */
  readonly lanes: number;
  /** Volume of the newest complete hour, in contracts. */
  readonly hourVolume: Decimal;
  readonly instrument: Instrument;
}

/** Every step from a bias to a difference in contracts, as it is kept in the policy snapshot. */
export interface Sizing {
  readonly credibilityFactor: number;
  /** bias · confidence · credibilityFactor; 0 when stale or not a number. */
  readonly s: number;
  /** `enter` opens or adds, `hold` keeps without adding, `exit` goes flat. */
  readonly phase: "enter" | "hold" | "exit";
  /** Of the price, as a fraction; null when the volatility is unknown. */
  readonly stopDistance: Decimal | null;
  /** Contracts that each bound allows to hold, before the lot; empty when nothing is sized. */
  readonly bounds: Readonly<Record<string, Decimal>>;
  /** Contracts of a position at a signal of 1, by the same bounds; null when the volatility is unknown. */
  readonly full: Decimal | null;
  /** Contracts that the limits allow to hold, whatever the signal says and whatever is waited for. */
  readonly cap: Decimal;
  /** Contracts that one opening order may take. */
  readonly orderBounds: Readonly<Record<string, Decimal>>;
  /** Signed contracts: what should be held, what is, and what to trade now. */
  readonly target: Decimal;
  readonly held: Decimal;
  readonly trade: Decimal;
  /** True when the trade only reduces what is held. A flip reduces first; the opening is a later plan's. */
  readonly reduceOnly: boolean;
  /** Why the difference was left alone, or all of it but what is above the cap; null when it was not. */
  readonly rest: Rest | null;
}

/**
 * Returns bias · confidence · clamp((credibility − c₀)/(c₁ − c₀), 0, 1); 0, and not known, when it is stale, missing or not
 * a number.
 */
export function signalOf(
  input: Pick<SizingInput, "bias" | "confidence" | "credibility" | "stale">,
  policy: Pick<Policy, "credibilityFloor" | "credibilityFull">,
): { readonly s: number; readonly credibilityFactor: number; readonly isKnown: boolean } {
  const { bias, confidence, credibility } = input;
  const span = policy.credibilityFull - policy.credibilityFloor;
  const raw = credibility === null ? 0 : (credibility - policy.credibilityFloor) / span;
  const credibilityFactor = Number.isFinite(raw) ? Math.min(1, Math.max(0, raw)) : 0;
  const s = (bias ?? Number.NaN) * (confidence ?? Number.NaN) * credibilityFactor;
  const isKnown = !input.stale && credibility !== null && Number.isFinite(s);
  return { s: isKnown && s !== 0 ? s : 0, credibilityFactor, isKnown };
}

/** Returns `enter`, `hold` or `exit`: a band of hysteresis around what is held; a signal against it is an exit. */
function phaseOf(s: number, held: Big, policy: Policy): Sizing["phase"] {
  if (Math.abs(s) > policy.enter) return "enter";
  if (held.eq(0) || Math.abs(s) < policy.exit) return "exit";
  return Math.sign(s) === held.s ? "hold" : "exit";
}

/** Returns max(k · ATR / price, floor), rounded up to 12 digits; null when the ATR is unknown. */
function stopDistanceOf(input: SizingInput, policy: Policy): Big | null {
  if (input.atr === null || !Number.isFinite(input.dailyVolatility)) return null;
  const byRange = big(policy.atrMultiple).times(input.atr).div(input.price).round(12, 3);
  return byRange.gt(policy.stopFloor) ? byRange : big(policy.stopFloor);
}

/**
 * Returns the price of a coin that is bought or sold, as the caps in dollars count it: the mark, or the book's price on that side where
 * that is above the mark by more than an order may slip. An order fills at the book, and is worth the mark from then on.
 */
export function countedPrice(
  { bid, ask, mark }: Pick<Quote, "bid" | "ask" | "mark">,
  side: Side,
  { maxSlippageBps }: Pick<Policy, "maxSlippageBps">,
): Decimal {
  const touch = side === "buy" ? ask : bid;
  return big(touch).gt(big(mark).times(big(maxSlippageBps).div(10_000).plus(1))) ? touch : mark;
}

const countedBy = ({ touch, price: mark }: SizingInput, s: number, policy: Policy): Decimal =>
  countedPrice({ ...touch, mark }, s < 0 ? "sell" : "buy", policy);

/**
 * Returns the contracts that each limit of a position allows, none below zero, where one counts `price` against a cap in dollars; what
 * is lost at the stop goes by the mark, which triggers it. Without a stop distance: of its notional.
 */
function capsOf(input: SizingInput, price: Decimal, distance: Big | null, policy: Policy): Record<string, Big> {
  const { contractSize } = input.instrument;
  const [oneUsd, oneAtMark] = [big(price).times(contractSize), big(input.price).times(contractSize)];
  const equity = big(input.equity);
  const exitCost = big(policy.takerFeeBps).plus(policy.exitSlippageBps).div(10_000);
  const riskShare = big(policy.maxPortfolioRisk).div(input.lanes);
  const maxRisk = riskShare.lt(policy.maxTradeRisk) ? riskShare : big(policy.maxTradeRisk);
  return notNegative({
    ...(distance && { risk_with_costs: equity.times(maxRisk).div(distance.plus(exitCost).times(oneAtMark)) }),
    asset_notional: big(policy.maxAssetUsd).div(oneUsd),
    gross_notional: big(policy.maxGrossUsd).div(input.lanes).div(oneUsd),
    leverage: equity.times(policy.maxLeverage).div(input.lanes).div(oneUsd),
  });
}

/** Returns the contracts that each bound allows at a signal of `s`, none below zero. */
function boundsOf(input: SizingInput, s: number, distance: Big, policy: Policy): Record<string, Big> {
  const oneUsd = big(input.price).times(input.instrument.contractSize);
  const equity = big(input.equity);
  const daily = input.dailyVolatility ?? 0;
  const risk = equity.times(policy.riskPerTrade).times(text(Math.abs(s)));
  return notNegative({
    risk: risk.div(distance.times(oneUsd)),
    ...capsOf(input, countedBy(input, s, policy), distance, policy),
    ...(daily > 0 && { volatility: equity.times(policy.dailyVolatilityTarget).div(oneUsd.times(text(daily))) }),
  });
}

const notNegative = (contracts: Readonly<Record<string, Big>>): Record<string, Big> =>
  Object.fromEntries(Object.entries(contracts).map(([name, value]) => [name, value.lt(0) ? big(0) : value]));

/** Returns the largest size that can be held under a bound: whole lots, or nothing where the venue takes no order so small. */
function lotsOf(contracts: Big, { lotSize, minSize }: Instrument): Big {
  const lots = floorTo(contracts, lotSize);
  return lots.lt(minSize) ? big(0) : lots;
}

/** Returns the signed contracts to hold, and the bounds that led there. */
function targetOf(input: SizingInput, s: number, phase: Sizing["phase"], distance: Big | null, policy: Policy) {
  const held = big(input.held);
  if (phase === "exit") return { target: big(0), bounds: {} };
  // Without a volatility no stop can be set: nothing is opened, and what is held stays under its own stop.
  if (distance === null) return { target: Math.sign(s) === held.s ? held : big(0), bounds: {} };
  const bounds = boundsOf(input, s, distance, policy);
  const allowed = least(bounds);
  const capped = phase === "hold" && allowed.gt(held.abs()) ? held.abs() : allowed;
  const size = lotsOf(capped, input.instrument);
  return { target: s < 0 ? size.neg() : size, bounds };
}

/**
 * Returns the target as the ladder leaves it: what take-profits have closed of a position is not bought back while it lasts.
 * A stronger signal adds what it wants beyond that.
 */
function afterLegs(held: Big, target: Big, taken: Decimal): Big {
  if (held.eq(0) || target.s !== held.s || target.abs().lte(held.abs())) return target;
  const left = target.abs().minus(taken);
  return left.gt(held.abs()) ? left.times(held.s) : held;
}

/** Returns what to hold now: a flip goes flat first, what can wait stays as it is, and nothing stays above the cap. */
function goalOf(held: Big, target: Big, cap: Big, rest: Rest | null): Big {
  const isFlip = !held.eq(0) && !target.eq(0) && held.s !== target.s;
  const due = isFlip ? big(0) : target;
  const kept = rest === null ? due : held;
  if (kept.abs().lte(cap)) return kept;
  return due.eq(0) || due.abs().gt(cap) ? cap.times(held.s) : due;
}

/** Returns what to trade to get from `held` to `goal`: the difference, or nothing and why. */
function tradeOf(held: Big, goal: Big, most: Big, { instrument }: SizingInput) {
  const nothing = { trade: big(0), reduceOnly: false, isTooSmall: false };
  const difference = goal.minus(held);
  if (difference.eq(0)) return nothing;
  const reduceOnly = !held.eq(0) && goal.abs().lt(held.abs());
  // Going flat trades all that is held, whatever the lot; anything else is a whole number of lots.
  const capped = !reduceOnly && difference.abs().gt(most) ? most.times(difference.s) : difference;
  const size = goal.eq(0) ? capped : floorTo(capped, instrument.lotSize);
  if (size.abs().lt(instrument.minSize) && !goal.eq(0)) return { ...nothing, isTooSmall: true };
  return { trade: size, reduceOnly, isTooSmall: false };
}

/** Returns what one opening order may take. A thin hour stops buying more; it is no reason to sell what is held. */
function orderBoundsOf(input: SizingInput, s: number, policy: Policy): Record<string, Big> {
  return {
    order_notional: big(policy.maxOrderUsd).div(big(countedBy(input, s, policy)).times(input.instrument.contractSize)),
    liquidity: big(input.hourVolume).times(policy.maxVolumeShare),
  };
}

const least = (bounds: Readonly<Record<string, Big>>): Big => Object.values(bounds).reduce((a, b) => (a.lt(b) ? a : b));
const asText = (bounds: Readonly<Record<string, Big>>): Record<string, Decimal> =>
  Object.fromEntries(Object.entries(bounds).map(([name, value]) => [name, text(fixed(value, 18))]));

/**
 * Returns each step from the bias to the contracts to trade. The target is
 * floor to lot(min(equity · r · |s| / (d · price · contract size), bounds)) with the sign of s; between `exit` and
 * `enter` a held position is kept and never grown. Monotone in |s|, zero when stale, missing or not a number. What is
 * traded is the difference, where `restOf` does not leave it alone, and in any case what is held above the cap.
 * @throws Error when price or equity is no decimal, or the price is 0.
 */
export function sizeOf(input: SizingInput, policy: Policy): Sizing {
  const { s, credibilityFactor, isKnown } = signalOf(input, policy);
  const { at, earlier, lastOrderAt, openedAt, instrument } = input;
  const held = big(input.held);
  const phase = phaseOf(s, held, policy);
  const distance = stopDistanceOf(input, policy);
  const { target: wanted, bounds } = targetOf(input, s, phase, distance, policy);
  const target = afterLegs(held, wanted, input.taken ?? ZERO);
  // What is held is worth its mark, whatever the book asks: only what is added counts the larger of the two.
  const cap = lotsOf(least(capsOf(input, input.price, distance, policy)), instrument);
  const full = distance === null ? null : least(boundsOf(input, s < 0 ? -1 : 1, distance, policy));
  const isUrgent = !isKnown || input.mustReduce;
  const step = { at, earlier, lastOrderAt, openedAt, s, held, target, full, isExit: phase === "exit", isUrgent };
  const rest = target.eq(held) ? null : restOf(step, policy);
  const orderBounds = orderBoundsOf(input, s, policy);
  const goal = goalOf(held, target, cap, rest);
  const { trade, reduceOnly, isTooSmall } = tradeOf(held, goal, least(orderBounds), input);
  return {
    credibilityFactor,
    s,
    phase,
    stopDistance: distance === null ? null : text(distance),
    bounds: asText(bounds),
    full: full === null ? null : text(fixed(full, 18)),
    cap: text(cap),
    orderBounds: asText(orderBounds),
    target: text(target),
    held: text(held),
    trade: text(trade),
    reduceOnly,
    rest: isTooSmall ? "below_minimum" : rest,
  };
}
