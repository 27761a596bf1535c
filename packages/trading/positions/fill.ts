import { type Big, big, type Decimal, text, ZERO } from "#units/decimal";
import type { OrderId } from "#units/ids";
import { type Instant, millis } from "#units/time";
import type { TradingMode } from "../mode.ts";
import { isOurs } from "../orders/client-order-id.ts";
import type { VenueFill, VenuePosition } from "../venue.ts";
import { type Fee, feesOf } from "./fee.ts";

/** One execution of ours as booked. */
export interface Fill extends Omit<VenueFill, "venueOrderId" | "clientOrderId" | "cause">, Fee {
  readonly orderId: OrderId | null;
}

/**
 * Why a fill counts that is of no order in the books. `lost` = it carries an id of the desk's form: the books are older than
 * the venue. `adopted` = the position that was there before the books.
 */
export const FILL_CAUSES = ["hand", "lost", "liquidation", "adl", "delivery", "adopted"] as const;
export type FillCause = (typeof FILL_CAUSES)[number];

/** Those of fills that the venue made by itself. */
export const FORCED_CAUSES: readonly FillCause[] = ["liquidation", "adl", "delivery"];

/** A fill that counts and is of no order of ours. */
export interface ForeignFill extends Fill {
  readonly cause: FillCause;
}

/** What the books must know to say whether a fill without an order of ours counts. */
export interface Reach {
  readonly mode: TradingMode;
  /** Whether the venue's list has the instrument: no position is made of any other. */
  readonly isListed: boolean;
  /** The first comparison of the instrument: what others did before it is not the desk's; null = there was none yet. */
  readonly since: Instant | null;
}

/** Returns why a fill without an order of ours counts; null where it does not. */
export function causeOf(
  fill: Pick<VenueFill, "cause" | "clientOrderId" | "tradeId" | "filledAt">,
  { mode, isListed, since }: Reach,
): FillCause | null {
  if (!isListed) return null;
  if (fill.tradeId.startsWith(ADOPTED)) return "adopted";
  if (since === null || fill.filledAt < since) return null;
  return fill.cause ?? (isOurs(mode, fill.clientOrderId) ? "lost" : "hand");
}

const ADOPTED = "adopted-";

/** Returns the one fill that stands for a position which was there before the books, at the venue's average price. */
export const adoption = ({ instrument, contracts, averagePrice }: VenuePosition, at: Instant): VenueFill => ({
  ...{ tradeId: `${ADOPTED}${millis(at)}`, venueOrderId: "", clientOrderId: null, instrument, price: averagePrice },
  ...{ side: big(contracts).gt(0) ? "buy" : "sell", size: text(big(contracts).abs()), filledAt: at },
  ...{ fee: ZERO, feeAsset: "USDT", liquidity: "taker" },
});

/** Returns whether a fill means that a person has to look before anything is opened again. */
export const isAlarming = ({ cause }: Pick<ForeignFill, "cause">): boolean => cause !== "hand";

/** Orders fills by time, then by trade id (numbers by value): the one order in which they are accounted. */
export function byTime(a: Pick<Fill, "filledAt" | "tradeId">, b: Pick<Fill, "filledAt" | "tradeId">): number {
  if (a.filledAt !== b.filledAt) return a.filledAt < b.filledAt ? -1 : 1;
  if (a.tradeId.length !== b.tradeId.length) return a.tradeId.length - b.tradeId.length;
  return a.tradeId < b.tradeId ? -1 : a.tradeId > b.tradeId ? 1 : 0;
}

/** Returns the fills once each by trade id, in accounting order: a replayed or shuffled list gives the same. */
export function once(fills: readonly Fill[]): Fill[] {
  return [...new Map(fills.map((fill) => [fill.tradeId, fill])).values()].sort(byTime);
}

/** Returns the signed contracts of a fill: a sell is negative. */
export const signed = (fill: Pick<Fill, "side" | "size">): Big =>
  fill.side === "buy" ? big(fill.size) : big(fill.size).neg();

/** Returns the sum of what an order filled: size, size-weighted price (null at 0), and fees as `feesOf` has them. */
export function totalOf(fills: readonly Fill[]): {
  readonly size: Decimal;
  readonly price: Decimal | null;
  readonly fees: ReturnType<typeof feesOf>;
} {
  const unique = once(fills);
  const sum = unique.reduce(
    (total, fill) => ({
      size: total.size.plus(fill.size),
      notional: total.notional.plus(big(fill.size).times(fill.price)),
    }),
    { size: big(0), notional: big(0) },
  );
  const price = sum.size.gt(0) ? text(sum.notional.div(sum.size).round(18)) : null;
  return { size: text(sum.size), price, fees: feesOf(unique) };
}
