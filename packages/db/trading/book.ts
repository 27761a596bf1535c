import { sql } from "drizzle-orm";
import { LOOKED_FOR, lookOf, type OrderBooks, type Settlement } from "#trading/orders/settle";
import { type EventRow, movementOf, type OrderChange, type StoredOrder } from "#trading/orders/stored-order";
import { type FeePrice, needsPrice, priceOf } from "#trading/positions/fee";
import { byTime, causeOf, type Fill, signed, totalOf } from "#trading/positions/fill";
import { measuresDrawdown } from "#trading/positions/reconcile";
import type { Booked, Run, Seen } from "#trading/store";
import { big, text, ZERO } from "#units/decimal";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { type BookFacts, bookFacts } from "./book-facts.ts";
import { pricing } from "./fees.ts";
import { type Moved, moving } from "./move-order.ts";
import { filling, isForeign, type Stored } from "./order-fills.ts";
import { type Rebuilt, rebuiltPositions, removePositions, writing } from "./position-rows.ts";
import { toOpen } from "./positions.ts";

type Settle = (books: OrderBooks) => Settlement;

/** So often another run may come between what is read and what is written. */
const TRIES = 3;

/**
 * Books what the venue said of one instrument: fills, the steps of `settle`, and positions from fills. It reads in one
 * statement and writes in one, which is a transaction: a fill or a position that another run has written in between makes
 * the database refuse all of it, and the booking begins again from what is there then.
 */
export async function book(db: Db, run: Run, seen: Seen, settle: Settle): Promise<Booked> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await bookOnce(db, run, seen, settle);
    } catch (error) {
      if (attempt === TRIES || !isOvertaken(error)) throw error;
    }
  }
}

const KEYS = ["order_fills", "positions"];

/** Returns whether a key of a fill or a position was taken. Source: PostgreSQL, "Error Codes", unique_violation. */
function isOvertaken(error: unknown): boolean {
  const { code, table_name: table } = ((error as Error).cause ?? {}) as { code?: string; table_name?: string };
  return code === "23505" && KEYS.includes(table ?? "");
}

async function bookOnce(db: Db, run: Run, seen: Seen, settle: Settle): Promise<Booked> {
  const books = await bookFacts(db, run, seen);
  const fresh = freshOf(run, seen, books);
  const prices = pricesOf(seen, books);
  const { moved, impossibleFills } = settled(run, seen, priced(books, seen, prices), fresh, settle);
  const { rows, gone, held, open } = await rebuilt(
    db,
    run,
    seen,
    priced(books, seen, prices),
    fresh,
    prices.length > 0,
  );
  const parts = [
    ...(fresh.length === 0 ? [] : [sql`filled AS ${filling(db, run.account, fresh)}`]),
    ...prices.map(
      (price, nth) => sql`${sql.raw(`priced_${nth}`)} AS ${pricing(db, run.account, seen.instrument, price)}`,
    ),
    ...moved.flatMap((order, nth) => moving(db, order, `moved_${nth}`)),
    ...(rows.length === 0 ? [] : [sql`kept AS ${writing(db, rows)}`]),
  ];
  const write = (to: Db) => drizzleOf(to).execute(sql`WITH ${sql.join(parts, sql`, `)} SELECT 1`);
  if (gone.length > 0)
    // First what is gone: a fill that is seen late may join two episodes, and the open one takes the earlier one's row.
    await drizzleOf(db).transaction(async (tx) => {
      await removePositions(tx, gone);
      if (parts.length > 0) await write(tx);
    });
  else if (parts.length > 0) await write(db);
  return { held, open, foreign: fresh.filter(isForeign).sort(byTime), impossibleFills };
}

/** Returns the fills that are not booked yet, once each by trade id, as they are to be stored. */
function freshOf({ account }: Run, seen: Seen, { known, orders }: BookFacts): Stored[] {
  const { listed, since } = seen;
  const taken = new Set(known.map(({ tradeId }) => tradeId));
  const ours = new Map(orders.map((order) => [order.clientOrderId, order.id]));
  const prices = new Map(seen.feePrices.map(({ tradeId, price }) => [tradeId, price]));
  const reach = { mode: account.mode, isListed: listed !== null, since };
  return seen.fills.flatMap(({ clientOrderId, venueOrderId: _, cause: told, ...fill }) => {
    if (taken.has(fill.tradeId)) return [];
    taken.add(fill.tradeId);
    const orderId = (clientOrderId === null ? null : ours.get(clientOrderId)) ?? null;
    const cause = orderId === null ? causeOf({ ...fill, clientOrderId, ...(told && { cause: told }) }, reach) : null;
    const price = priceOf(fill, prices);
    const decimals = {
      size: text(fill.size),
      price: text(fill.price),
      fee: text(fill.fee),
      feePrice: price && text(price),
    };
    return [{ ...fill, ...decimals, orderId, cause }];
  });
}

