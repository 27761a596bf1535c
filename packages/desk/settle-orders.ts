import type { Instrument } from "#trading/instrument";
import { type LookedUp, settleOrder } from "#trading/orders/settle";
import type { StoredOrder } from "#trading/orders/stored-order";
import type { FeePrice } from "#trading/positions/fee";
import type { Booked, Run, TradingStore } from "#trading/store";
import type { Exchange, VenueFill, VenuePosition } from "#trading/venue";
import type { Decimal } from "#units/decimal";
import type { Instant } from "#units/time";

/** What the venue said of one instrument, with the answers to the look-ups before it. */
export interface Told {
  readonly instrument: string;
  /** Null = not on the venue's list. */
  readonly listed: Instrument | null;
  readonly looked: readonly LookedUp[];
  readonly fills: readonly VenueFill[];
  /** Of fees that are paid in another currency than USDT. */
  readonly feePrices: readonly FeePrice[];
  /** When it was compared first; null = never yet. */
  readonly since: Instant | null;
  /** Null = the venue shows none. */
  readonly position: VenuePosition | null;
  readonly equity: Decimal;
}

/** More are not asked for one by one: the venue counts look-ups of an instrument, and shows a hundred that are open at once. */
const FEW = 20;

/**
 * Asks the venue for each order once, at once; of many, one by one only for those that are not on its list of the open ones. A
 * query that fails is an outcome of its own, not an absence.
 */
export async function lookUp(exchange: Exchange, orders: readonly StoredOrder[], now: Instant): Promise<LookedUp[]> {
  const listed = orders.length > FEW ? await exchange.openOrders().catch(() => []) : [];
  const open = new Map(listed.map((order) => [`${order.instrument} ${order.clientOrderId}`, order]));
  const ask = async (order: StoredOrder): Promise<LookedUp> => {
    const found = open.get(`${order.instrument} ${order.clientOrderId}`);
    if (found !== undefined) return { order, now, outcome: "found", found };
    const answer = await exchange.order(order.instrument, order.clientOrderId).then(
      (found) => ({ outcome: found === null ? ("missing" as const) : ("found" as const), found }),
      () => ({ outcome: "failed" as const, found: null }),
    );
    return { order, now, ...answer };
  };
  return Promise.all(orders.map(ask));
}

/**
 * Books what the venue said of an instrument, and settles every order of it that was looked up or has a new fill.
 * @throws whatever the store throws, and then nothing of the instrument is booked.
 */
export function settleInstrument(store: TradingStore, run: Run, told: Told): Promise<Booked> {
  const { instrument, listed, looked, fills, feePrices, position, equity, since } = told;
  const answers = new Map(looked.map((answer) => [answer.order.id, answer]));
  const mark = position?.markPrice ?? null;
  const seen = { instrument, listed, equity, fills, feePrices, since, mark, orderIds: [...answers.keys()] };
  return store.book(run, seen, (books) => settleOrder(books, answers.get(books.order.id) ?? null, run.policy));
}
