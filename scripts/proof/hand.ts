/** A change of one place that a reader would pass over and that the tests must not. */
export interface HandMutant {
  readonly file: string;
  /** What it makes of the desk. */
  readonly says: string;
  /** The text that is there, once, and what stands in its place. */
  readonly from: string;
  readonly to: string;
}

const of = (file: string, list: readonly (readonly [says: string, from: string, to: string])[]): HandMutant[] =>
  list.map(([says, from, to]) => ({ file, says, from, to }));

const LIMITS = of("packages/trading/plans/limits.ts", [
  ["a fall is no fall", "return fall.gt(0) ? share", "return fall.lt(0) ? share"],
  ["a share of no equity is within every limit", 'ZERO : decimalOf("1");', "ZERO : ZERO;"],
  ["ages in milliseconds", "(millis(to) - millis(from)) / 1000", "millis(to) - millis(from)"],
  ["what reaches its limit is denied", "ok: headroom.gte(0)", "ok: headroom.gt(0)"],
  ["what is beyond its limit passes", "ok: headroom.gte(0)", "ok: headroom.gte(-1)"],
  ["a fall that reaches its limit passes", "ok: big(check.headroom).gt(0)", "ok: big(check.headroom).gte(0)"],
  ["a kill switch that denies nothing", "CONTROL_STATES.indexOf(input.control.state)", "0"],
  ["REDUCING is ACTIVE", '"trading_state", 0,', '"trading_state", 1,'],
  ["an order as large as an asset", "policy.maxOrderUsd, input.orderUsd", "policy.maxAssetUsd, input.orderUsd"],
  ["an asset as large as all", "policy.maxAssetUsd, input.assetUsd", "policy.maxGrossUsd, input.assetUsd"],
  ["other assets do not count", "policy.maxGrossUsd, input.grossUsd", "policy.maxGrossUsd, input.assetUsd"],
  [
    "the venue's leverage does not bind",
    '"leverage", leverageCap(input.instrument, policy)',
    '"leverage", policy.maxLeverage',
  ],
  [
    "the larger leverage binds",
    "big(instrument.maxLeverage).lt(policy.maxLeverage)",
    "big(instrument.maxLeverage).gt(policy.maxLeverage)",
  ],
  ["leverage of the asset alone", "share(input.grossUsd, equity)", "share(input.assetUsd, equity)"],
  ["one trade may risk what all may", '"trade_risk", policy.maxTradeRisk', '"trade_risk", policy.maxPortfolioRisk'],
  ["other positions risk nothing", "big(input.tradeRiskUsd).plus(input.otherRiskUsd)", "big(input.tradeRiskUsd)"],
  ["a day's loss from the peak", "fallOf(input.dayStart, equity)", "fallOf(input.peak, equity)"],
  ["a drawdown of the day", "fallOf(input.peak, equity)", "fallOf(input.dayStart, equity)"],
  ["a stop too many", 'below("stops_in_24h"', 'atMost("stops_in_24h"'],
  ["no cooldown", "Math.max(0, policy.cooldownSeconds - idle)", "Math.min(0, policy.cooldownSeconds - idle)"],
  ["an asset that was never held cools down", "=== null ? policy.cooldownSeconds :", "=== null ? 0 :"],
  ["an order a minute too many", 'below("orders_a_minute"', 'atMost("orders_a_minute"'],
  ["a bias of any age", "seconds(input.biasAt, input.at)", "0"],
  ["a quote of any age", "policy.maxQuoteAgeSeconds, old", "policy.maxQuoteAgeSeconds, 0"],
  ["a wide spread is none", "policy.maxSlippageBps, halfSpreadBps(quote)", "policy.maxSlippageBps, crossedBps(quote)"],
  ["a spread ten times too small", ".times(10_000).div(sum)", ".times(1_000).div(sum)"],
  ["crossed by nothing", "half.lt(0) ? text", "half.gt(0) ? text"],
  ["a side without an offer has a price", "big(side).lte(0)", "big(side).lt(0)"],
  ["all of an hour's volume", "text(big(input.hourVolume).times(policy.maxVolumeShare))", "input.hourVolume"],
  [
    "REDUCING opens",
    'if (control.state === "REDUCING") return order.reduceOnly;',
    'if (control.state === "REDUCING") return true;',
  ],
  ["HALTED closes", "return order.isStop && order.reduceOnly;", "return order.isStop || order.reduceOnly;"],
]);

