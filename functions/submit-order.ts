import { sqlStore } from "#db/trading/store";
import { fenced } from "#desk/control-object";
import { submitOrder } from "#desk/submit-order";
import { consume } from "#runtime/consume";
import { log } from "#runtime/log";
import { orderClosed, tradingChanged } from "#trading/facts";

/** Submits an approved order to the venue, once. An order that another delivery claimed is left to the reconciler. */
export const handler = consume("orders", async ({ orderId, mode, at }, { database, exchange, control, publish }) => {
  const store = fenced(sqlStore(database), control);
  const { order, closed, tripped } = await submitOrder(store, exchange, orderId, at, "submit-order");
  const { instrument, side, size, status, filledSize, averagePrice, errorMessage } = order;
  const fields = { orderId, mode, instrument, side, contracts: size, filled: filledSize, averagePrice, errorMessage };
  log({ level: "info", message: `order ${status}`, ...fields });
  if (closed) await publish("order.closed", [orderClosed(order, at)]);
  if (tripped !== null) await publish("trading.changed", [tradingChanged(mode, tripped, at)]);
});
