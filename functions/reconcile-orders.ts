import { sqlStore } from "#db/trading/store";
import { PartsFailed } from "#desk/attempt";
import { reconcileAccount } from "#desk/reconcile-account";
import { measure } from "#runtime/metrics";
import { schedule } from "#runtime/schedule";
import { tightness } from "#trading/control";
import { orderClosed, tradingChanged } from "#trading/facts";
import { policyOf } from "#trading/plans/policy";

/** Makes orders, fills, positions and equity agree with the venue; watches the stops and the kill switch's triggers. */
export const handler = schedule("reconcile-orders", async ({ at }, { database, exchange, publish, settings }) => {
  const { mode, venue, barSeconds, instruments } = settings;
  const run = { account: { mode, venue }, at, by: "reconcile-orders", policy: policyOf(settings), barSeconds };
  const store = sqlStore(database);
  const { closed, tripped, breaks, stuck, failures } = await reconcileAccount(store, exchange, run, instruments);
  measure("ReconciliationDrift", breaks.length);
  measure("OrdersUnknown", stuck);
  measure("KillSwitch", tightness((await store.control(mode)).state));
  const facts = closed.map((order) => orderClosed(order, at));
  await publish("order.closed", facts);
  if (tripped !== null) await publish("trading.changed", [tradingChanged(mode, tripped, at)]);
  if (failures.length > 0) throw new PartsFailed("reconcile-orders", failures);
});