const SIZING = of("packages/trading/plans/sizing.ts", [
  ["a stale bias is news", "const isKnown = !input.stale &&", "const isKnown ="],
  ["no wallet's word is a word", "credibility !== null && Number.isFinite(s)", "Number.isFinite(s)"],
  ["credibility counts beyond full", "Math.min(1, Math.max(0, raw))", "Math.max(0, raw)"],
  ["discredited wallets turn the signal", "Math.min(1, Math.max(0, raw))", "Math.min(1, raw)"],
  ["confidence does not count", "(bias ?? Number.NaN) * (confidence ?? Number.NaN)", "(bias ?? Number.NaN)"],
  ["what is at the entry enters", "if (Math.abs(s) > policy.enter)", "if (Math.abs(s) >= policy.enter)"],
  ["what is at the exit exits", "Math.abs(s) < policy.exit) return", "Math.abs(s) <= policy.exit) return"],
  ["a signal against it keeps a position", 'Math.sign(s) === held.s ? "hold" : "exit"', '"hold"'],
  ["a stop nearer than its floor", "byRange.gt(policy.stopFloor)", "byRange.lt(policy.stopFloor)"],
  ["the stop's distance rounded down", ".round(12, 3)", ".round(12, 0)"],
  [
    "the way out costs nothing",
    "equity.times(maxRisk).div(distance.plus(exitCost)",
    "equity.times(maxRisk).div(distance.plus(0)",
  ],
  ["a lane may risk what all may", "big(policy.maxPortfolioRisk).div(input.lanes)", "big(policy.maxPortfolioRisk)"],
  ["the larger risk binds", "riskShare.lt(policy.maxTradeRisk)", "riskShare.gt(policy.maxTradeRisk)"],
  [
    "an asset without a cap",
    "asset_notional: big(policy.maxAssetUsd).div(oneUsd)",
    "asset_notional: big(policy.maxGrossUsd).div(oneUsd)",
  ],
  [
    "a lane's gross is all lanes'",
    "big(policy.maxGrossUsd).div(input.lanes).div(oneUsd)",
    "big(policy.maxGrossUsd).div(oneUsd)",
  ],
  [
    "a lane's leverage is all lanes'",
    "equity.times(policy.maxLeverage).div(input.lanes)",
    "equity.times(policy.maxLeverage)",
  ],
  ["a weak signal as large as a strong one", ".times(text(Math.abs(s)))", ".times(1)"],
  ["volatility does not bind", "daily > 0 && { volatility", "daily < 0 && { volatility"],
  ["a loss beyond all makes a size", "value.lt(0) ? big(0) : value", "value"],
  ["less than the venue takes is held", "lots.lt(minSize) ? big(0) : lots", "lots"],
  ["between exit and entry a position grows", 'phase === "hold" && allowed.gt(held.abs())', "allowed.lt(0)"],
  ["a short is a long", "target: s < 0 ? size.neg() : size", "target: size"],
  [
    "without a volatility what is held is sold",
    "target: Math.sign(s) === held.s ? held : big(0), bounds",
    "target: big(0), bounds",
  ],
  ["a flip in one order", "const due = isFlip ? big(0) : target;", "const due = target;"],
  ["a cap can wait", "if (kept.abs().lte(cap)) return kept;", "if (rest !== null || kept.abs().lte(cap)) return kept;"],
  ["cut beyond the cap", "due.eq(0) || due.abs().gt(cap) ? cap", "due.abs().gt(cap) ? cap"],
  ["a short above its cap is bought into", "cap.times(held.s) : due", "cap : due"],
  ["an order of any size", "!reduceOnly && difference.abs().gt(most)", "reduceOnly && difference.abs().gt(most)"],
  ["what closes is cut to the hour's volume", "!reduceOnly && difference.abs().gt(most)", "difference.abs().gt(most)"],
  ["a trade that closes opens", "goal.abs().lt(held.abs());", "goal.abs().gt(held.abs());"],
  ["part of a lot stays", "goal.eq(0) ? capped : floorTo", "goal.gt(0) ? capped : floorTo"],
  ["less than the venue takes is sent", "size.abs().lt(instrument.minSize) && !goal.eq(0)", "size.abs().lt(0)"],
  ["the loosest bound sets the size", "(a.lt(b) ? a : b)", "(a.gt(b) ? a : b)"],
  ["what reduces waits for the bands", "!isKnown || input.mustReduce", "!isKnown"],
  ["a stale signal waits for its second look", "!isKnown || input.mustReduce", "input.mustReduce"],
]);

const TURNOVER = of("packages/trading/plans/turnover.ts", [
  ["any share is opened", 'policy.openShare) ? null : "open_share"', "policy.openShare) ? null : null"],
  ["a flip is a cut", "isExit || (!target.eq(0) && target.s !== held.s)", "isExit"],
  ["growth by shrink's rules", "target.abs().gt(held.abs()) ? growRest", "target.abs().lt(held.abs()) ? growRest"],
  ["a share of a full position is not asked", "contracts.abs().gte(full.times(share))", "contracts.abs().gte(0)"],
  ["any part is added", "contracts.abs().gte(held.abs().times(part))", "contracts.abs().gte(0)"],
  ["either share is enough to add", "policy.growBand) || !isShare", "policy.growBand) && !isShare"],
  ["either share is enough to cut", "policy.shrinkBand) || !isShare", "policy.shrinkBand) && !isShare"],
  ["a cut waits though risk must fall", "if (step.isUrgent) return null;", ""],
  ["a close waits though risk must fall", "if (isUrgent) return null;", ""],
  ["a young position is closed", 'if (isWithin(openedAt, at, policy.minHoldSeconds)) return "min_hold";', ""],
  ["a quarter of an hour is not over when it is", "seconds * 1000;", "seconds * 1000 + 1;"],
  ["one weak look is enough", "policy.closeLooks - 1);", "policy.closeLooks - 2);"],
  ["one of the looks is enough", "before.every(isWeak)", "before.some(isWeak)"],
  ["no look before is a weak look", "before.length === policy.closeLooks - 1 && before", "before"],
  ["at the exit is below it", "Math.abs(signal) < policy.exit", "Math.abs(signal) <= policy.exit"],
  ["a signal against it waits too", "if (!isWeak(s)) return null;", ""],
]);

/** Those that the tests of a room have been seen to miss, and their like. */
export const HAND_MUTANTS: readonly HandMutant[] = [...LIMITS, ...SIZING, ...TURNOVER];

/** Returns a file's text with the change made. @throws Error where what it changes is not there once */
export function mutated({ file, from, to }: HandMutant, source: string): string {
  const parts = source.split(from);
  if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times, not once: ${from}`);
  return parts.join(to);
}
