import { planLane } from "#desk/plan-lane";
import { consume } from "#runtime/consume";
import { log } from "#runtime/log";
import { orderClosed } from "#trading/facts";
import { policyOf } from "#trading/plans/policy";

/** Decides what to trade for one instrument: writes the order, approved or denied, then sends it on. */
export const handler = consume("plans", async (plan, { books, exchange, send, publish, settings }) => {
  const { lane, mode, asset, instrument, at } = plan;
  const { venue, barSeconds, gitSha, instruments } = settings;
  const desk = { venue, barSeconds, gitSha, lanes: instruments.length };
  const job = { at, by: "plan-order", mode, asset, instrument, ...desk };
  const planned = await planLane(books, exchange, job, policyOf(settings));
  if (planned.order === null) {
    log({ level: "info", message: "nothing is planned", mode, instrument, reason: planned.reason });
    return;
  }
  const { id, status } = planned.order;
  if (status === "denied") {
    log({ level: "info", message: "order denied", orderId: id, mode, instrument, codes: planned.codes });
    await publish("order.closed", [orderClosed(planned.order, at)]);
  } else await send("orders", [{ lane, orderId: id, mode, instrument, at }]);
});
