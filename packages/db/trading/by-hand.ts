import { hashOf, type Json } from "#trading/canonical-json";
import { changeByHand, type StoredControl } from "#trading/control";
import type { TradingMode } from "#trading/mode";
import { type OrderStatus, TRANSITIONS } from "#trading/orders/order";
import { RULED, type Ruling, rulingOf } from "#trading/orders/ruling";
import type { StoredOrder } from "#trading/orders/stored-order";
import type { ControlState } from "#trading/plans/limits";
import { idOf } from "#units/ids";
import type { Instant } from "#units/time";
import { type AuditEntry, appendAudit } from "../audit.ts";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { changeControl, readControl } from "./control.ts";
import { moveOrder } from "./move-order.ts";
import { countDoubtful, namedOrder } from "./orders.ts";

/** Who ordered something, why, and when by their clock. */
export interface ByHand {
  readonly actor: string;
  readonly reason: string;
  readonly at: Instant;
}

/** Returns the audit entry of what a person did: who and why are in it. The same again has the same id. */
export function handEntry(
  action: string,
  [entityType, entityId]: readonly [type: string, id: string],
  { actor, reason, at }: ByHand,
  what: { readonly [key: string]: Json },
  traceId: string | null,
): AuditEntry {
  const newValue = { ...what, actor, reason };
  const id = idOf("audit", action, entityType, entityId, at, hashOf(newValue));
  return { id, at, action, entityType, entityId, newValue, traceId };
}

/** What a person asks of the kill switch. */
export interface ControlCommand extends ByHand {
  readonly mode: TradingMode;
  /** Null: the state that it has, in a new epoch. */
  readonly to: ControlState | null;
  readonly confirmed: boolean;
  /** What becomes of the mappings of a hard halt meanwhile; null: nothing. */
  readonly mappings: "disabled" | "enabled" | null;
}

export type Commanded =
  | { readonly done: true; readonly before: StoredControl; readonly control: StoredControl }
  | { readonly done: false; readonly why: string; readonly control: StoredControl };

/** The column `actor` is this wide; the audit log has all of a longer name, and of an ARN the end tells who. */
const ACTOR_WIDTH = 100;
const narrow = (actor: string): string => (actor.length <= ACTOR_WIDTH ? actor : `…${actor.slice(1 - ACTOR_WIDTH)}`);

/**
 * Changes the kill switch as a person asks, in a new epoch and with its row in the audit log, in one transaction; or says
 * why not. A repeated call (same person, instant and reason) returns what the first one did. Of two persons at once both
 * are judged, one after the other.
 */
export async function commandControl(db: Db, command: ControlCommand, traceId: string | null): Promise<Commanded> {
  const done = await drizzleOf(db).transaction((tx) => commandOnce(tx, command, traceId));
  return done ?? commandControl(db, command, traceId);
}

/** Null: someone else changed it since it was read. */
async function commandOnce(tx: Db, command: ControlCommand, traceId: string | null): Promise<Commanded | null> {
  const { mode, at, reason, mappings } = command;
  const actor = narrow(command.actor);
  const before = await readControl(tx, mode);
  if (before.changedAt === at && before.actor === actor && before.reason === reason)
    return { done: true, before, control: before };
  const verdict = changeByHand(before, { ...command, inDoubt: await countDoubtful(tx, mode) });
  // A hard halt of a desk that is halted is one more act, and is kept.
  const state = verdict === "stays" && mappings !== null ? before.state : verdict;
  if (state === "stays") return { done: false, why: `it is ${before.state} already`, control: before };
  if (typeof state === "object" && "refused" in state) return { done: false, why: state.refused, control: before };
  const to = typeof state === "object" ? state.state : state;
  const control = await changeControl(tx, mode, before.epoch, { state: to, reason, actor, at });
  if (control === null) return null;
  const was = { state: before.state, epoch: before.epoch };
  const what = { mode, state: to, epoch: control.epoch, before: was, ...(mappings === null ? {} : { mappings }) };
  await appendAudit(tx, [handEntry("trading.changed", ["trading", idOf("trading", mode)], command, what, traceId)]);
  return { done: true, before, control };
}

/** What a person did elsewhere, by keys alone. */
export interface NoteCommand extends ByHand {
  readonly mode: TradingMode;
  readonly what: "exchange.checked";
  readonly result: string;
}

/** Writes to the audit log what a person did elsewhere. The same again writes nothing. */
export async function noteByHand(db: Db, command: NoteCommand, traceId: string | null): Promise<{ done: true }> {
  const { mode, what, result } = command;
  await appendAudit(db, [handEntry(what, ["trading", idOf("trading", mode)], command, { mode, result }, traceId)]);
  return { done: true };
}

/** What a person found when they looked up an order. */
export interface JudgeCommand extends ByHand {
  /** Its id, or its client order id. */
  readonly order: string;
  readonly ruling: Ruling;
}

export type Judged =
  | { readonly done: true; readonly order: StoredOrder; readonly before: OrderStatus }
  | { readonly done: false; readonly why: string };

/**
 * Moves an order in doubt as a person found it at the venue, with its row in the audit log, in one transaction; or says why
 * not. A repeated call (same order, ruling and instant) returns what the first one did.
 */
export async function judgeByHand(db: Db, command: JudgeCommand, traceId: string | null): Promise<Judged> {
  const done = await drizzleOf(db).transaction((tx) => judgeOnce(tx, command, traceId));
  return done ?? judgeByHand(db, command, traceId);
}

const BY = "judge";

/** Null: someone else moved it since it was read. */
async function judgeOnce(tx: Db, command: JudgeCommand, traceId: string | null): Promise<Judged | null> {
  const { at, ruling, reason, actor } = command;
  const order = await namedOrder(tx, command.order);
  if (order === null) return { done: false, why: "there is no such order: give its id or its client order id" };
  const isRepeated = order.updatedAt === at && order.status === TRANSITIONS.unknown[RULED[ruling]];
  if (isRepeated) return { done: true, order, before: order.status };
  const ruled = rulingOf(order, ruling, at);
  if ("refused" in ruled) return { done: false, why: ruled.refused };
  const change = ruling === "not-there" ? { errorMessage: `not at the venue: ${reason}` } : {};
  const moved = await moveOrder(tx, order, ruled.event, { at, by: BY, change, detail: { ruling, actor, reason } });
  if (moved === null) return null;
  const { mode, instrument, clientOrderId, status } = moved;
  const what = { mode, instrument, clientOrderId, ruling, before: order.status, status };
  await appendAudit(tx, [handEntry("order.judged", ["order", order.id], command, what, traceId)]);
  return { done: true, order: moved, before: order.status };
}
