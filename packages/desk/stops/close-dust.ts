import type { StoredControl } from "#trading/control";
import type { Instrument } from "#trading/instrument";
import { IN_FLIGHT } from "#trading/orders/order";
import { isDust } from "#trading/positions/dust";
import type { OpenPosition } from "#trading/positions/position-row";
import { wholeIn, wholeOrder } from "#trading/positions/stop";
import type { TradingStore } from "#trading/store";
import type { Exchange, VenuePosition } from "#trading/venue";
import { big } from "#units/decimal";
import { submitOrder } from "../submit-order.ts";
import type { StopRun } from "./watch-stops.ts";

/**
 * Has the venue close by itself what is too small for an order, once per position: what it then leaves is dust, and left alone.
 * It acts where books and venue show the same. An order that is held back stays approved, and the next look sends it. Returns
 * what the kill switch became, when the venue's reply tripped it.
 */
export async function closeDust(
  store: TradingStore,
  exchange: Exchange,
  run: StopRun,
  instrument: Instrument,
  open: OpenPosition | null,
  position: VenuePosition | null,
): Promise<StoredControl | null> {
  if (open === null || position === null || !big(open.contracts).eq(position.contracts)) return null;
  const { markPrice: mark, contracts } = position;
  if (!isDust(contracts, instrument, mark, run.policy)) return null;
  const { mode } = run.account;
  const stops = await store.stops(mode, instrument.id, open.openedAt);
  const asked = wholeIn(stops, { ...run, instrument, position: open });
  if (asked !== null ? asked.status !== "approved" : stops.some(({ status }) => IN_FLIGHT.includes(status)))
    return null;
  const control = await store.control(mode);
  const { id } = asked ?? (await store.insert(wholeOrder({ ...run, control, instrument, position: open, mark })));
  const submit: Exchange["submit"] = async (order) =>
    // Its size is what the venue holds right before: what was opened meanwhile is not closed with it.
    isDust(order.size, instrument, mark, run.policy)
      ? exchange.submit({ ...order, type: "whole" })
      : { kind: "rejected", code: "dust", reason: `${order.size} contracts are held by now, which is no dust` };
  return (await submitOrder(store, { ...exchange, submit }, id, run.at, run.by, { policy: run.policy })).tripped;
}
