import { setTimeout as pause } from "node:timers/promises";
import { assertArmed } from "#desk/account/arming";
import { assertAccount } from "#desk/account/assert-account";
import { attempts, PartsFailed } from "#desk/attempt";
import { ControlObjectError, fenced, mendControl } from "#desk/control-object";
import { reconcileAccount } from "#desk/reconcile-account";
import { armingLook } from "#runtime/arming";
import { log } from "#runtime/log";
import { measure } from "#runtime/metrics";
import { schedule } from "#runtime/schedule";
import { tightness } from "#trading/control";
import { orderClosed, tradingChanged } from "#trading/facts";
import { policyOf } from "#trading/plans/policy";
import { checksAfter } from "#trading/protection/checks";

/** Makes orders, fills, positions and equity agree with the venue; watches the stops and the kill switch's triggers. */
export const handler = schedule("reconcile-orders", async ({ at }, context) => {
  const { books, exchange, control, send, publish, settings } = context;
  const { mode, venue, barSeconds, instruments } = settings;
  const run = { account: { mode, venue }, at, by: "reconcile-orders", policy: policyOf(settings), barSeconds };
  const armed = armingLook(() => books.arming(mode), settings);
  const store = fenced(books, control, armed);
  const found = await reconcileAccount(store, exchange, run, instruments, pause);
  const { closed, tripped, breaks, stuck, unsent, foreign, unvalued, ledger, failures } = found;
  const { adopted, holds, problem } = await mendControl(books, control, at);
  measure("ReconciliationDrift", breaks.length);
  measure("OrdersUnknown", stuck);
  if (found.unprotected !== null) measure("UnprotectedSeconds", found.unprotected);
  measure("LedgerGap", ledger === null || ledger.entry.gap === "0" ? 0 : 1);
  measure("BillsUnknown", (ledger?.unknown.length ?? 0) + unvalued.length);
  measure("KillSwitch", tightness(holds.state));
  const lost = unsent.map(({ id: orderId, instrument }) => ({ orderId, mode, instrument, at }));
  await send(
    "orders",
    lost.map((order) => ({ ...order, lane: `${mode}:${order.instrument}` })),
  );
  await send(
    "protections",
    found.closing.flatMap((instrument) => checksAfter({ mode, instrument, at }, run.policy)),
  );
  for (const { orderId: _, ...fill } of foreign)
    log({ level: "warn", message: "a fill without an order in the books", ...fill });
  for (const fee of unvalued) log({ level: "warn", message: "fee_unvalued: no price of its currency", ...fee });
  const facts = closed.map((order) => orderClosed(order, at));
  await publish("order.closed", facts);
  // A venue that does not answer here takes nothing away from what the run has found.
  const last = attempts();
  const asserted = await last.attempt("assertions", null, () => assertAccount(store, exchange, run, instruments));
  const unarmed = await last.attempt("arming", null, () =>
    assertArmed({ ...store, control: books.control }, armed, run),
  );
  for (const changed of [tripped, adopted, asserted, unarmed])
    if (changed !== null) await publish("trading.changed", [tradingChanged(mode, changed, at)]);
  const failed = [...failures, ...last.failures];
  if (failed.length > 0) throw new PartsFailed("reconcile-orders", failed);
  if (problem !== null) throw new ControlObjectError(problem);
});
