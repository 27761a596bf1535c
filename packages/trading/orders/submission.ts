import { type Instant, instant, millis } from "#units/time";
import { attachedStopId } from "../protection/stop-id.ts";
import type { Submission, SubmitReply } from "../venue.ts";
import type { OrderEvent, OrderStatus } from "./order.ts";
import type { OrderChange, StoredOrder } from "./stored-order.ts";

/** The venue refuses the order this long after the claim read its clock. */
export const DEADLINE_MS = 4_000;

/**
 * How long a sender waits, each time, before it posts once more what the venue surely did not take; together it is less than the
 * deadline, by which the venue judges all of them.
 */
export const BACKOFF_MS: readonly number[] = [500, 1000, 1500];

/** What the submit step asks of the world, one at a time; the world answers with `Answer`. */
export type Effect =
  | { readonly kind: "read" }
  | { readonly kind: "clock" }
  /** approved → submitting with the deadline stored, the control epoch checked in the same transaction. */
  | { readonly kind: "claim"; readonly expiresAt: Instant }
  /** Whether the kill switch still lets the order out: the last look before the POST. */
  | { readonly kind: "confirm" }
  /** A POST that carries the stored deadline. */
  | { readonly kind: "post"; readonly expiresAt: Instant }
  | { readonly kind: "wait"; readonly ms: number }
  /** A compare-and-set on the version that the claim gave: it is dropped when someone moved the order since. */
  | { readonly kind: "record"; readonly event: OrderEvent; readonly reply: SubmitReply | null };

export type Answer =
  | { readonly kind: "status"; readonly status: OrderStatus }
  | { readonly kind: "clock"; readonly now: Instant }
  | { readonly kind: "claim"; readonly won: boolean }
  | { readonly kind: "confirm"; readonly allowed: boolean }
  | { readonly kind: "reply"; readonly reply: SubmitReply }
  | { readonly kind: "waited" }
  | { readonly kind: "recorded" };

/** How a delivery ended: `posted` sent it, `left` found it under way and left it to the unknown rule. */
export type SubmitOutcome = "posted" | "left" | "done";

/** Returns what a reply makes of an order that is being submitted. */
export function eventOf(reply: SubmitReply): OrderEvent {
  switch (reply.kind) {
    case "accepted":
      return "accepted";
    case "rejected":
    case "flat":
    case "frozen":
    case "halt":
      return "rejected";
    // Not accepted for certain, and the sender's tries are over: a later plan does it with fresh prices.
    case "busy":
    case "expired":
      return "expired";
    // `exists` proves that some order has the id, not which: the unknown rule looks.
    case "exists":
    case "unknown":
      return "lost";
  }
}

/**
 * Returns what is sent of an order. A stop goes out at market: its price is the one that was reached. An order that opens has
 * its stop with it, for a process that dies before it lays the one of the whole position.
 */
export const submissionOf = (order: StoredOrder, expiresAt: Instant): Submission => ({
  clientOrderId: order.clientOrderId,
  instrument: order.instrument,
  side: order.side,
  type: order.type === "ioc" ? "ioc" : "market",
  size: order.size,
  price: order.type === "ioc" ? order.price : null,
  reduceOnly: order.reduceOnly,
  expiresAt,
  ...(order.reduceOnly || order.stopLoss === null
    ? {}
    : { stop: { stopId: attachedStopId(order.mode, order.clientOrderId), trigger: order.stopLoss } }),
});

/** Returns what a reply leaves in the order; null = no reply was recorded, and the message was delivered again. */
export function changeOf(reply: SubmitReply | null): OrderChange {
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
 * The submit step as a state machine: yields one effect at a time and is resumed with its answer, so that a model check
 * can crash, freeze or repeat it between any two. Only the delivery whose claim won posts, and the deadline that it carries
 * was stored before; it posts again, under the same id and deadline, only what the venue surely did not take, once for each of
 * `waits`. Every other delivery leaves the venue alone.
 */
export function* submission(waits: readonly number[] = []): Generator<Effect, SubmitOutcome, Answer> {
  const { status } = expect(yield { kind: "read" }, "status");
  if (status === "submitting") {
    yield { kind: "record", event: "lost", reply: null };
    return "left";
  }
  if (status !== "approved") return status === "unknown" ? "left" : "done";
  const { now } = expect(yield { kind: "clock" }, "clock");
  const expiresAt = instant(millis(now) + DEADLINE_MS);
  const { won } = expect(yield { kind: "claim", expiresAt }, "claim");
  if (!won) return "left";
  for (const left = [...waits]; ; ) {
    const { allowed } = expect(yield { kind: "confirm" }, "confirm");
    if (!allowed) {
      yield { kind: "record", event: "voided", reply: null };
      return "done";
    }
    const { reply } = expect(yield { kind: "post", expiresAt }, "reply");
    const ms = reply.kind === "busy" ? left.shift() : undefined;
    if (ms === undefined) {
      yield { kind: "record", event: eventOf(reply), reply };
      return "posted";
    }
    yield { kind: "wait", ms };
  }
}

/** An answer of another kind than the effect asked for: a bug in the driver. */
export class WrongAnswer extends Error {
  override name = "WrongAnswer";
  readonly wanted: string;
  readonly got: string;
  constructor(wanted: string, got: string) {
    super(`the submit step waits for ${wanted} and was given ${got}`);
    this.wanted = wanted;
    this.got = got;
  }
}

/** Returns `answer` as the kind wanted. @throws WrongAnswer for another kind. */
function expect<K extends Answer["kind"]>(answer: Answer, kind: K): Extract<Answer, { kind: K }> {
  if (answer.kind !== kind) throw new WrongAnswer(kind, answer.kind);
  return answer as Extract<Answer, { kind: K }>;
}

/**
 * Runs the submit step against real effects, with these waits where the venue is busy.
 * @throws whatever `perform` throws: the message is then delivered again.
 */
export async function runSubmission(
  perform: (effect: Effect) => Promise<Answer>,
  waits: readonly number[] = [],
): Promise<SubmitOutcome> {
  const machine = submission(waits);
  let step = machine.next();
  while (!step.done) step = machine.next(await perform(step.value));
  return step.value;
}
