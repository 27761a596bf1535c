import type { StoredControl } from "#trading/control";
import { isClosed } from "#trading/order";
import { isAllowed, type OrderChange, type StoredOrder, voidReason } from "#trading/stored-order";
import { type Answer, type Effect, runSubmission, type SubmitOutcome } from "#trading/submission";
import type { Exchange, Submission, SubmitReply } from "#trading/venue";
import type { OrderId } from "#units/ids";
import type { Instant } from "#units/time";
import type { Db } from "../client.ts";
import { claimOrder } from "./claim-order.ts";
import { readControl } from "./control.ts";
import { tightenControl } from "./kill-switch.ts";
import { moveOrder } from "./move-order.ts";
import { readOrder } from "./orders.ts";

export interface Submitted {
  readonly outcome: SubmitOutcome;
  /** The order as it is now. */
  readonly order: StoredOrder;
  /** True when this call closed it: voided, rejected or expired. */
  readonly closed: boolean;
  /** What the kill switch became, when the venue's reply tripped it. */
  readonly tripped: StoredControl | null;
}

/** There is no such order: a message was made up, or its database was lost. */
class UnknownOrderId extends Error {
  override name = "UnknownOrderId";
  readonly orderId: string;
  constructor(orderId: string) {
    super(`no order ${orderId}`);
    this.orderId = orderId;
  }
}

const submissionOf = (order: StoredOrder, expiresAt: Instant): Submission => ({
  clientOrderId: order.clientOrderId,
  instrument: order.instrument,
  side: order.side,
  type: order.type === "ioc" ? "ioc" : "market",
  size: order.size,
  price: order.type === "ioc" ? order.price : null,
  reduceOnly: order.reduceOnly,
  expiresAt,
});

function changeOf(reply: SubmitReply | null): OrderChange {
  switch (reply?.kind) {
    case undefined:
      return { errorMessage: "delivered again before a reply was recorded" };
    case "accepted":
      return { exchangeOrderId: reply.venueOrderId };
    case "exists":
      return { errorMessage: "the venue knows the client order id" };
    case "unknown":
      return { errorMessage: reply.reason };
    case "expired":
    case "busy":
      return { errorMessage: `${reply.kind} ${reply.code}` };
    default:
      return { errorMessage: `${reply?.code} ${reply?.reason}` };
  }
}

/**
 * Submits an approved order once, however often it is called: the order is claimed with its deadline, posted, and moved
 * by the reply. An order that another delivery claimed is not posted; it is left to the unknown rule.
 * @throws UnknownOrderId; a transport failure before the claim, after which a redelivery starts afresh.
 */
export async function submitOrder(
  db: Db,
  exchange: Exchange,
  id: OrderId,
  at: Instant,
  by: string,
): Promise<Submitted> {
  const before = await readOrder(db, id);
  if (!before) throw new UnknownOrderId(id);
  let current: StoredOrder = before;
  let closed = false;
  let tripped: StoredControl | null = null;
  const perform = async (effect: Effect): Promise<Answer> => {
    switch (effect.kind) {
      case "read":
        return { kind: "status", status: current.status };
      case "clock":
        return { kind: "clock", now: await exchange.now() };
      case "claim": {
        const claimed = await claimOrder(db, id, { at, by, expiresAt: effect.expiresAt });
        current = claimed ?? ((await readOrder(db, id)) as StoredOrder);
        closed = claimed === null && current.status === "canceled";
        return { kind: "claim", won: claimed !== null };
      }
      case "confirm":
        return { kind: "confirm", allowed: isAllowed(await readControl(db, current.mode), current) };
      case "post":
        return { kind: "reply", reply: await exchange.submit(submissionOf(current, effect.expiresAt)) };
      case "record": {
        const { event, reply } = effect;
        const change = event === "voided" ? await voided(db, current) : changeOf(reply);
        const moved = await moveOrder(db, current, event, { at, by, change });
        closed = moved !== null && isClosed(moved.status);
        current = moved ?? ((await readOrder(db, id)) as StoredOrder);
        if (reply?.kind === "halt") tripped = await halt(db, current, reply, at, by);
        return { kind: "recorded" };
      }
    }
  };
  const outcome = await runSubmission(perform);
  return { outcome, order: current, closed, tripped };
}

const voided = async (db: Db, order: StoredOrder): Promise<OrderChange> => ({
  errorMessage: voidReason(await readControl(db, order.mode), order.epoch),
});

const halt = (db: Db, order: StoredOrder, reply: { code: string; reason: string }, at: Instant, actor: string) =>
  tightenControl(db, order.mode, { state: "HALTED", reason: `venue: ${reply.code} ${reply.reason}`, actor, at });
