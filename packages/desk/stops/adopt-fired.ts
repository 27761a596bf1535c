import type { Instrument } from "#trading/instrument";
import type { OpenPosition } from "#trading/positions/position-row";
import { firedOrder } from "#trading/positions/stop";
import { isLegId } from "#trading/protection/leg-id";
import { isStopId } from "#trading/protection/stop-id";
import type { TradingStore } from "#trading/store";
import type { Exchange, VenueFill } from "#trading/venue";
import { big, text } from "#units/decimal";
import type { StopRun } from "./watch-stops.ts";

/**
 * Writes the orders that our stops and take-profits at the venue have placed, by their fills: they are ours, so their fills
 * count. An order that is written is left as it is. `open` = the position as the books have it before those fills; null = none yet.
 */
export async function adoptFired(
  store: TradingStore,
  exchange: Exchange,
  run: StopRun,
  instrument: Instrument,
  open: OpenPosition | null,
  fills: readonly VenueFill[],
): Promise<void> {
  const { account, at, by } = run;
  const byStop = Map.groupBy(
    fills.filter(({ clientOrderId: id }) => isStopId(account.mode, id) || isLegId(account.mode, id)),
    (fill) => fill.clientOrderId as string,
  );
  if (byStop.size === 0) return;
  const known = await store.ordersByClientId([...byStop.keys()]);
  for (const [stopId, parts] of byStop) {
    const status = known.get(stopId)?.status ?? "approved";
    const [first] = parts;
    if (first === undefined || (status !== "approved" && status !== "submitting")) continue;
    const found = await exchange.order(instrument.id, stopId);
    const size = found?.size ?? text(parts.reduce((sum, fill) => sum.plus(fill.size), big(0)));
    const type = isStopId(account.mode, stopId) ? "stop" : "take_profit";
    const stopPrice = type === "stop" ? (open?.stopPrice ?? first.price) : first.price;
    const position = { stopPrice, openedAt: open?.openedAt ?? first.filledAt };
    const control = await store.control(account.mode);
    const sent = { type, sentBy: "venue", stopId, side: first.side, size } as const;
    const fired = { ...run, ...sent, control, instrument, position };
    const written = await store.insert(firedOrder(fired));
    const claimed = written.status === "approved" ? await store.claim(written.id, { at, by, expiresAt: at }) : written;
    if (claimed?.status !== "submitting") continue;
    await store.move(claimed, "accepted", { at, by, change: { exchangeOrderId: first.venueOrderId } });
  }
}
