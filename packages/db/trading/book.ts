import { LOOKED_FOR, type OrderBooks, type Settlement, type Step } from "#trading/orders/settle";
import type { StoredOrder } from "#trading/orders/stored-order";
import type { Fill } from "#trading/positions/fill";
import { measuresDrawdown } from "#trading/positions/reconcile";
import type { Booked, Run, Seen } from "#trading/store";
import type { Decimal } from "#units/decimal";
import type { OrderId } from "#units/ids";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { insertEquity } from "./equity.ts";
import { moveOrder } from "./move-order.ts";
import { filledOf, insertFills } from "./order-fills.ts";
import { looksOf, ordersById } from "./orders.ts";
import { openPositions, rebuildPositions } from "./positions.ts";

type Settle = (books: OrderBooks) => Settlement;

/** Books what the venue said, in one transaction: equity, fills, the steps of `settle`, and positions from fills. */
export function book(db: Db, run: Run, seen: Seen, settle: Settle): Promise<Booked> {
  return drizzleOf(db).transaction(async (tx) => {
    if (seen.balance !== null) await insertEquity(tx, run.account, run.at, seen.balance);
    const fresh = await insertFills(tx, run.account, seen.fills);
    const impossibleFills = await settleAll(tx, run, seen.orderIds, fresh, settle);
    return { held: await rebuildAll(tx, run, seen, fresh), impossibleFills };
  });
}

/** Settles the orders that are asked for and those of new fills, by id. Returns the impossible fills. */
async function settleAll(
  tx: Db,
  run: Run,
  orderIds: readonly OrderId[],
  fresh: readonly Fill[],
  settle: Settle,
): Promise<number> {
  const filledNow = new Set(fresh.flatMap((fill) => fill.orderId ?? []));
  const orders = await ordersById(tx, [...new Set([...orderIds, ...filledNow])]);
  const ids = (list: readonly StoredOrder[]) => list.map((order) => order.id);
  const totals = await filledOf(tx, ids(orders));
  const looks = await looksOf(tx, ids(orders.filter((order) => LOOKED_FOR.includes(order.status))));
  let impossible = 0;
  for (const order of orders) {
    const { id } = order;
    const books = { order, filled: totals.get(id) ?? null, isFresh: filledNow.has(id), looks: looks.get(id) ?? [] };
    const settlement = settle(books);
    if (settlement.impossible) impossible += 1;
    await take(tx, run, order, settlement.steps);
  }
  return impossible;
}

/** Takes an order through its steps, until one fails since someone else moved it: the next run goes on from there. */
async function take(tx: Db, { at, by }: Run, order: StoredOrder, steps: readonly Step[]): Promise<void> {
  let current: StoredOrder | null = order;
  for (const { event, ...rest } of steps) {
    if (current !== null) current = await moveOrder(tx, current, event, { at, by, ...rest });
  }
}

/** Rebuilds the rows of every instrument that holds a position or has new fills. Returns our contracts by instrument. */
async function rebuildAll(
  tx: Db,
  { account, at, barSeconds, policy }: Run,
  { positions, instruments, equity }: Seen,
  fresh: readonly Fill[],
): Promise<Map<string, Decimal>> {
  const marks = new Map(positions.map((position) => [position.instrument, position.markPrice]));
  const open = (await openPositions(tx, account)).map((position) => position.instrument);
  const changed = new Set(fresh.map((fill) => fill.instrument));
  const held = new Map<string, Decimal>();
  for (const id of [...new Set([...open, ...changed])].sort()) {
    const instrument = instruments.get(id);
    if (!instrument) continue; // an external fill of something that the desk does not trade
    const measure = changed.has(id) || measuresDrawdown(at);
    const marking = { at, mark: marks.get(id) ?? null, equity, barSeconds, measure };
    held.set(id, await rebuildPositions(tx, account, instrument, marking, policy));
  }
  return held;
}
