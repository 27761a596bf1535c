import { LOOKED_FOR, type OrderBooks, type Settlement, type Step } from "#trading/orders/settle";
import type { StoredOrder } from "#trading/orders/stored-order";
import { byTime, type Fill } from "#trading/positions/fill";
import { measuresDrawdown } from "#trading/positions/reconcile";
import type { Booked, Run, Seen } from "#trading/store";
import type { Decimal } from "#units/decimal";
import type { OrderId } from "#units/ids";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { priceFees } from "./fees.ts";
import { heldContracts } from "./lane-facts.ts";
import { moveOrder } from "./move-order.ts";
import { filledOf, insertFills, isForeign } from "./order-fills.ts";
import { looksOf, ordersById } from "./orders.ts";
import { openPositions, rebuildPositions } from "./positions.ts";

type Settle = (books: OrderBooks) => Settlement;

/** Books what the venue said of one instrument, in one transaction: fills, the steps of `settle`, and positions from fills. */
export function book(db: Db, run: Run, seen: Seen, settle: Settle): Promise<Booked> {
  return drizzleOf(db).transaction(async (tx) => {
    const fresh = await insertFills(tx, run.account, seen);
    const isPriced = await priceFees(tx, run.account, seen.instrument, seen.feePrices);
    const impossibleFills = await settleAll(tx, run, seen.orderIds, fresh, settle);
    const held = await rebuild(tx, run, seen, fresh.length > 0 || isPriced);
    const open = (await openPositions(tx, run.account)).find((one) => one.instrument === seen.instrument) ?? null;
    return { held, open, foreign: fresh.filter(isForeign).sort(byTime), impossibleFills };
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

/** Rebuilds the position rows of an instrument that has a position or new fills. Returns our contracts. */
async function rebuild(
  tx: Db,
  { account, at, barSeconds, policy }: Run,
  { instrument, listed, mark, equity }: Seen,
  isFresh: boolean,
): Promise<Decimal> {
  const open = (await openPositions(tx, account)).some((position) => position.instrument === instrument);
  if (listed === null || !(open || isFresh)) return heldContracts(tx, account, instrument);
  const marking = { at, mark, equity, barSeconds, measure: isFresh || measuresDrawdown(at) };
  return rebuildPositions(tx, account, listed, marking, policy);
}
