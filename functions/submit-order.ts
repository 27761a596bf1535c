import { setTimeout as pause } from "node:timers/promises";
import { PartsFailed } from "#desk/attempt";
import { fenced } from "#desk/control-object";
import { coverOrder } from "#desk/stops/cover-instrument";
import { submitOrder } from "#desk/submit-order";
import { armingLook } from "#runtime/arming";
import { consume } from "#runtime/consume";
import { log } from "#runtime/log";
import { orderClosed, tradingChanged } from "#trading/facts";
import { policyOf } from "#trading/plans/policy";
import { checksOf } from "#trading/protection/checks";

/**
 * Submits an approved order to the venue, once, and has a stop there for what it filled. Before it sends it asks for two looks
 * at that stop, which come though this job is killed. An order that another delivery claimed is left to the reconciler.
 */
export const handler = consume("orders", async ({ orderId, mode, instrument: id, at }, context) => {
  const { books, exchange, control, send, publish, settings } = context;
  const armed = armingLook(() => books.arming(mode), settings);
  const store = fenced(books, control, armed);
  const policy = policyOf(settings);
  await send("protections", checksOf({ mode, instrument: id, at }));
  const terms = { policy, armed, pause };
  const { order, closed, tripped } = await submitOrder(store, exchange, orderId, at, "submit-order", terms);
  const run = { account: { mode, venue: settings.venue }, at, by: "submit-order", policy };
  const cover = await coverOrder(store, exchange, run, order);
  const { instrument, side, size, status, filledSize, averagePrice, errorMessage } = order;
  const fields = { orderId, mode, instrument, side, contracts: size, filled: filledSize, averagePrice, errorMessage };
  log({ level: "info", message: `order ${status}`, ...fields });
  if (closed) await publish("order.closed", [orderClosed(order, at)]);
  for (const changed of [tripped, cover.tripped])
    if (changed !== null) await publish("trading.changed", [tradingChanged(mode, changed, at)]);
  if (cover.failures.length > 0) throw new PartsFailed("submit-order", cover.failures);
});
