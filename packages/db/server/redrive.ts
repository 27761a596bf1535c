import { and, desc, eq, gt } from "drizzle-orm";
import { isClosed } from "#trading/orders/order";
import { isAllowed, voidReason } from "#trading/orders/stored-order";
import { POLICY } from "#trading/plans/policy";
import type { EventId, OrderId, WalletId } from "#units/ids";
import { type Instant, millis } from "#units/time";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { bias, chainBlocks, eventAnalysis, eventRefs, wallets } from "../schema.ts";
import { readControl } from "../trading/control.ts";
import { moveOrder } from "../trading/move-order.ts";
import { readOrder } from "../trading/orders.ts";

/**
 * What is to become of a dead letter: back to its queue; gone, because what it asks for is done or moot; or left where it
 * is, for a person. `order` is an approved order that must not go out any more, to be voided when its message is dropped.
 */
export type Verdict =
  | { readonly act: "send" }
  | { readonly act: "drop"; readonly reason: string; readonly order?: OrderId }
  | { readonly act: "keep"; readonly reason: string };

/** Sent back, whatever the state: its consumer stands any repetition. */
export const SEND: Verdict = { act: "send" };
const drop = (reason: string): Verdict => ({ act: "drop", reason });

/** Voids an approved order whose message is dropped, so that its instrument is free again. Someone else's move wins. */
export async function voidDropped(db: Db, orderId: OrderId, reason: string, now: Instant): Promise<void> {
  const order = await readOrder(db, orderId);
  if (order?.status !== "approved") return;
  await moveOrder(db, order, "voided", { at: now, by: "redrive", change: { errorMessage: reason } });
}

/** A block that is stored may still have unsent events, so it goes back; only another block in its place makes it moot. */
export async function blockVerdict(
  db: Db,
  { chain, number, hash }: { readonly chain: string; readonly number: number; readonly hash: string },
): Promise<Verdict> {
  const [stored] = await drizzleOf(db)
    .select({ hash: chainBlocks.hash })
    .from(chainBlocks)
    .where(and(eq(chainBlocks.chain, chain), eq(chainBlocks.number, number)));
  return stored && stored.hash !== hash ? drop(`a reorg put block ${stored.hash} at height ${number}`) : SEND;
}

/** An event that was taken back or is analyzed needs nothing. Its analysis is one transaction, and sends nothing. */
export async function eventVerdict(db: Db, { eventId }: { readonly eventId: EventId }): Promise<Verdict> {
  const [ref] = await drizzleOf(db)
    .select({ reorgedAt: eventRefs.reorgedAt })
    .from(eventRefs)
    .where(eq(eventRefs.id, eventId));
  if (!ref) return drop("there is no such event: it was taken back, or is past retention");
  if (ref.reorgedAt !== null) return drop(`a reorg took the event back at ${ref.reorgedAt}`);
  return (await drizzleOf(db).$count(eventAnalysis, eq(eventAnalysis.eventId, eventId))) > 0
    ? drop("it is analyzed")
    : SEND;
}

/** A wallet that is known is scored as of the message's time, whatever was scored since. */
export async function walletVerdict(db: Db, { walletId }: { readonly walletId: WalletId }): Promise<Verdict> {
  return (await drizzleOf(db).$count(wallets, eq(wallets.id, walletId))) === 0 ? drop("there is no such wallet") : SEND;
}

interface AssetAt {
  readonly asset: string;
  readonly at: Instant;
}

/** A bias that was overtaken is moot, and the plan that it asks for would be one from old prices. */
export async function biasVerdict(db: Db, { asset, at }: AssetAt): Promise<Verdict> {
  const [newer] = await drizzleOf(db)
    .select({ at: bias.timestamp })
    .from(bias)
    .where(and(eq(bias.asset, asset), gt(bias.timestamp, at)))
    .orderBy(desc(bias.timestamp))
    .limit(1);
  return newer ? drop(`${asset} has a newer bias, of ${newer.at}`) : SEND;
}

/** A plan holds as long as its bias may be traded. */
export async function planVerdict(db: Db, { asset, at }: AssetAt, now: Instant): Promise<Verdict> {
  const age = secondsBetween(at, now);
  if (age > POLICY.maxBiasAgeSeconds) return drop(`the plan is ${age} s old; the desk has planned again since`);
  return biasVerdict(db, { asset, at });
}

/**
 * Only an approved order goes out, and only while the kill switch allows it and the prices that it was decided at are not
 * older than a bias may be. An approved order that is not sent is to be voided: it would keep its instrument busy for ever.
 */
export async function orderVerdict(db: Db, { orderId }: { readonly orderId: OrderId }, now: Instant): Promise<Verdict> {
  const order = await readOrder(db, orderId);
  if (!order) return drop("there is no such order");
  if (isClosed(order.status)) return drop(`the order is ${order.status}`);
  if (order.status !== "approved") return drop(`the order is ${order.status}: the reconciler has it`);
  const control = await readControl(db, order.mode);
  if (!isAllowed(control, order)) return { act: "drop", reason: voidReason(control, order.epoch), order: orderId };
  const age = secondsBetween(order.decidedAt, now);
  if (age <= POLICY.maxBiasAgeSeconds) return SEND;
  return { act: "drop", reason: `voided: decided ${age} s ago, at prices that are gone`, order: orderId };
}

const secondsBetween = (from: Instant, to: Instant): number => Math.round((millis(to) - millis(from)) / 1000);
