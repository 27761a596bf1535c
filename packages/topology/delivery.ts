import type * as z from "zod";
import { type FactName, type TakenFact, takenFacts } from "./facts.ts";
import type { AtRunTime, Queue } from "./job.ts";
import { type MessageName, type MessageOf, messages } from "./messages.ts";
import type { QueueName, Queues } from "./queues.ts";

/** What the consumer of a queue is handed: its message, or one of the facts that it takes. */
export type Delivered<Q extends QueueName> = Queues[Q] extends { message: infer M extends MessageName }
  ? MessageOf<M>
  : Queues[Q] extends { facts: readonly (infer F extends FactName)[] }
    ? TakenFact<F>
    : never;

/** Returns the schema of what a queue delivers. */
export const deliverySchema = (queue: AtRunTime<Queue>): z.ZodType =>
  queue.message === undefined ? takenFacts(queue.facts) : messages[queue.message];
