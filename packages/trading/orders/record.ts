import { big, type Decimal, decimalOf } from "#units/decimal";
import type { OrderId } from "#units/ids";
import type { Instant } from "#units/time";
import { canonicalJson, type Json } from "../canonical-json.ts";
import { ORDER_EVENTS, OrderStatus, TRANSITIONS } from "./order.ts";
import { eventHash, NO_HASH, type StoredEvent } from "./stored-order.ts";

/** An order's row, as far as its events tell it too; each field is named as an event's `set` names it. */
export interface OrderRow {
  readonly id: OrderId;
  readonly status: string;
  readonly version: number;
  readonly updatedAt: Instant;
  /** Amounts, compared as numbers. */
  readonly amounts: Readonly<Record<string, Decimal | null>>;
  /** All else. */
  readonly fields: Readonly<Record<string, Json>>;
}

/** What is wrong with the record of an order. `seq` is that of the event, null where it is the order's row or the whole. */
export interface OrderFault {
  readonly order: OrderId;
  readonly seq: number | null;
  readonly reason: string;
}

/**
 * Returns the first thing that is wrong with the record of an order, or null. Its events, in order of `seq`, are numbered
 * from 0 without a gap, each hashes the one before, they form a path of the life cycle that begins as proposed, and what
 * they set is what the row holds. Events that were all rewritten with fresh hashes show only against a kept head.
 */
export function orderFault(order: OrderRow, events: readonly StoredEvent[]): OrderFault | null {
  const fault = (seq: number | null, reason: string): OrderFault => ({ order: order.id, seq, reason });
  const last = events.at(-1);
  if (last === undefined) return fault(null, "its events are missing");
  let [status, hash]: [string | null, string] = [null, NO_HASH];
  for (const [seq, event] of events.entries()) {
    const { hash: written, ...rest } = event;
    if (event.seq !== seq) return fault(seq, "event missing");
    if (event.prevHash !== hash) return fault(seq, "link broken");
    if (eventHash(rest) !== written) return fault(seq, "event changed");
    if (event.fromStatus !== status || !isMove(status, event))
      return fault(seq, `no move of the life cycle: ${status ?? "nothing"} to ${event.toStatus}`);
    [status, hash] = [event.toStatus, written];
  }
  if (order.version !== last.seq)
    return fault(null, `events end at ${last.seq}, the order's version is ${order.version}`);
  if (order.status !== status) return fault(null, `events end as ${status}, the order is ${order.status}`);
  if (order.updatedAt !== last.at) return fault(null, "the order was changed at another time than its events say");
  const field = differing(order, events);
  return field === null ? null : fault(null, `${field} is not what its events say`);
}

/** Whether an event names a move that the life cycle has from `from`, to where it says. */
function isMove(from: string | null, { detail, toStatus }: StoredEvent): boolean {
  const name = isObject(detail) ? detail.event : null;
  if (from === null) return name === "proposed" && toStatus === "proposed";
  const event = ORDER_EVENTS.find((known) => known === name);
  const status = OrderStatus.safeParse(from);
  return event !== undefined && status.success && TRANSITIONS[status.data][event] === toStatus;
}

/** Returns the first field that the row holds otherwise than the events set it last, or null. One that none set is null, or 0. */
function differing({ amounts, fields }: OrderRow, events: readonly StoredEvent[]): string | null {
  const set: Record<string, Json> = {};
  for (const { detail } of events) if (isObject(detail) && isObject(detail.set)) Object.assign(set, detail.set);
  const amount = Object.entries(amounts).find(([name, stored]) => !isSameAmount(stored, set[name] ?? null));
  if (amount) return amount[0];
  const other = Object.entries(fields).find(
    ([name, stored]) => canonicalJson(stored) !== canonicalJson(set[name] ?? null),
  );
  return other ? other[0] : null;
}

// Columns hold 8 or 18 digits after the point; an average may have been computed with more.
const TOLERANCE = decimalOf("0.00000001");

function isSameAmount(stored: Decimal | null, said: Json): boolean {
  if (said === null) return stored === null || big(stored).eq(0);
  if (stored === null || typeof said !== "string" || !/^-?\d+(\.\d+)?$/.test(said)) return false;
  return big(stored).minus(decimalOf(said)).abs().lte(TOLERANCE);
}

const isObject = (value: Json | undefined): value is { readonly [key: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value);
