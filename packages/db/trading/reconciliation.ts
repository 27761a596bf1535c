import { and, asc, eq, inArray, sql } from "drizzle-orm";
import type { Account } from "#trading/account";
import type { Fill } from "#trading/fill";
import type { Instrument } from "#trading/instrument";
import { AT_VENUE, isLate, type OrderEvent } from "#trading/order";
import type { Policy } from "#trading/policy";
import { adoptionOf, type Break, comparePositions } from "#trading/reconcile";
import { GRACE_MS, type Look, resolve } from "#trading/resolve";
import type { StoredOrder } from "#trading/stored-order";
import type { Exchange, VenueOrder, VenuePosition } from "#trading/venue";
import { big, type Decimal, ZERO } from "#units/decimal";
import type { OrderId } from "#units/ids";
import { type Instant, instant, millis } from "#units/time";
import type { Db } from "../client.ts";
import { orderEvents, orders } from "../schema.ts";
import { moveOrder } from "./move-order.ts";
import { filledOf, lastFillAt } from "./order-fills.ts";
import { readOrder } from "./orders.ts";
import { heldContracts } from "./plans.ts";
import { type Marking, openPositions, rebuildPositions } from "./positions.ts";

/** One reconciliation: which account, when, and by whom. */
export interface Run {
  readonly account: Account;
  readonly at: Instant;
  readonly by: string;
  readonly policy: Policy;
  readonly barSeconds: number;
}

/** The answer of one look-up by client order id; a failed query is no answer, and never an empty one. */
export interface LookedUp {
  readonly order: StoredOrder;
  readonly outcome: Look["outcome"];
  readonly found: VenueOrder | null;
  /** The venue's clock when it was asked. */
  readonly now: Instant;
}

const OVERLAP_MS = 5 * 60_000;
/** OKX keeps unfilled canceled orders for two hours; an open order that it does not know after that is gone. */
const FORGOTTEN_MS = 2 * 3_600_000;
const FIRST_LOOK_BACK_MS = 24 * 3_600_000;

/** Returns from when fills are asked for: well before the newest one that is booked, or a day back. */
export async function fillCursor(db: Db, account: Account, at: Instant): Promise<Instant> {
  const last = await lastFillAt(db, account);
  return instant(last === null ? millis(at) - FIRST_LOOK_BACK_MS : millis(last) - OVERLAP_MS);
}

/** Asks the venue for each order once, at once. A query that fails is an outcome of its own, not an absence. */
export async function lookUp(exchange: Exchange, list: readonly StoredOrder[], now: Instant): Promise<LookedUp[]> {
  const ask = async (order: StoredOrder): Promise<LookedUp> => {
    const answer = await exchange.order(order.instrument, order.clientOrderId).then(
      (found) => ({ outcome: found === null ? ("missing" as const) : ("found" as const), found }),
      () => ({ outcome: "failed" as const, found: null }),
    );
    return { order, now, ...answer };
  };
  return Promise.all(list.map(ask));
}

/** What became of the orders of a run. */
export interface Settled {
  readonly orders: readonly StoredOrder[];
  /** Fills on dead orders, and orders filled beyond their size. */
  readonly impossibleFills: number;
}

type Total = NonNullable<ReturnType<Awaited<ReturnType<typeof filledOf>>["get"]>>;

/** Applies one order's booked fills and the venue's word until nothing more moves. */
async function adopt(
  db: Db,
  run: Run,
  order: StoredOrder,
  total: Total | undefined,
  found: VenueOrder | null,
): Promise<StoredOrder> {
  const booked = total?.size ?? ZERO;
  const most = big(booked).gt(order.size) ? order.size : booked;
  let current = order;
  for (;;) {
    const facts = { status: current.status, size: current.size, bookedBefore: current.filledSize };
    const event = adoptionOf(facts, most, found);
    if (event === null) return current;
    const isFill = event === "filled" || event === "partly_filled";
    const change = {
      ...(isFill && total ? { filledSize: most, avgFillPrice: total.price, fees: total.fee } : {}),
      ...(found && current.venueOrderId === null ? { exchangeOrderId: found.venueOrderId } : {}),
    };
    const detail = isFill && isLate(current.status) ? { alarm: "late fill" } : {};
    const moved = await moveOrder(db, current, event, { at: run.at, by: run.by, change, detail });
    if (moved === null) return (await readOrder(db, order.id)) as StoredOrder; // someone moved it; the next run goes on
    current = moved;
  }
}

/** Returns the looks that an unknown order has had, from its events. */
async function looksOf(db: Db, orderId: OrderId): Promise<Look[]> {
  const list = await db
    .select({
      at: sql<Instant>`${orderEvents.detail} ->> 'looked_at'`,
      outcome: sql<Look["outcome"]>`${orderEvents.detail} ->> 'outcome'`,
    })
    .from(orderEvents)
    .where(and(eq(orderEvents.orderId, orderId), sql`${orderEvents.detail} ->> 'event' = 'looked_up'`))
    .orderBy(asc(orderEvents.seq));
  return list;
}