/** Returns the prices of fees that are booked and have none yet, the first of each. */
const pricesOf = ({ feePrices }: Seen, { known }: BookFacts): FeePrice[] =>
  known.flatMap((fill) => {
    const found = feePrices.find(({ tradeId }) => tradeId === fill.tradeId);
    return found !== undefined && fill.feePrice === null && needsPrice(fill) ? [found] : [];
  });

/** Returns the books with the prices in them that are about to be written. */
function priced(books: BookFacts, { instrument }: Seen, prices: readonly FeePrice[]): BookFacts {
  if (prices.length === 0) return books;
  const found = new Map(prices.map(({ tradeId, price }) => [tradeId, text(price)]));
  const withPrice = <F extends Fill>(fill: F): F =>
    fill.instrument === instrument && found.has(fill.tradeId)
      ? { ...fill, feePrice: found.get(fill.tradeId) ?? null }
      : fill;
  return { ...books, filled: books.filled.map(withPrice), fills: books.fills.map(withPrice) };
}

/** Returns how the orders that are asked for and those of new fills move, by id, and the impossible fills among theirs. */
function settled({ at, by }: Run, { orderIds }: Seen, books: BookFacts, fresh: readonly Stored[], settle: Settle) {
  const filledNow = new Set(fresh.flatMap(({ orderId }) => orderId ?? []));
  const fills = Map.groupBy([...books.filled, ...fresh], ({ orderId }) => orderId);
  const looks = Map.groupBy(books.looks, ({ orderId }) => orderId);
  const hashes = new Map(books.hashes.map(({ orderId, hash }) => [orderId, hash]));
  const asked = books.orders.filter(({ id }) => orderIds.includes(id) || filledNow.has(id));
  let impossibleFills = 0;
  const moved = asked.flatMap((order): Moved[] => {
    const { id, status } = order;
    const mine = fills.get(id);
    const seen = LOOKED_FOR.includes(status) ? (looks.get(id) ?? []).map(({ detail }) => lookOf(detail)) : [];
    const told = { order, filled: mine ? totalOf(mine) : null, isFresh: filledNow.has(id), looks: seen };
    const { steps, impossible } = settle(told);
    if (impossible) impossibleFills += 1;
    const events: EventRow[] = [];
    let change: OrderChange = {};
    let current: Pick<StoredOrder, "id" | "status" | "version"> = order;
    for (const { event, ...rest } of steps) {
      const row = movementOf(current, event, { at, by, ...rest });
      events.push(row);
      change = { ...change, ...rest.change };
      current = { id, status: row.toStatus, version: row.seq };
    }
    return events.length === 0 ? [] : [{ order, events, change, lastHash: hashes.get(id) ?? null }];
  });
  return { moved, impossibleFills };
}

/** Returns the position rows of an instrument that has a position or new fills, and what is held and open after them. */
async function rebuilt(
  db: Db,
  { account, at, barSeconds, policy }: Run,
  { listed, mark, equity }: Seen,
  books: BookFacts,
  fresh: readonly Stored[],
  isPriced: boolean,
): Promise<Rebuilt> {
  const counting = fresh.filter(({ orderId, cause }) => orderId !== null || cause !== null);
  const open = books.positions.find(({ closedAt }) => closedAt === null) ?? null;
  const isFresh = fresh.length > 0 || isPriced;
  if (listed === null || !(open || isFresh)) {
    const held = counting.reduce((sum, fill) => sum.plus(signed(fill)), big(books.held ?? ZERO));
    return { rows: [], gone: [], held: text(held), open: open && toOpen(open) };
  }
  const marking = { at, mark, equity, barSeconds, measure: isFresh || measuresDrawdown(at) };
  return rebuiltPositions(db, { account, instrument: listed, marking, policy }, books, counting);
}
