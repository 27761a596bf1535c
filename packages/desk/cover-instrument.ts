import type { TradingStore } from "#trading/store";
import type { Exchange } from "#trading/venue";
import { attempts } from "./attempt.ts";
import { type CoveredOrder, coverPosition } from "./cover-position.ts";
import { protectionsOf } from "./record-protection.ts";
import type { StopRun } from "./watch-stops.ts";

/**
 * Covers what an instrument holds, by whatever shows it: its orders that the venue may hold, the venue's position, the books.
 * It needs nothing of the job that sent an order, which may have ended at any point. Returns what could not be asked or done:
 * the caller tells it, and the message comes again.
 */
export async function coverInstrument(
  store: TradingStore,
  exchange: Exchange,
  run: StopRun,
  id: string,
): Promise<CoveredOrder> {
  const { attempt, failures } = attempts();
  const { account } = run;
  const [[instrument], atVenue] = await Promise.all([store.instruments([id]), store.ordersAtVenue(account.mode)]);
  if (instrument === undefined) return { tripped: null, failures };
  // Orders first: a fill between the two is in the position that is asked for after it.
  const orders = await Promise.all(
    atVenue
      .filter((order) => order.instrument === id)
      .map(async (order) => ({
        order,
        found: await attempt("order look-up", id, () => exchange.order(id, order.clientOrderId)),
      })),
  );
  const positions = await attempt("positions", id, () => exchange.positions());
  const position = positions === null ? undefined : (positions.find((one) => one.instrument === id) ?? null);
  const tripped = await attempt("stop at the venue", id, async () => {
    const [held, booked, known, stops] = await Promise.all([
      store.held(account, id),
      store.openPositions(account),
      protectionsOf(store, run),
      exchange.stops(),
    ]);
    const open = booked.find((one) => one.instrument === id) ?? null;
    const books = { open, held, orders, known, isDesks: true };
    return coverPosition(store, exchange, run, { instrument, position, stops, ...books });
  });
  return { tripped, failures };
}
