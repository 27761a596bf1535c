import type { StoredControl } from "#trading/control";
import type { Instrument } from "#trading/instrument";
import { isDust } from "#trading/positions/dust";
import type { OpenPosition } from "#trading/positions/position-row";
import { stopReached } from "#trading/positions/reconcile";
import { stopOrder, stopStep } from "#trading/positions/stop";
import type { Run, TradingStore } from "#trading/store";
import type { Exchange } from "#trading/venue";
import type { Decimal } from "#units/decimal";
import type { OrderId } from "#units/ids";
import { submitOrder } from "./submit-order.ts";

/**
 * Sends a reduce-only market order for an instrument's position when `mark` has reached its stop. Simple on purpose: the
 * desk watches its stops each minute where a venue's own algo order would watch each tick. Returns what the kill switch
 * became, when the venue's reply tripped it.
 */
export async function watchStop(
  store: TradingStore,
  exchange: Exchange,
  run: Run,
  instrument: Instrument,
  mark: Decimal,
): Promise<StoredControl | null> {
  const open = await store.openPositions(run.account);
  const position = open.find((held) => held.instrument === instrument.id);
  if (!position || isDust(position.contracts, instrument, mark)) return null;
  if (!stopReached(position.contracts, position.stopPrice, mark)) return null;
  const orderId = await stopFor(store, run, position, instrument, mark);
  if (orderId === null) return null;
  return (await submitOrder(store, exchange, orderId, run.at, run.by)).tripped;
}

/** Returns the stop order to send for a position, written if there is none yet; null while one is under way. */
async function stopFor(
  store: TradingStore,
  run: Run,
  position: OpenPosition,
  instrument: Instrument,
  mark: Decimal,
): Promise<OrderId | null> {
  const { mode } = run.account;
  const step = stopStep(await store.stops(mode, instrument.id, position.openedAt), position.openedAt);
  if (step.act !== "place") return step.act === "send" ? step.orderId : null;
  const control = await store.control(mode);
  const { id } = await store.insert(stopOrder({ ...run, control, instrument, position, mark, attempt: step.attempt }));
  return id;
}
