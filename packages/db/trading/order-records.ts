import { asc, gt, inArray, sql } from "drizzle-orm";
import type { Json } from "#trading/canonical-json";
import { type OrderFault, type OrderRow, orderFault } from "#trading/orders/record";
import type { StoredEvent } from "#trading/orders/stored-order";
import type { RecordHead } from "#trading/record-head";
import type { OrderId } from "#units/ids";
import type { Instant } from "#units/time";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { rows } from "../rows.ts";
import { orderEvents, orders } from "../schema.ts";
import * as kind from "../shape.ts";

const PAGE = 200;
const Sum = kind.shape("hash over the events of orders", { events: kind.int, hash: kind.text });

/** Returns what is wrong with the record of each order, by order id; nothing where all are whole. */
export async function orderFaults(db: Db): Promise<OrderFault[]> {
  const faults: OrderFault[] = [];
  let after: OrderId | null = null;
  for (;;) {
    const page = await ordersAfter(db, after);
    const ids = page.map(({ id }) => id);
    const events = Map.groupBy(await eventsOf(db, ids), ({ orderId }) => orderId);
    for (const row of page) {
      const fault = orderFault(rowOf(row), events.get(row.id) ?? []);
      if (fault !== null) faults.push(fault);
    }
    after = ids.at(-1) ?? null;
    if (after === null || page.length < PAGE) return faults;
  }
}

type Stored = typeof orders.$inferSelect;

const ordersAfter = (db: Db, after: OrderId | null): Promise<Stored[]> =>
  drizzleOf(db)
    .select()
    .from(orders)
    .where(after === null ? undefined : gt(orders.id, after))
    .orderBy(asc(orders.id))
    .limit(PAGE);

async function eventsOf(db: Db, ids: readonly OrderId[]): Promise<StoredEvent[]> {
  if (ids.length === 0) return [];
  const list = await drizzleOf(db)
    .select()
    .from(orderEvents)
    .where(inArray(orderEvents.orderId, [...ids]))
    .orderBy(asc(orderEvents.orderId), asc(orderEvents.seq));
  return list.map(({ detail, ...event }) => ({ ...event, detail: detail as Json })); // what jsonb returns is JSON
}

/** Every column that an order is born with or that a move may change. */
const rowOf = (row: Stored): OrderRow => ({
  id: row.id,
  status: row.status,
  version: row.version,
  updatedAt: row.updatedAt,
  amounts: {
    size: row.size,
    price: row.price,
    stopLoss: row.stopLoss,
    riskUsd: row.riskUsd,
    filledSize: row.filledSize,
    avgFillPrice: row.avgFillPrice,
    fees: row.fees,
  },
  fields: {
    tradingMode: row.tradingMode,
    exchange: row.exchange,
    clientOrderId: row.clientOrderId,
    exchangeOrderId: row.exchangeOrderId,
    asset: row.asset,
    instrument: row.instrument,
    side: row.side,
    orderType: row.orderType,
    reduceOnly: row.reduceOnly,
    signalEventId: row.signalEventId,
    timeframe: row.timeframe,
    biasAt: row.biasAt,
    decidedAt: row.decidedAt,
    epoch: row.epoch,
    expTime: row.expTime,
    errorMessage: row.errorMessage,
  },
});

/**
 * Returns how many events orders have up to `until`, and one hash over their hashes, by order and number. Of a time that
 * no job writes for any more it is the same for ever.
 */
export async function orderHead(db: Db, until: Instant): Promise<RecordHead["orders"]> {
  const [found] = await rows(
    db,
    Sum,
    sql`SELECT count(*)::int AS events,
               encode(sha256(convert_to(coalesce(string_agg(hash, '' ORDER BY order_id, seq), ''), 'UTF8')), 'hex') AS hash
        FROM order_events WHERE at <= ${until}`,
  );
  if (!found) throw new TypeError("a SELECT of aggregates gives a row");
  return { until, ...found };
}