/** Applies the unknown rule to an order that the venue did not show. */
async function resolveUnknown(db: Db, run: Run, { order, outcome, now }: LookedUp): Promise<StoredOrder> {
  const move = async (from: StoredOrder, event: OrderEvent, extra: { [key: string]: string } = {}) =>
    (await moveOrder(db, from, event, { at: run.at, by: run.by, detail: extra })) ??
    ((await readOrder(db, from.id)) as StoredOrder);
  let current = order;
  if (current.status === "submitting") {
    // Its submitter may still be at work until the deadline has passed.
    if (current.expiresAt !== null && millis(now) <= millis(current.expiresAt) + GRACE_MS) return current;
    current = await move(current, "lost");
  }
  const forgotten = current.status === "open" && outcome === "missing" && current.expiresAt !== null;
  if (forgotten && millis(now) > millis(current.expiresAt ?? now) + FORGOTTEN_MS) return move(current, "expired");
  if (current.status !== "unknown") return current;
  const known = { expiresAt: current.expiresAt, now, hasFill: big(current.filledSize).gt(0) };
  if (resolve({ ...known, looks: await looksOf(db, current.id) }) === "look")
    current = await move(current, "looked_up", { outcome, looked_at: now });
  if (current.status !== "unknown") return current;
  const verdict = resolve({ ...known, looks: await looksOf(db, current.id) });
  if (verdict === "expire") return move(current, "expired");
  return verdict === "quarantine" ? move(current, "quarantined") : current;
}

/**
 * Moves every order that was looked up, and every order of a new fill, to what fills and venue say. Fills must be booked
 * before. Orders that the venue does not show go through the unknown rule.
 */
export async function settleOrders(
  db: Db,
  run: Run,
  looked: readonly LookedUp[],
  fresh: readonly Fill[],
): Promise<Settled> {
  const byId = new Map(looked.map((answer) => [answer.order.id, answer]));
  const ids = [...new Set([...byId.keys(), ...fresh.flatMap((fill) => fill.orderId ?? [])])].sort();
  const totals = await filledOf(db, ids);
  const settled: StoredOrder[] = [];
  let impossibleFills = 0;
  for (const id of ids) {
    const answer = byId.get(id) ?? null;
    const order = (await readOrder(db, id)) as StoredOrder; // fills refer to orders by a foreign key
    const total = totals.get(id);
    const excess = total !== undefined && big(total.size).gt(order.size) && order.status !== "filled";
    const dead =
      !AT_VENUE.includes(order.status) && order.status !== "filled" && fresh.some((fill) => fill.orderId === id);
    if (excess || dead) impossibleFills += 1;
    // A fill of an order that was never sent moves nothing: no status would be true.
    const movable = AT_VENUE.includes(order.status) || isLate(order.status);
    const adopted = movable ? await adopt(db, run, order, total, answer?.found ?? null) : order;
    settled.push(
      answer === null || answer.found !== null ? adopted : await resolveUnknown(db, run, { ...answer, order: adopted }),
    );
  }
  return { orders: settled, impossibleFills };
}

/** Rebuilds the rows of every instrument that holds a position or has new fills. Returns our contracts by instrument. */
export async function rebuildAll(
  db: Db,
  run: Run,
  venue: readonly VenuePosition[],
  instruments: ReadonlyMap<string, Instrument>,
  { equity, fresh }: { readonly equity: Decimal; readonly fresh: readonly Fill[] },
): Promise<Map<string, Decimal>> {
  const marks = new Map(venue.map((position) => [position.instrument, position.markPrice]));
  const open = (await openPositions(db, run.account)).map((position) => position.instrument);
  const changed = new Set(fresh.map((fill) => fill.instrument));
  const held = new Map<string, Decimal>();
  for (const id of [...new Set([...open, ...changed])].sort()) {
    const instrument = instruments.get(id);
    if (!instrument) continue; // an external fill of something that the desk does not trade
    const quarter = Math.floor(millis(run.at) / 60_000) % 15 === 0;
    const marking: Marking = {
      at: run.at,
      mark: marks.get(id) ?? null,
      equity,
      barSeconds: run.barSeconds,
      measure: changed.has(id) || quarter,
    };
    held.set(id, await rebuildPositions(db, run.account, instrument, marking, run.policy));
  }
  return held;
}

/** Returns the breaks between our fills and the venue; an instrument with an order still in flight is not judged yet. */
export async function findBreaks(
  db: Db,
  run: Run,
  held: ReadonlyMap<string, Decimal>,
  venue: readonly VenuePosition[],
  lots: ReadonlyMap<string, Decimal>,
): Promise<Break[]> {
  const ours = new Map(held);
  for (const position of venue)
    if (!ours.has(position.instrument))
      ours.set(position.instrument, await heldContracts(db, run.account, position.instrument));
  const breaks = comparePositions(ours, venue, lots);
  if (breaks.length === 0) return [];
  const busy = await db
    .select({ instrument: orders.instrument })
    .from(orders)
    .where(and(eq(orders.tradingMode, run.account.mode), inArray(orders.status, [...AT_VENUE])));
  return breaks.filter((found) => !busy.some((order) => order.instrument === found.instrument));
}
