import { sqlStore } from "#db/trading/store";
import { reconcileAccount } from "#desk/reconcile-account";
import { measure } from "#runtime/metrics";
import { schedule } from "#runtime/schedule";
import { policyOf } from "#trading/policy";
import { idOf } from "#units/ids";

/** Makes orders, fills, positions and equity agree with the venue; watches the stops and the kill switch's triggers. */
export const handler = schedule("reconcile-orders", async ({ at }, { database, exchange, publish, settings }) => {
  const { mode, venue, barSeconds, instruments } = settings;
  const run = { account: { mode, venue }, at, by: "reconcile-orders", policy: policyOf(settings), barSeconds };
  const { closed, tripped, breaks, stuck } = await reconcileAccount(sqlStore(database), exchange, run, instruments);
  measure("ReconciliationDrift", breaks.length);
  measure("OrdersUnknown", stuck);
  const facts = closed.map(({ id, status, instrument, clientOrderId, filledSize, errorMessage }) => {
    const body = { status, instrument, clientOrderId, filledSize, reason: errorMessage };
    return { entityType: "order", entityId: id, at, body };
  });
  await publish("order.closed", facts);
  if (tripped === null) return;
  const body = { mode, state: tripped.state, epoch: tripped.epoch, reason: tripped.reason };
  await publish("trading.changed", [{ entityType: "trading", entityId: idOf("trading", mode), at, body }]);
});
