import * as z from "zod";
import type { OrderEvent } from "#trading/orders/order";
import { type OrderFault, orderFault } from "#trading/orders/record";
import {
  birthOf,
  bornWith,
  type Claim,
  claimMove,
  type EventRow,
  eventHash,
  type Move,
  movementOf,
  type NewOrder,
  NO_HASH,
  orderIdOf,
  type StoredOrder,
  verdictOf,
} from "#trading/orders/stored-order";
import { big, Decimal, text, ZERO } from "#units/decimal";
import type { OrderId } from "#units/ids";
import { type Books, RefusedRow } from "./books.ts";

/** The writes to orders and their events, in memory: the twin of db/trading/move-order and db/trading/claim-order. */

/** @throws RefusedRow where the order has an event of this number. */
function append({ events }: Books, row: EventRow): void {
  const chain = events.get(row.orderId) ?? [];
  if (chain.some(({ seq }) => seq === row.seq)) throw new RefusedRow("unique", `event ${row.seq} of ${row.orderId}`);
  const prevHash = chain.at(-1)?.hash ?? NO_HASH;
  events.set(row.orderId, [...chain, { ...row, prevHash, hash: eventHash({ ...row, prevHash }) }]);
}

const maybe = (value: Decimal | null): Decimal | null => (value === null ? null : text(value));

function changed(order: StoredOrder, { change = {} }: Move): StoredOrder {
  const { exchangeOrderId, size, filledSize, avgFillPrice, fees, expTime, errorMessage } = change;
  return {
    ...order,
    ...(exchangeOrderId === undefined ? {} : { venueOrderId: exchangeOrderId }),
    ...(size === undefined ? {} : { size: text(size) }),
    ...(filledSize === undefined ? {} : { filledSize: text(filledSize) }),
    ...(avgFillPrice === undefined ? {} : { averagePrice: maybe(avgFillPrice) }),
    ...(fees === undefined ? {} : { fees: text(fees) }),
    ...(expTime === undefined ? {} : { expiresAt: expTime }),
    ...(errorMessage === undefined ? {} : { errorMessage }),
  };
}

/** @throws RefusedRow where the table's constraints refuse the row. */
function check({ orders }: Books, order: StoredOrder): void {
  if (big(order.filledSize).gt(order.size)) throw new RefusedRow("check", "filled beyond its size");
  if (order.type !== "market" && order.price === null) throw new RefusedRow("check", "no price");
  const { mode, venue, venueOrderId } = order;
  if (venueOrderId === null) return;
  for (const other of orders.values()) {
    const isSame = other.mode === mode && other.venue === venue && other.venueOrderId === venueOrderId;
    if (isSame && other.id !== order.id) throw new RefusedRow("unique", `venue order id ${venueOrderId}`);
  }
}

/** Returns what is wrong with the record of each order, as far as these books keep what the table does. */
export function orderFaults({ orders, events }: Books): OrderFault[] {
  return [...orders.values()].flatMap(({ id, status, version, updatedAt, ...order }) => {
    const { size, price, stopLoss, riskUsd, filledSize, averagePrice: avgFillPrice, fees } = order;
    const amounts = { size, price, stopLoss, riskUsd, filledSize, avgFillPrice, fees };
    const { mode, venue, venueOrderId, type, expiresAt, clientOrderId, instrument, side, epoch, errorMessage } = order;
    const fields = {
      ...{ tradingMode: mode, exchange: venue, exchangeOrderId: venueOrderId, orderType: type, expTime: expiresAt },
      ...{ clientOrderId, instrument, side, epoch, errorMessage },
    };
    return orderFault({ id, status, version, updatedAt, amounts, fields }, events.get(id) ?? []) ?? [];
  });
}

/** Makes one transition, compare-and-set on status and version. */
export function moveOrder(
  books: Books,
  order: Pick<StoredOrder, "id" | "status" | "version">,
  event: OrderEvent,
  move: Move,
): StoredOrder | null {
  const row = movementOf(order, event, move);
  const stored = books.orders.get(order.id);
  if (stored?.status !== order.status || stored.version !== order.version) return null;
  const moved = { ...changed(stored, move), status: row.toStatus, version: row.seq, updatedAt: row.at };
  check(books, moved);
  books.orders.set(order.id, moved);
  append(books, row);
  return moved;
}

function proposed(id: OrderId, fresh: NewOrder): StoredOrder {
  const {
    tradingMode: mode,
    exchange: venue,
    orderType: type,
    signalEventId: _,
    timeframe: __,
    ...born
  } = bornWith(fresh);
  return {
    ...born,
    ...{ id, mode, venue, type, status: "proposed", version: 0, updatedAt: fresh.at },
    ...{ size: text(born.size), price: maybe(born.price), stopLoss: maybe(born.stopLoss), riskUsd: text(born.riskUsd) },
    ...{ venueOrderId: null, filledSize: ZERO, averagePrice: null, fees: ZERO, errorMessage: null, expiresAt: null },
  };
}

const Decided = z.object({ quote: z.object({ mark: Decimal }) });

/** Writes an order as proposed and then approved or denied, once per client order id. */
export function insertOrder(books: Books, fresh: NewOrder): StoredOrder {
  const id = orderIdOf(fresh.order.clientOrderId);
  const order = proposed(id, fresh);
  check(books, order);
  const stored = books.orders.get(id);
  if (stored) return stored;
  books.orders.set(id, order);
  const snapshot = Decided.safeParse(fresh.policySnapshot);
  books.marks.set(id, snapshot.data?.quote.mark ?? null);
  books.wallets.set(id, fresh.order.signal?.wallet_id ?? null);
  append(books, birthOf(id, fresh));
  return moveOrder(books, order, ...verdictOf(fresh)) as StoredOrder; // nobody else can have moved it
}

/** Claims an approved order, or voids it by the kill switch as it is. */
export function claimOrder(books: Books, id: OrderId, claim: Claim): StoredOrder | null {
  const order = books.orders.get(id);
  if (order?.status !== "approved") return null;
  const control = books.control.get(order.mode);
  if (!control) throw new TypeError(`no kill switch of ${order.mode}`);
  const [event, move] = claimMove(order, control, claim);
  const moved = moveOrder(books, order, event, move);
  return event === "claimed" ? moved : null;
}
