import type { StoredControl } from "#trading/control";
import type { Instrument } from "#trading/instrument";
import type { Policy } from "#trading/plans/policy";
import { isDust } from "#trading/positions/dust";
import type { OpenPosition } from "#trading/positions/position-row";
import { stopReached } from "#trading/positions/reconcile";
import { isUnheard, stopOrder, stopStep } from "#trading/positions/stop";
import type { Run, TradingStore } from "#trading/store";
import type { Exchange } from "#trading/venue";
import type { Decimal } from "#units/decimal";
import type { OrderId } from "#units/ids";
import { submitOrder, type Terms } from "./submit-order.ts";

/** What stops need of a run. */
export type StopRun = Pick<Run, "account" | "at" | "by"> & {
  readonly policy: Terms["policy"] & Pick<Policy, "timeframe" | "adoptedStop" | "maxDustUsd" | "maxUncoveredSeconds">;
};

/**
 * Sends a reduce-only market order for an instrument's position when `mark` has reached its stop. The venue's own stop
 * watches each tick; this is for one that is passed and has not fired, or that could not be placed. Returns what the kill
 * switch became, when the venue's reply tripped it.
 */
export async function watchStop(
  store: TradingStore,
  exchange: Exchange,
  run: StopRun,
  instrument: Instrument,
  position: OpenPosition | null,
  mark: Decimal,
): Promise<StoredControl | null> {
  if (position === null || isDust(position.contracts, instrument, mark, run.policy)) return null;
  if (!stopReached(position.contracts, position.stopPrice, mark)) return null;
  return closeAtMarket(store, exchange, run, instrument, position, mark);
}

/** What a stop order needs of a position. */
type Held = Pick<OpenPosition, "contracts" | "stopPrice" | "openedAt">;

/**
 * Closes what is held with a reduce-only market order, unless a stop order of the instrument is under way already: one whose
 * process claimed it and sent nothing is not, once its deadline is over. Returns what the kill switch became, when the
 * venue's reply tripped it.
 */
export async function closeAtMarket(
  store: TradingStore,
  exchange: Exchange,
  run: StopRun,
  instrument: Instrument,
  held: Held,
  mark: Decimal,
): Promise<StoredControl | null> {
  const orderId = await stopFor(store, exchange, run, held, instrument, mark);
  if (orderId === null) return null;
  return (await submitOrder(store, exchange, orderId, run.at, run.by, run)).tripped;
}

/** Returns the stop order to send for a position, written if there is none yet; null while one is under way. */
async function stopFor(
  store: TradingStore,
  exchange: Exchange,
  run: StopRun,
  position: Held,
  instrument: Instrument,
  mark: Decimal,
): Promise<OrderId | null> {
  const { mode } = run.account;
  const stops = await store.stops(mode, instrument.id, position.openedAt);
  const now = stops.some(isUnheard) ? await exchange.now() : run.at;
  const step = stopStep(stops, position.openedAt, now);
  if (step.act !== "place") return step.act === "send" ? step.orderId : null;
  const control = await store.control(mode);
  const { id } = await store.insert(stopOrder({ ...run, control, instrument, position, mark, attempt: step.attempt }));
  return id;
}
