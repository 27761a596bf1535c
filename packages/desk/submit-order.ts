import type { StoredControl } from "#trading/control";
import { isClosed } from "#trading/orders/order";
import { isAllowed, type StoredOrder, voidReason } from "#trading/orders/stored-order";
import {
  type Answer,
  changeOf,
  type Effect,
  runSubmission,
  type SubmitOutcome,
  submissionOf,
} from "#trading/orders/submission";
import type { TradingStore } from "#trading/store";
import type { Exchange } from "#trading/venue";
import type { OrderId } from "#units/ids";
import type { Instant } from "#units/time";

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
  readonly orderId: OrderId;
  constructor(orderId: OrderId) {
    super(`no order ${orderId}`);
    this.orderId = orderId;
  }
}

/**
 * Submits an approved order once, however often it is called: the order is claimed with its deadline, posted, and moved
 * by the reply. An order that another delivery claimed is not posted; it is left to the unknown rule.
 * @throws UnknownOrderId; a transport failure before the claim, after which a redelivery starts afresh.
 */
export async function submitOrder(
  store: TradingStore,
  exchange: Exchange,
  id: OrderId,
  at: Instant,
  by: string,
): Promise<Submitted> {
  const stored = async (): Promise<StoredOrder> => {
    const order = await store.order(id);
    if (!order) throw new UnknownOrderId(id);
    return order;
  };
  let order = await stored();
  let closed = false;
  let tripped: StoredControl | null = null;
  const perform = async (effect: Effect): Promise<Answer> => {
    switch (effect.kind) {
      case "read":
        return { kind: "status", status: order.status };
      case "clock":
        return { kind: "clock", now: await exchange.now() };
      case "claim": {
        const claimed = await store.claim(id, { at, by, expiresAt: effect.expiresAt });
        order = claimed ?? (await stored());
        closed = claimed === null && order.status === "canceled";
        return { kind: "claim", won: claimed !== null };
      }
      case "confirm":
        return { kind: "confirm", allowed: isAllowed(await store.control(order.mode), order) };
      case "post":
        return { kind: "reply", reply: await exchange.submit(submissionOf(order, effect.expiresAt)) };
      case "record": {
        const { event, reply } = effect;
        const change =
          event === "voided"
            ? { errorMessage: voidReason(await store.control(order.mode), order.epoch) }
            : changeOf(reply);
        const moved = await store.move(order, event, { at, by, change });
        closed = moved !== null && isClosed(moved.status);
        order = moved ?? (await stored());
        if (reply?.kind === "halt" || reply?.kind === "frozen") {
          const state = reply.kind === "halt" ? "HALTED" : "REDUCING";
          const reason = `venue: ${reply.code} ${reply.reason}`;
          tripped = await store.tighten(order.mode, { state, reason, actor: by, at });
        }
        return { kind: "recorded" };
      }
    }
  };
  const outcome = await runSubmission(perform);
  return { outcome, order, closed, tripped };
}
