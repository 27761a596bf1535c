import * as z from "zod";
import { big, type Decimal, decimalOf, fixed, text, ZERO } from "#units/decimal";
import { type Instant, millis } from "#units/time";
import { isCrossed } from "../crossed.ts";
import type { Instrument } from "../instrument.ts";
import { quoteAge } from "../quote-age.ts";
import type { Quote } from "../venue.ts";
import type { Policy } from "./policy.ts";

/** The states of the kill switch, from the loosest to the tightest. */
export const CONTROL_STATES = ["ACTIVE", "REDUCING", "HALTED"] as const;
export const ControlState = z.enum(CONTROL_STATES);
export type ControlState = z.infer<typeof ControlState>;

/** The kill switch as stored. Any change raises `epoch`. */
export interface Control {
  readonly state: ControlState;
  readonly epoch: number;
}

/** One limit as it stood: how much was allowed, used and left. A used share above the limit is not ok. */
export interface LimitCheck {
  readonly name: string;
  readonly limit: Decimal;
  readonly used: Decimal;
  readonly headroom: Decimal;
  readonly ok: boolean;
}

export interface LimitInput {
  readonly at: Instant;
  readonly control: Control;
  /** USDT; `dayStart` and `peak` fall back to `equity` where nothing was recorded. */
  readonly equity: Decimal;
  readonly dayStart: Decimal;
  readonly peak: Decimal;
  /** Notional in USD after the trade: of the order, of the asset, and of all assets. */
  readonly orderUsd: Decimal;
  readonly assetUsd: Decimal;
  readonly grossUsd: Decimal;
  /** Loss at the stop with exit costs, in USD: of the position after the trade, and of everything else. */
  readonly tradeRiskUsd: Decimal;
  readonly otherRiskUsd: Decimal;
  readonly stopsLastDay: number;
  /** When a position in the asset was last closed; null = never. */
  readonly lastClosedAt: Instant | null;
  readonly ordersLastMinute: number;
  readonly biasAt: Instant;
  readonly quote: Quote;
  /** The venue's clock when it gave the quote. */
  readonly quotedAt: Instant;
  /** Contracts of the order, and the volume of the newest complete hour. */
  readonly contracts: Decimal;
  readonly hourVolume: Decimal;
  readonly instrument: Instrument;
}

const RATIO_PLACES = 8;

/** Returns a / b to 8 places; 1 when b is not above 0, so that a share of nothing is never within a limit. */
const share = (a: Decimal, b: Decimal): Decimal =>
  big(b).gt(0) ? text(fixed(big(a).div(b), RATIO_PLACES)) : big(a).eq(0) ? ZERO : decimalOf("1");

/** Returns the fall from `from` to `to` as a fraction of `from`, never below 0. */
export const fallOf = (from: Decimal, to: Decimal): Decimal => {
  const fall = big(from).minus(to);
  return fall.gt(0) ? share(text(fall), from) : ZERO;
};

/** Returns half the spread in basis points of the middle; 0 where there is no middle, which is another limit's to mind. */
const halfSpreadBps = (quote: Pick<Quote, "bid" | "ask">): Decimal => {
  const sum = big(quote.bid).plus(quote.ask);
  if (sum.lte(0)) return ZERO;
  return text(fixed(big(quote.ask).minus(quote.bid).times(10_000).div(sum), RATIO_PLACES));
};

/** Returns how far the bid is above the ask, in basis points of the middle; 0 where it is not. */
const crossedBps = (quote: Pick<Quote, "bid" | "ask">): Decimal => {
  const half = big(halfSpreadBps(quote));
  return half.lt(0) ? text(half.times(-2)) : ZERO;
};

const seconds = (from: Instant, to: Instant): number => (millis(to) - millis(from)) / 1000;

function atMost(name: string, limit: Decimal | number, used: Decimal | number): LimitCheck {
  const headroom = big(limit).minus(used);
  return { name, limit: text(limit), used: text(used), headroom: text(headroom), ok: headroom.gte(0) };
}

/** A fall that has reached its limit is a breach: strictly below. */
function below(name: string, limit: Decimal | number, used: Decimal | number): LimitCheck {
  const check = atMost(name, limit, used);
  return { ...check, ok: big(check.headroom).gt(0) };
}

/**
 * Returns every limit for an order that opens or adds, in a fixed order, whether it holds or not. `trading_state` counts 0
 * ACTIVE, 1 REDUCING, 2 HALTED. Money in USD, shares as fractions, ages in seconds. A crossed quote has no spread, or a negative one,
 * which no other limit would mind; a side of the book without an offer has no price. A quote is as old, or as far in the future, as
 * the venue's clock says.
 */
export function checkLimits(input: LimitInput, policy: Policy): LimitCheck[] {
  const { equity, quote } = input;
  const { old, ahead } = quoteAge(quote, input.quotedAt);
  const idle = input.lastClosedAt === null ? policy.cooldownSeconds : seconds(input.lastClosedAt, input.at);
  return [
    atMost("trading_state", 0, CONTROL_STATES.indexOf(input.control.state)),
    atMost("order_notional_usd", policy.maxOrderUsd, input.orderUsd),
    atMost("asset_notional_usd", policy.maxAssetUsd, input.assetUsd),
    atMost("gross_notional_usd", policy.maxGrossUsd, input.grossUsd),
    atMost("leverage", leverageCap(input.instrument, policy), share(input.grossUsd, equity)),
    atMost("trade_risk", policy.maxTradeRisk, share(input.tradeRiskUsd, equity)),
    atMost(
      "portfolio_risk",
      policy.maxPortfolioRisk,
      share(text(big(input.tradeRiskUsd).plus(input.otherRiskUsd)), equity),
    ),
    below("daily_loss", policy.maxDailyLoss, fallOf(input.dayStart, equity)),
    below("drawdown", policy.maxDrawdown, fallOf(input.peak, equity)),
    below("stops_in_24h", policy.maxStopsPerDay, input.stopsLastDay),
    atMost("cooldown_seconds", 0, Math.max(0, policy.cooldownSeconds - idle)),
    below("orders_a_minute", policy.maxOrdersPerMinute, input.ordersLastMinute),
    atMost("bias_age_seconds", policy.maxBiasAgeSeconds, seconds(input.biasAt, input.at)),
    atMost("quote_age_seconds", policy.maxQuoteAgeSeconds, old),
    atMost("quote_ahead_seconds", policy.maxQuoteAheadSeconds, ahead),
    atMost("slippage_bps", policy.maxSlippageBps, halfSpreadBps(quote)),
    atMost("prices_missing", 0, [quote.bid, quote.ask].filter((side) => big(side).lte(0)).length),
    { ...atMost("crossed_bps", 0, crossedBps(quote)), ok: !isCrossed(quote) },
    atMost("liquidity_contracts", text(big(input.hourVolume).times(policy.maxVolumeShare)), input.contracts),
  ];
}

const leverageCap = (instrument: Instrument, policy: Policy): Decimal =>
  big(instrument.maxLeverage).lt(policy.maxLeverage) ? instrument.maxLeverage : policy.maxLeverage;

/**
 * Returns whether the kill switch lets an order out: everything when ACTIVE, reduce-only when REDUCING, and when HALTED
 * only the desk's own protective stop, which takes the place of the venue's and so stays.
 */
export function mayLeave(control: Control, order: { readonly reduceOnly: boolean; readonly isStop: boolean }): boolean {
  if (control.state === "ACTIVE") return true;
  if (control.state === "REDUCING") return order.reduceOnly;
  return order.isStop && order.reduceOnly;
}
