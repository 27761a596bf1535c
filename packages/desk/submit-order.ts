import type { ArmingLook } from "#trading/arming";
import type { StoredControl } from "#trading/control";
import { type ClaimLimits, type ClaimLook, objectionOf, sizeNow } from "#trading/orders/claim-look";
import { isClosed } from "#trading/orders/order";
import { type Claim, isAllowed, type StoredOrder, voidReason } from "#trading/orders/stored-order";
import {
  type Answer,
  BACKOFF_MS,
  changeOf,
  DEADLINE_MS,
  type Effect,
  runSubmission,
  type SubmitOutcome,
  submissionOf,
} from "#trading/orders/submission";
import type { Policy } from "#trading/plans/policy";
import type { TradingStore } from "#trading/store";
import type { Exchange } from "#trading/venue";
import { type Decimal, ZERO } from "#units/decimal";
import type { OrderId } from "#units/ids";
import { type Instant, instant, millis } from "#units/time";
import { armingObjection, unasked } from "./account/arming.ts";
import { ensureLeverage } from "./account/ensure-leverage.ts";

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

const NOT_LOOKED = { quote: null, priceLimit: null, decidedMark: null, held: null } as const;

/** Asks the venue what the claim of an order depends on: the market for one that opens, what is held for one that reduces. */
async function lookAround(
  store: TradingStore,
  exchange: Exchange,
  order: StoredOrder,
): Promise<Omit<ClaimLook, "now">> {
  if (order.reduceOnly) {
    const position = (await exchange.positions()).find(({ instrument }) => instrument === order.instrument);
    return { ...NOT_LOOKED, held: position?.contracts ?? ZERO };
  }
  const [quote, priceLimit, decidedMark] = await Promise.all([
    exchange.quote(order.instrument),
    exchange.priceLimit(order.instrument),
    store.decidedMark(order.id),
  ]);
  return { quote, priceLimit, decidedMark, held: null };
}

/** Returns the claim of an order, with what stands in its way and the size that the venue's position leaves it. */
function claimOf(order: StoredOrder, claim: Claim, look: Omit<ClaimLook, "now">, limits: ClaimLimits): Claim {
  const now = instant(millis(claim.expiresAt) - DEADLINE_MS);
  const size = look.held === null ? null : sizeNow(order, look.held, look.most ?? null);
  return { ...claim, objection: objectionOf(order, { ...look, now }, limits), ...(size === null ? {} : { size }) };
}

/** What an order is held against besides its books, and how its sender waits. */
export interface Terms {
  /** One that opens or adds is not sent while the venue margins its instrument at another leverage. */
  readonly policy: ClaimLimits & Pick<Policy, "venueLeverage">;
  /** The most contracts that a stop is sent with; null or absent = no bound is known. */
  readonly most?: Decimal | null;
  /** In live one that opens or adds is sent only under an arming. Without a look nothing is armed. */
  readonly armed?: ArmingLook;
  /** Waits so many milliseconds where the venue is busy. Without it an order is posted once. */
  readonly pause?: ((ms: number) => Promise<unknown>) | null;
}

/**
 * Submits an approved order once, however often it is called: the order is claimed with its deadline, posted (again, where the
 * venue was too busy to take it, under the same id and deadline), and moved by the reply. An order that another delivery claimed
 * is not posted; it is left to the unknown rule.
 * @throws UnknownOrderId; a transport failure before the claim, after which a redelivery starts afresh.
 */
export async function submitOrder(
  store: TradingStore,
  exchange: Exchange,
  id: OrderId,
  at: Instant,
  by: string,
  { policy, armed = unasked, most = null, pause = null }: Terms,
): Promise<Submitted> {
  const stored = async (): Promise<StoredOrder> => {
    const order = await store.order(id);
    if (!order) throw new UnknownOrderId(id);
    return order;
  };
  let order = await stored();
  let closed = false;
  let tripped: StoredControl | null = null;
  let look: Omit<ClaimLook, "now"> = NOT_LOOKED;
  let unarmed: string | null = null;
  const isLet = async () => isAllowed(await store.control(order.mode), order);
  const perform = async (effect: Effect): Promise<Answer> => {
    switch (effect.kind) {
      case "read":
        return { kind: "status", status: order.status };
      case "clock":
        if (!order.reduceOnly && (await isLet()))
          tripped = await ensureLeverage(store, exchange, { account: order, at, by, policy }, order.instrument);
        // What the kill switch holds back is voided whatever the market does, and whether the venue tells it or not.
        look = (await isLet()) ? await lookAround(store, exchange, order) : NOT_LOOKED;
        if (look.quote !== null) unarmed = await armingObjection(store, exchange, armed, order, look.quote, at);
        return { kind: "clock", now: await exchange.now() };
      case "claim": {
        const asked = claimOf(order, { at, by, expiresAt: effect.expiresAt }, { ...look, most }, policy);
        const claimed = await store.claim(id, { ...asked, objection: asked.objection ?? unarmed });
        order = claimed ?? (await stored());
        closed = order.status === "canceled";
        return { kind: "claim", won: claimed !== null };
      }
      case "confirm":
        return { kind: "confirm", allowed: await isLet() };
      case "post":
        return { kind: "reply", reply: await exchange.submit(submissionOf(order, effect.expiresAt)) };
      case "wait":
        await pause?.(effect.ms);
        return { kind: "waited" };
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
  const outcome = await runSubmission(perform, pause === null ? [] : BACKOFF_MS);
  return { outcome, order, closed, tripped };
}
