import { type Decimal, decimalOf } from "#units/decimal";
import type { Horizon } from "#units/time";
import type { TradingMode } from "../mode.ts";

/** Every constant that a decision depends on. It is stored whole in each policy snapshot. */
export interface Policy {
  readonly version: string;
  /** The bias that is traded. */
  readonly timeframe: Horizon;
  /** Credibility (0 to 10) that counts nothing, and that counts in full. 5 = nothing known. */
  readonly credibilityFloor: number;
  readonly credibilityFull: number;
  /** |s| above which a position is opened, and below which it is closed. */
  readonly enter: number;
  readonly exit: number;
  /** Fraction of equity that is lost at the stop when |s| = 1. */
  readonly riskPerTrade: Decimal;
  /** The stop is `atrMultiple` hourly ATR away, at least `stopFloor` of the price. */
  readonly atrMultiple: Decimal;
  readonly stopFloor: Decimal;
  readonly atrHours: number;
  readonly minAtrHours: number;
  /** A position may move equity by this fraction on a day of one standard deviation. */
  readonly dailyVolatilityTarget: Decimal;
  /** A held position is left alone unless the target differs by this fraction of itself. */
  readonly deadBand: Decimal;
  readonly maxOrderUsd: Decimal;
  readonly maxAssetUsd: Decimal;
  readonly maxGrossUsd: Decimal;
  readonly maxLeverage: Decimal;
  readonly maxTradeRisk: Decimal;
  readonly maxPortfolioRisk: Decimal;
  readonly maxDailyLoss: Decimal;
  readonly maxDrawdown: Decimal;
  /** This many stops within 24 h stop new positions. */
  readonly maxStopsPerDay: number;
  readonly cooldownSeconds: number;
  readonly maxOrdersPerMinute: number;
  readonly maxBiasAgeSeconds: number;
  readonly maxQuoteAgeSeconds: number;
  /** Half the spread, and the distance of an IOC limit from the touch. */
  readonly maxSlippageBps: Decimal;
  /** An order takes at most this fraction of the last hour's volume. */
  readonly maxVolumeShare: Decimal;
  readonly takerFeeBps: Decimal;
  /** Assumed on the way out, when risk is reckoned. */
  readonly exitSlippageBps: Decimal;
}

/** The defaults. Source: the desk's risk limits; fees are OKX's regular-user taker fee for swaps. */
export const POLICY: Policy = {
  version: "1",
  timeframe: "4h",
  credibilityFloor: 5,
  credibilityFull: 8,
  enter: 0.25,
  exit: 0.1,
  riskPerTrade: decimalOf("0.005"),
  atrMultiple: decimalOf("2"),
  stopFloor: decimalOf("0.005"),
  atrHours: 14,
  minAtrHours: 4,
  dailyVolatilityTarget: decimalOf("0.01"),
  deadBand: decimalOf("0.2"),
  maxOrderUsd: decimalOf("25000"),
  maxAssetUsd: decimalOf("50000"),
  maxGrossUsd: decimalOf("100000"),
  maxLeverage: decimalOf("2"),
  maxTradeRisk: decimalOf("0.005"),
  maxPortfolioRisk: decimalOf("0.03"),
  maxDailyLoss: decimalOf("0.02"),
  maxDrawdown: decimalOf("0.08"),
  maxStopsPerDay: 3,
  cooldownSeconds: 900,
  maxOrdersPerMinute: 6,
  maxBiasAgeSeconds: 600,
  maxQuoteAgeSeconds: 120,
  maxSlippageBps: decimalOf("20"),
  maxVolumeShare: decimalOf("0.01"),
  takerFeeBps: decimalOf("5"),
  exitSlippageBps: decimalOf("10"),
};

/**
 * For generated input only. Six hours of it say something about the next hour and nothing about the next four, so it trades
 * the 1h bias and enters sooner; every other limit is as above.
 */
const PRACTICE: Policy = { ...POLICY, version: "1-practice", timeframe: "1h", enter: 0.12, exit: 0.04 };

/** Returns the policy that a desk trades by: bolder where the market is made up and no money can be. */
export const policyOf = (desk: { readonly generated: boolean; readonly mode: TradingMode }): Policy =>
  desk.generated && desk.mode === "demo" ? PRACTICE : POLICY;
