import type { StoredControl } from "#trading/control";
import type { Instrument } from "#trading/instrument";
import { AT_VENUE } from "#trading/orders/order";
import type { StoredOrder } from "#trading/orders/stored-order";
import type { TradingStore } from "#trading/store";
import type { Exchange, VenuePosition } from "#trading/venue";
import { big } from "#units/decimal";
import { type Attempt, attempts, type Failure } from "../attempt.ts";
import { watchedSwitch } from "../control-object.ts";
import { coverPosition, type Looked } from "./cover-position.ts";
import { protectionsOf } from "./record-protection.ts";
import type { StopRun } from "./watch-stops.ts";

/** What came of covering an order, or what an instrument holds. */
export interface Covering {
  readonly tripped: StoredControl | null;
  /** What could not be asked or done: the caller tells it, and the message comes again. */
  readonly failures: readonly Failure[];
}

/** The same of an instrument, whoever sent what it holds. */
export interface InstrumentCovering extends Covering {
  /** Something of it was to be closed at market. What is left, if any is, has no stop: it is to be looked at again soon. */
  readonly isClosing: boolean;
}

/** Returns the position of an instrument among those of the account: null = flat; undefined = the venue gave no answer. */
const positionIn = (positions: readonly VenuePosition[] | null, id: string): Looked["position"] =>
  positions === null ? undefined : (positions.find(({ instrument }) => instrument === id) ?? null);

/** Covers an instrument, unless the venue has not listed it, by what the venue has shown of its orders and its position. */
function coverShown(
  store: TradingStore,
  exchange: Exchange,
  run: StopRun,
  attempt: Attempt,
  id: string,
  { listed, ...shown }: Pick<Looked, "orders" | "position"> & { readonly listed: () => Promise<readonly Instrument[]> },
): Promise<StoredControl | null> {
  return attempt("stop at the venue", id, async () => {
    const [[instrument], held, booked, known, stops] = await Promise.all([
      listed(),
      store.held(run.account, id),
      store.openPositions(run.account),
      protectionsOf(store, run),
      exchange.stops(),
    ]);
    if (instrument === undefined) return null;
    const open = booked.find((one) => one.instrument === id) ?? null;
    return coverPosition(store, exchange, run, { ...shown, instrument, stops, open, held, known, isDesks: true });
  });
}

/**
 * Covers what an order has filled, as soon as it was sent: the order is looked at once, and so is the position. An order
 * that only reduces, or that the venue did not take, has nothing to cover.
 */
export async function coverOrder(
  books: TradingStore,
  exchange: Exchange,
  run: StopRun,
  order: StoredOrder,
): Promise<Covering> {
  const { attempt, failures } = attempts();
  const id = order.instrument;
  const { store, tightened } = watchedSwitch(books);
  if (order.reduceOnly || !(AT_VENUE.includes(order.status) || order.status === "filled"))
    return { tripped: null, failures };
  const [found, positions] = await Promise.all([
    attempt("order look-up", id, () => exchange.order(id, order.clientOrderId)),
    attempt("positions", id, () => exchange.positions()),
  ]);
  const position = positionIn(positions, id);
  if (!position && (found === null || big(found.filledSize).eq(0))) return { tripped: null, failures };
  const shown = { listed: () => store.instruments([id]), orders: [{ order, found }], position };
  await coverShown(store, exchange, run, attempt, id, shown);
  return { tripped: tightened(), failures };
}

/**
 * Covers what an instrument holds, by whatever shows it: its orders that the venue may hold, the venue's position, the books.
 * It needs nothing of the job that sent an order, which may have ended at any point.
 */
export async function coverInstrument(
  books: TradingStore,
  exchange: Exchange,
  run: StopRun,
  id: string,
): Promise<InstrumentCovering> {
  const { attempt, failures } = attempts();
  const { store, tightened } = watchedSwitch(books);
  const closing = new Set<string>();
  const [listed, atVenue] = await Promise.all([store.instruments([id]), store.ordersAtVenue(run.account.mode)]);
  if (listed.length === 0) return { tripped: null, isClosing: false, failures };
  // Orders first: a fill between the two is in the position that is asked for after it.
  const orders = await Promise.all(
    atVenue
      .filter((order) => order.instrument === id)
      .map(async (order) => ({
        order,
        found: await attempt("order look-up", id, () => exchange.order(id, order.clientOrderId)),
      })),
  );
  const position = positionIn(await attempt("positions", id, () => exchange.positions()), id);
  const shown = { listed: async () => listed, orders, position };
  await coverShown(store, exchange, { ...run, closing }, attempt, id, shown);
  return { tripped: tightened(), isClosing: closing.has(id), failures };
}
