import * as z from "zod";
import { Explanation } from "#reporting/explanation";
import { Arming, SignedArming } from "#trading/arming";
import { TradingMode } from "#trading/mode";
import { OrderStatus } from "#trading/orders/order";
import { Ruling } from "#trading/orders/ruling";
import { ControlState } from "#trading/plans/limits";
import { RecordHead } from "#trading/record-head";
import { Decimal } from "#units/decimal";
import { OrderId } from "#units/ids";
import { Instant } from "#units/time";
import { messages } from "./messages.ts";

/** Who orders it, why, and when by their clock: what the audit log keeps of everything that a person does. */
const person = {
  /** The caller's ARN, or a name. */
  actor: z.string().min(1).max(2048),
  reason: z.string().trim().min(1).max(1000),
  at: Instant,
} as const;

const letterId = z.string().min(1).max(100);
const typed = <const M extends keyof typeof messages>(kind: M) =>
  z.strictObject({ kind: z.literal(kind), id: letterId, message: messages[kind] });

/**
 * A dead letter that is to be judged: a message by its kind; a fact, which does no harm when it is said twice; or what
 * breaks its queue's contract. A fact's and a broken one's text is not sent: their fate is known without it.
 */
export const Letter = z.discriminatedUnion("kind", [
  typed("look"),
  typed("block"),
  typed("event"),
  typed("wallet"),
  typed("asset"),
  typed("plan"),
  typed("order"),
  z.strictObject({ kind: z.literal("fact"), id: letterId }),
  z.strictObject({ kind: z.literal("broken"), id: letterId, problem: z.string().max(1000) }),
]);
export type Letter = z.output<typeof Letter>;

/** What a person asks of a desk's books: the input of the task `operate`, and of the same handler on a laptop. */
export const Operation = z.discriminatedUnion("act", [
  /** How the desk is. Changes nothing. */
  z.strictObject({ act: z.literal("look") }),
  z.strictObject({
    act: z.literal("control"),
    mode: TradingMode,
    /** Null: the state that it has, in a new epoch. */
    to: ControlState.nullable(),
    confirmed: z.boolean(),
    /** What was done, or is about to be, to the mappings of a hard halt; kept in the audit log. Null: nothing. */
    mappings: z.enum(["disabled", "enabled"]).nullable(),
    ...person,
  }),
  z.strictObject({
    act: z.literal("judge"),
    /** Its id, or its client order id. */
    order: z.string().min(1).max(100),
    ruling: Ruling,
    ...person,
  }),
  z.strictObject({
    act: z.literal("letters"),
    queue: z.string().min(1).max(50),
    letters: z.array(Letter).max(10),
    at: Instant,
    /** Null: only judges. Else voids the orders of what is dropped, and writes all of it to the audit log. */
    carry: z.strictObject({ actor: person.actor, reason: person.reason }).nullable(),
  }),
  /** Keeps an arming of live, once it is found to hold; null takes back the one that is kept. */
  z.strictObject({ act: z.literal("arm"), mode: TradingMode, arming: SignedArming.nullable(), ...person }),
  /** What a person did at the venue by keys alone, for the audit log. Changes nothing else. */
  z.strictObject({
    act: z.literal("note"),
    mode: TradingMode,
    what: z.literal("exchange.checked"),
    /** What came of it, in short. */
    result: z.string().max(1000),
    ...person,
  }),
  /** What is known of one order: its id, its client order id, or the beginning of one. Changes nothing. */
  z.strictObject({ act: z.literal("explain"), order: z.string().min(1).max(100) }),
  /** Whether the records are whole, by themselves and against heads that were kept elsewhere. Changes nothing. */
  z.strictObject({ act: z.literal("records"), at: Instant, kept: z.array(RecordHead).max(10_000) }),
]);
export type Operation = z.output<typeof Operation>;

const Control = z.object({
  state: ControlState,
  epoch: z.number().int(),
  reason: z.string(),
  actor: z.string(),
  changedAt: Instant,
});

const Doubtful = z.object({
  id: OrderId,
  clientOrderId: z.string(),
  instrument: z.string(),
  side: z.enum(["buy", "sell"]),
  /** In contracts. */
  size: Decimal,
  status: OrderStatus,
  decidedAt: Instant,
});
/** An order whose fate at the venue is not known. */
export type Doubtful = z.output<typeof Doubtful>;

/** Why the control object does not say what the books say; null = it does. */
const object = z.string().nullable();

const refused = z.object({ done: z.literal(false), why: z.string() });

/** What the task `operate` answers, by what it was asked. */
export const REPLIES = {
  look: z.object({
    /** The newest migration that ran; null without any, and then the rest is empty. */
    schema: z.string().nullable(),
    /** Of the policy that the desk goes by; null = a desk of before says none. */
    policyHash: z.string().nullable().default(null),
    block: z.object({ number: z.number().int(), at: Instant }).nullable(),
    report: z.object({ type: z.string(), end: Instant }).nullable(),
    modes: z.array(
      z.object({
        mode: TradingMode,
        control: Control,
        /** The newest balance that was compared with the venue's bills, in USDT; null before the first. */
        balance: z
          .object({ at: Instant, equity: Decimal, cash: Decimal, unrealized: Decimal, gap: Decimal })
          .nullable()
          .default(null),
        /** How many orders are in doubt, and the first of them. */
        doubtful: z.number().int(),
        inDoubt: z.array(Doubtful),
        /** The newest arming that was not taken back, and why it does not hold; null = it does. Of live alone. */
        arming: Arming.pick({ account: true, epoch: true, maxNotionalUsd: true, maxDailyLossUsd: true, notAfter: true })
          .extend({ by: z.string().default("unknown"), problem: z.string().nullable() })
          .nullable()
          .default(null),
      }),
    ),
  }),
  control: z.union([
    z.object({ done: z.literal(true), before: Control, control: Control, object }),
    refused.extend({ control: Control, object }),
  ]),
  judge: z.union([
    z.object({ done: z.literal(true), order: Doubtful.extend({ mode: TradingMode }), before: OrderStatus }),
    refused,
  ]),
  letters: z.array(
    z.discriminatedUnion("act", [
      z.object({ act: z.literal("send") }),
      z.object({ act: z.literal("drop"), reason: z.string() }),
      z.object({ act: z.literal("keep"), reason: z.string() }),
    ]),
  ),
  arm: z.union([z.object({ done: z.literal(true) }), refused]),
  note: z.object({ done: z.literal(true) }),
  explain: z.discriminatedUnion("found", [
    z.object({ found: z.literal(true), explanation: Explanation }),
    z.object({
      found: z.literal(false),
      why: z.string(),
      /** Those that the name could mean, or the newest. */
      candidates: z.array(z.object({ id: OrderId, clientOrderId: z.string(), text: z.string() })),
    }),
  ]),
  records: z.object({
    faults: z.array(z.object({ table: z.enum(["audit_logs", "order_events"]), where: z.string(), reason: z.string() })),
    head: RecordHead.nullable(),
  }),
} as const satisfies Record<Operation["act"], z.ZodType>;
export type ReplyTo<A extends Operation["act"]> = z.output<(typeof REPLIES)[A]>;
