import { and, eq, type SQL, sql } from "drizzle-orm";
import type { OrderEvent } from "#trading/orders/order";
import {
  birthOf,
  bornWith,
  type EventRow,
  eventHash,
  type Move,
  movementOf,
  type NewOrder,
  NO_HASH,
  type OrderChange,
  orderIdOf,
  type StoredOrder,
  verdictOf,
} from "#trading/orders/stored-order";
import type { OrderId } from "#units/ids";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { orderEvents, orders } from "../schema.ts";
import { readOrder, STORED } from "./orders.ts";

// The one file that writes to `orders` and `order_events`: a lint rule refuses it elsewhere.

async function append(db: Db, row: EventRow): Promise<void> {
  const [last] = await drizzleOf(db)
    .select({ hash: orderEvents.hash })
    .from(orderEvents)
    .where(and(eq(orderEvents.orderId, row.orderId), eq(orderEvents.seq, row.seq - 1)));
  const prevHash = last?.hash ?? NO_HASH;
  await drizzleOf(db)
    .insert(orderEvents)
    .values({ ...row, prevHash, hash: eventHash({ ...row, prevHash }) });
}

/**
 * Makes one transition: compare-and-set on (status, version), with the hash-chained event appended, in one transaction.
 * The only function that changes an order. Returns the order after it, or null when someone moved it since it was read.
 * @throws InvalidTransition when the life cycle has no such move.
 */
export async function moveOrder(
  db: Db,
  order: Pick<StoredOrder, "id" | "status" | "version">,
  event: OrderEvent,
  move: Move,
): Promise<StoredOrder | null> {
  const row = movementOf(order, event, move);
  return drizzleOf(db).transaction(async (tx) => {
    const [moved] = await tx
      .update(orders)
      .set({ ...move.change, status: row.toStatus, version: row.seq, updatedAt: row.at })
      .where(and(eq(orders.id, order.id), eq(orders.status, order.status), eq(orders.version, order.version)))
      .returning(STORED);
    if (!moved) return null;
    await append(tx, row);
    return moved;
  });
}

/** What takes an order through some steps at once. */
export interface Moved {
  /** As it was read. */
  readonly order: StoredOrder;
  /** In order; at least one. */
  readonly events: readonly EventRow[];
  /** What they change of it together. */
  readonly change: OrderChange;
  /** Of the event that it stands at; null = it has none. */
  readonly lastHash: string | null;
}

/**
 * Returns the parts of one statement that take an order through its steps, under `name` and one more: compare-and-set on
 * status and version, with the events appended only where that holds.
 */
export function moving(db: Db, { order, events, change, lastHash }: Moved, name: string): SQL[] {
  const last = events.at(-1);
  if (last === undefined) return [];
  const moved = drizzleOf(db)
    .update(orders)
    .set({ ...change, status: last.toStatus, version: last.seq, updatedAt: last.at })
    .where(and(eq(orders.id, order.id), eq(orders.status, order.status), eq(orders.version, order.version)))
    .returning({ id: orders.id });
  let prevHash = lastHash ?? NO_HASH;
  const links = events.map(({ orderId, seq, at, fromStatus, toStatus, detail }) => {
    const link = { orderId, seq, at, fromStatus, toStatus, detail, prevHash };
    const hash = eventHash(link);
    prevHash = hash;
    return { ...link, hash };
  });
  const noted = sql`(INSERT INTO order_events (order_id, seq, at, from_status, to_status, detail, prev_hash, hash)
    SELECT link.* FROM jsonb_to_recordset(${JSON.stringify(links)}::text::jsonb)
      AS link("orderId" uuid, seq int, at timestamptz, "fromStatus" text, "toStatus" text, detail jsonb,
              "prevHash" text, hash text)
    WHERE EXISTS (SELECT 1 FROM ${sql.raw(name)}))`;
  return [sql`${sql.raw(name)} AS ${moved}`, sql`${sql.raw(`${name}_noted`)} AS ${noted}`];
}

/**
 * Writes an order as proposed and then approved or denied, in one transaction, once per client order id: a second call
 * changes nothing. Returns the stored order, which may be further than approved.
 */
export async function insertOrder(db: Db, fresh: NewOrder): Promise<StoredOrder> {
  const id = orderIdOf(fresh.order.clientOrderId);
  return drizzleOf(db).transaction(async (tx) => {
    const inserted = await tx.insert(orders).values(rowOf(id, fresh)).onConflictDoNothing().returning(STORED);
    const [proposed] = inserted;
    if (!proposed) return (await readOrder(tx, id)) as StoredOrder; // the conflict is on this id
    await append(tx, birthOf(id, fresh));
    return (await moveOrder(tx, proposed, ...verdictOf(fresh))) as StoredOrder; // nobody else sees it yet
  });
}

const rowOf = (id: OrderId, fresh: NewOrder): typeof orders.$inferInsert => ({
  id,
  ...bornWith(fresh),
  updatedAt: fresh.at,
  policySnapshot: fresh.policySnapshot,
  signalSnapshot: fresh.order.signal,
});
