import { type LookedUp, settleOrder } from "#trading/orders/settle";
import type { StoredOrder } from "#trading/orders/stored-order";
import { type Break, comparePositions } from "#trading/positions/reconcile";
import type { Run, Seen, TradingStore } from "#trading/store";
import type { Exchange, VenuePosition } from "#trading/venue";
import type { Decimal } from "#units/decimal";
import type { Instant } from "#units/time";

/** What the venue said in one go, with the answers to the look-ups before it. */
export interface Told extends Omit<Seen, "orderIds" | "positions"> {
  readonly looked: readonly LookedUp[];
  readonly positions: readonly VenuePosition[];
}

export interface Settled {
  readonly breaks: readonly Break[];
  /** Fills on dead orders, and orders filled beyond their size. */
  readonly impossibleFills: number;
}

/** Asks the venue for each order once, at once. A query that fails is an outcome of its own, not an absence. */
export function lookUp(exchange: Exchange, orders: readonly StoredOrder[], now: Instant): Promise<LookedUp[]> {
  const ask = async (order: StoredOrder): Promise<LookedUp> => {
    const answer = await exchange.order(order.instrument, order.clientOrderId).then(
      (found) => ({ outcome: found === null ? ("missing" as const) : ("found" as const), found }),
      () => ({ outcome: "failed" as const, found: null }),
    );
    return { order, now, ...answer };
  };
  return Promise.all(orders.map(ask));
}

/**
 * Books what the venue said, settles every order that was looked up or has a new fill, and compares what is held with the
 * venue's word. @throws whatever the store throws, and then nothing is booked.
 */
export async function settleOrders(store: TradingStore, run: Run, told: Told): Promise<Settled> {
  const answers = new Map(told.looked.map((answer) => [answer.order.id, answer]));
  const { held, impossibleFills } = await store.book(run, { ...told, orderIds: [...answers.keys()] }, (books) =>
    settleOrder(books, answers.get(books.order.id) ?? null),
  );
  return { breaks: await breaksOf(store, run, held, told), impossibleFills };
}

/** Returns the breaks between our fills and the venue; an instrument with an order still in flight is not judged yet. */
async function breaksOf(
  store: TradingStore,
  { account }: Run,
  held: ReadonlyMap<string, Decimal>,
  { positions, instruments }: Told,
): Promise<readonly Break[]> {
  const ours = new Map(held);
  for (const { instrument } of positions) {
    if (!ours.has(instrument)) ours.set(instrument, await store.held(account, instrument));
  }
  const lots = new Map([...instruments].map(([id, { lotSize }]) => [id, lotSize]));
  const breaks = comparePositions(ours, positions, lots);
  if (breaks.length === 0) return breaks;
  const busy = new Set((await store.ordersAtVenue(account.mode)).map((order) => order.instrument));
  return breaks.filter((found) => !busy.has(found.instrument));
}
