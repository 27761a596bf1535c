import type { Decimal } from "#units/decimal";
import { idOf, type OrderId } from "#units/ids";
import type { Instant } from "#units/time";
import type { TradingMode } from "./mode.ts";
import { CLOSED_AFTER_APPROVAL, OrderStatus } from "./orders/order.ts";
import type { Control } from "./plans/limits.ts";

/** The statuses of an order that is closed: nothing more is expected of it. The others are in flight. */
export const ClosedStatus = OrderStatus.extract(["denied", ...CLOSED_AFTER_APPROVAL]);

/** What of an order is said when it is closed. */
interface Closing {
  readonly id: OrderId;
  readonly status: OrderStatus;
  readonly instrument: string;
  readonly clientOrderId: string;
  readonly filledSize: Decimal;
  readonly errorMessage: string | null;
}

/**
 * Returns the fact `order.closed` of an order, in one shape whoever closed it: `filledSize` is in contracts and "0" when it
 * never reached the venue, `reason` is null when all went well.
 * @throws ZodError when the order is still in flight.
 */
export const orderClosed = (order: Closing, at: Instant) => {
  const { id, instrument, clientOrderId, filledSize, errorMessage } = order;
  const status = ClosedStatus.parse(order.status);
  const body = { status, instrument, clientOrderId, filledSize, reason: errorMessage };
  return { entityType: "order", entityId: id, at, body } as const;
};

/** Returns the fact `trading.changed`: what the kill switch of a mode became, and why. */
export const tradingChanged = (mode: TradingMode, control: Control & { readonly reason: string }, at: Instant) => {
  const { state, epoch, reason } = control;
  const body = { mode, state, epoch, reason };
  return { entityType: "trading", entityId: idOf("trading", mode), at, body } as const;
};
