import { and, desc, eq, gt } from "drizzle-orm";
import { isClosed } from "#trading/orders/order";
import { isAllowed, voidReason } from "#trading/orders/stored-order";
import type { Policy } from "#trading/plans/policy";
import { type EventId, idOf, type OrderId, type WalletId } from "#units/ids";
import { type Instant, millis } from "#units/time";
import { appendAudit } from "../audit.ts";
import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { bias, chainBlocks, eventAnalysis, eventRefs, wallets } from "../schema.ts";
import { type ByHand, handEntry } from "../trading/by-hand.ts";
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
const SEND: Verdict = { act: "send" };
const drop = (reason: string): Verdict => ({ act: "drop", reason });

/** Voids an approved order whose message is dropped, so that its instrument is free again. Someone else's move wins. */
async function voidDropped(db: Db, orderId: OrderId, reason: string, now: Instant): Promise<void> {
  const order = await readOrder(db, orderId);
  if (order?.status !== "approved") return;
  await moveOrder(db, order, "voided", { at: now, by: "redrive", change: { errorMessage: reason } });
}

/** A block that is stored may still have unsent events, so it goes back; only another block in its place makes it moot. */
async function blockVerdict(
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
async function eventVerdict(db: Db, { eventId }: { readonly eventId: EventId }): Promise<Verdict> {
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
async function walletVerdict(db: Db, { walletId }: { readonly walletId: WalletId }): Promise<Verdict> {
  return (await drizzleOf(db).$count(wallets, eq(wallets.id, walletId))) === 0 ? drop("there is no such wallet") : SEND;
}

/** Those of the desk's own policy. */
type Limits = Pick<Policy, "maxBiasAgeSeconds">;

interface AssetAt {
  readonly asset: string;
  readonly at: Instant;
}

/** A bias that was overtaken is moot, and the plan that it asks for would be one from old prices. */
async function biasVerdict(db: Db, { asset, at }: AssetAt): Promise<Verdict> {
  const [newer] = await drizzleOf(db)
    .select({ at: bias.timestamp })
    .from(bias)
    .where(and(eq(bias.asset, asset), gt(bias.timestamp, at)))
    .orderBy(desc(bias.timestamp))
    .limit(1);
  return newer ? drop(`${asset} has a newer bias, of ${newer.at}`) : SEND;
}

/** A plan holds as long as its bias may be traded. */
async function planVerdict(db: Db, { asset, at }: AssetAt, now: Instant, limits: Limits): Promise<Verdict> {
  const age = secondsBetween(at, now);
  if (age > limits.maxBiasAgeSeconds) return drop(`the plan is ${age} s old; the desk has planned again since`);
  return biasVerdict(db, { asset, at });
}

/**
 * Only an approved order goes out, and only while the kill switch allows it and the prices that it was decided at are not
 * older than a bias may be. An approved order that is not sent is to be voided: it would keep its instrument busy for ever.
 */
async function orderVerdict(
  db: Db,
  { orderId }: { readonly orderId: OrderId },
  now: Instant,
  limits: Limits,
): Promise<Verdict> {
  const order = await readOrder(db, orderId);
  if (!order) return drop("there is no such order");
  if (isClosed(order.status)) return drop(`the order is ${order.status}`);
  if (order.status !== "approved") return drop(`the order is ${order.status}: the reconciler has it`);
  const control = await readControl(db, order.mode);
  if (!isAllowed(control, order)) return { act: "drop", reason: voidReason(control, order.epoch), order: orderId };
  const age = secondsBetween(order.decidedAt, now);
  if (age <= limits.maxBiasAgeSeconds) return SEND;
  return { act: "drop", reason: `voided: decided ${age} s ago, at prices that are gone`, order: orderId };
}

const secondsBetween = (from: Instant, to: Instant): number => Math.round((millis(to) - millis(from)) / 1000);

/** A dead letter, by what its queue's contract makes of it. */
export type DeadLetter = { readonly id: string } & (
  | { readonly kind: "look" }
  | { readonly kind: "protection" }
  | { readonly kind: "block"; readonly message: Parameters<typeof blockVerdict>[1] }
  | { readonly kind: "event"; readonly message: { readonly eventId: EventId } }
  | { readonly kind: "wallet"; readonly message: { readonly walletId: WalletId } }
  | { readonly kind: "asset" | "plan"; readonly message: AssetAt }
  | { readonly kind: "order"; readonly message: { readonly orderId: OrderId } }
  /** Something that happened, to be said again. */
  | { readonly kind: "fact" }
  | { readonly kind: "broken"; readonly problem: string }
);

/**
 * Judges a dead letter by the state of now: some of what it asks for may have been done, taken back or overtaken while it
 * lay there. What breaks its queue's contract is kept, for a person.
 */
async function judge(db: Db, letter: DeadLetter, now: Instant, limits: Limits): Promise<Verdict> {
  switch (letter.kind) {
    case "look":
      return drop("later looks have seen the head");
    case "protection":
      return drop("reconcile-orders has looked after every stop since, each minute");
    case "block":
      return blockVerdict(db, letter.message);
    case "event":
      return eventVerdict(db, letter.message);
    case "wallet":
      return walletVerdict(db, letter.message);
    case "asset":
      return biasVerdict(db, letter.message);
    case "plan":
      return planVerdict(db, letter.message, now, limits);
    case "order":
      return orderVerdict(db, letter.message, now, limits);
    // A fact is appended once however often it comes; a retraction asks for numbers to be computed again, which does no harm.
    case "fact":
      return SEND;
    case "broken":
      return { act: "keep", reason: letter.problem };
  }
}

/** Dead letters of one queue that a person asks about. */
export interface LettersCommand {
  readonly queue: string;
  readonly letters: readonly DeadLetter[];
  readonly at: Instant;
  /** Null: only judges. */
  readonly carry: Omit<ByHand, "at"> | null;
}

/**
 * Judges dead letters, in their order. When they are to be carried out, the orders of those that are dropped are voided and
 * all verdicts are in the audit log, in one transaction, before anything is sent or deleted.
 */
export async function judgeLetters(
  db: Db,
  command: LettersCommand,
  limits: Limits,
  traceId: string | null,
): Promise<Verdict[]> {
  const { queue, letters, at, carry } = command;
  return drizzleOf(db).transaction(async (tx) => {
    const verdicts: Verdict[] = [];
    for (const letter of letters) {
      const verdict = await judge(tx, letter, at, limits);
      verdicts.push(verdict);
      if (carry !== null && verdict.act === "drop" && verdict.order !== undefined)
        await voidDropped(tx, verdict.order, verdict.reason, at);
    }
    if (carry === null || letters.length === 0) return verdicts;
    const fates = letters.map(({ id }, index) => ({ id, ...fateOf(verdicts[index]) }));
    const entry = handEntry(
      "letters.redriven",
      ["queue", idOf("queue", queue)],
      { ...carry, at },
      { queue, letters: fates },
      traceId,
    );
    await appendAudit(tx, [entry]);
    return verdicts;
  });
}

const fateOf = (verdict: Verdict | undefined) =>
  verdict === undefined || verdict.act === "send" ? { act: "send" } : { act: verdict.act, reason: verdict.reason };
