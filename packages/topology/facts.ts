import * as z from "zod";
import { ClosedStatus } from "#trading/facts";
import { TradingMode } from "#trading/mode";
import { ControlState } from "#trading/plans/limits";
import { Decimal } from "#units/decimal";
import { type Id, WalletId } from "#units/ids";
import { Instant } from "#units/time";

const hash = z.string().regex(/^0x[0-9a-f]{64}$/);

/**
 * Every fact that may go on the bus: the type of the entity that it is about, and what it says of it. A body is flat.
 * What is published is checked strictly. What is taken may come from the release before, and from the one after: a field
 * that is added goes into `added` for one release and is then absent in older facts; fields that are not known are let
 * through, so that the audit log keeps them. Never change a field in place.
 */
export const facts = {
  /** A reorg took an event back: what was counted for its wallet is due again. */
  "event.retracted": {
    entityType: "event",
    body: z.strictObject({ walletId: WalletId, blockNumber: z.number().int().nonnegative(), blockHash: hash }),
    added: [],
  },
  /** Nothing more is expected of an order. `filledSize` is in contracts; only the reconciler used to say it. */
  "order.closed": {
    entityType: "order",
    body: z.strictObject({
      status: ClosedStatus,
      instrument: z.string().min(1),
      clientOrderId: z.string().min(1),
      filledSize: Decimal,
      reason: z.string().nullable(),
    }),
    added: ["filledSize"],
  },
  /** The kill switch of a mode was tightened or loosened. */
  "trading.changed": {
    entityType: "trading",
    body: z.strictObject({
      mode: TradingMode,
      state: ControlState,
      epoch: z.number().int().nonnegative(),
      reason: z.string(),
    }),
    added: [],
  },
  /** A report of a period was stored. */
  "report.built": {
    entityType: "report",
    body: z.strictObject({ type: z.enum(["4h", "partial", "run"]), start: Instant, end: Instant }),
    added: [],
  },
} as const satisfies Record<string, { entityType: string; body: z.ZodObject; added: readonly string[] }>;

type Facts = typeof facts;
export type FactName = keyof Facts;
/** Every fact's name. */
export const FACTS = Object.keys(facts) as readonly FactName[];

type Body<F extends FactName> = z.output<Facts[F]["body"]>;
type Added<F extends FactName> = Facts[F]["added"][number] & keyof Body<F>;

/** One fact as it is published: what it is about, when, and what it says. */
export interface FactOf<F extends FactName> {
  readonly entityType: Facts[F]["entityType"];
  readonly entityId: Id<Facts[F]["entityType"]>;
  /** The time of the work that led to it. */
  readonly at: Instant;
  readonly body: Readonly<Body<F>>;
}

/** What began the work that led to a fact, and that work's X-Ray trace. A bus carries no message attributes. */
export interface FactTrace {
  readonly correlationId?: string | undefined;
  readonly traceId?: string | undefined;
}

/** What a rule on the bus delivers: one of the facts `F`, distinguished by `fact`. */
export type TakenFact<F extends FactName> = {
  readonly [One in F]: Omit<FactOf<One>, "body"> &
    FactTrace & {
      readonly fact: One;
      readonly body: Readonly<Omit<Body<One>, Added<One>> & Partial<Pick<Body<One>, Added<One>>>>;
    };
}[F];

const id = z.string().max(100).optional();
const envelope = (fact: FactName) => ({
  fact: z.literal(fact),
  entityType: z.literal(facts[fact].entityType),
  entityId: z.uuid(),
  at: Instant,
  correlationId: id,
  traceId: id,
});

const published = new Map<FactName, z.ZodType>();

/** Returns the schema of the detail of a published fact: exactly its fields and no other. */
export function publishedFact(fact: FactName): z.ZodType {
  const schema = published.get(fact) ?? z.strictObject({ ...envelope(fact), body: facts[fact].body });
  published.set(fact, schema);
  return schema;
}

/** Returns the schema of a delivered fact that is one of `names`, of this release or the last one. */
export function takenFacts<F extends FactName>(names: readonly F[]): z.ZodType<TakenFact<F>> {
  const taken = names.map((name) => {
    const { body, added } = facts[name] as { body: z.ZodObject; added: readonly string[] };
    const absent = Object.fromEntries(added.map((field) => [field, true as const]));
    return z.object({ ...envelope(name), body: body.partial(absent as Record<string, never>).loose() });
  });
  const [first, ...others] = taken;
  if (!first) throw new RangeError("a queue of facts takes one at least");
  // Each option is the schema of its fact's type, which zod cannot follow through a list.
  // The union of a list loses which fact is which; `F` says it.
  return z.discriminatedUnion("fact", [first, ...others]) as unknown as z.ZodType<TakenFact<F>>;
}
