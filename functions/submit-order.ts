import { sqlStore } from "#db/trading/store";
import { submitOrder } from "#desk/submit-order";
import { consume } from "#runtime/consume";
import { idOf } from "#units/ids";

/** Submits an approved order to the venue, once. An order that another delivery claimed is left to the reconciler. */
export const handler = consume("orders", async ({ orderId, mode, at }, { database, exchange, publish }) => {
  const { order, closed, tripped } = await submitOrder(sqlStore(database), exchange, orderId, at, "submit-order");
  if (closed) {
    const { id, status, instrument, clientOrderId, errorMessage } = order;
    const body = { status, instrument, clientOrderId, reason: errorMessage };
    await publish("order.closed", [{ entityType: "order", entityId: id, at, body }]);
  }
  if (tripped !== null) {
    const body = { mode, state: tripped.state, epoch: tripped.epoch, reason: tripped.reason };
    await publish("trading.changed", [{ entityType: "trading", entityId: idOf("trading", mode), at, body }]);
  }
});
