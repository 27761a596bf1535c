import type { FactName } from "./facts.ts";
import type { MessageName } from "./messages.ts";

/**
 * What a function may be handed. Each is opened once per process, and in the cloud decides its grants and secrets.
 * "schema" is a connection to the database's server itself, past any pooler, as the owner of the tables: migrations only.
 * "copy" is where heads of the records are kept that nobody of the desk can change, or null where the stage has none.
 * "books" are the books of trading as they stand in "database", which a job that needs them needs too.
 * "control" is the kill switch outside of the database, to be read before each order and written with each change.
 */
export type Need = "database" | "books" | "schema" | "rpc" | "market" | "exchange" | "copy" | "control";

/** Names a function: `functions/<job>.ts`, exporting `handler`. */
export type Consumer = `functions/${string}.handler`;

export interface Job {
  readonly consumer: Consumer;
  readonly needs: readonly Need[];
  /** Queues it may send to. Data flows one way: only to queues further down, and to its own where that has a `delayBy`. */
  readonly sends: readonly string[];
  /** Facts it may publish. */
  readonly publishes: readonly string[];
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
}

interface Polled extends Job {
  readonly batchSize: number;
  /** Batches in work at once, over all groups. */
  readonly maxConcurrency: number;
  readonly maxReceives: number;
}

/** A queue that jobs send messages of one kind to. */
export interface MessageQueue extends Polled {
  readonly message: MessageName;
  /** Present = FIFO: ordered per value of this field of the message. */
  readonly groupBy?: string;
  /**
   * The field of the message that says after how many seconds, 900 at most, it is delivered. Not of an ordered queue: SQS
   * delays its messages only all alike.
   */
  readonly delayBy?: string;
  /** What fails is not delivered again, since the next message does its work: it is logged and counted. */
  readonly fleeting?: true;
  readonly facts?: never;
}

/** A queue that rules on the bus copy facts to. A rule knows no groups, so it is never ordered. */
interface FactQueue extends Polled {
  readonly facts: readonly [FactName, ...FactName[]];
  readonly message?: never;
  readonly groupBy?: never;
  readonly delayBy?: never;
  readonly fleeting?: never;
}

export type Queue = MessageQueue | FactQueue;

export interface Schedule extends Job {
  /** `rate(…)` or `cron(…)` as EventBridge writes them, in UTC. */
  readonly every: string;
  /**
   * Seconds between looks, for a job whose grain is finer than a minute: each run has the others of its minute come as
   * delayed messages. A replay calls such a job whenever a block arrives instead.
   */
  readonly pollSeconds?: number;
}

/** Who may ask for a route, once there are people who log in. Each may what the one before may. */
export type Role = "viewer" | "operator" | "owner";

/** A route of the HTTP API. What it is asked and says is its contract (contracts/contracts.ts). */
export interface Route {
  /** The function of the API that answers it (api.ts): its grants are the same for all of its routes. */
  readonly in: string;
  readonly role: Role;
  /** Names its file, `functions/api/<file>.ts`, which exports `answer`. */
  readonly file: string;
  readonly summary: string;
  /** The path that it once had, which now answers 308. */
  readonly formerly?: `/${string}`;
}

/** A job that is invoked by hand, or by a deploy. */
export interface Task extends Job {
  /** A deploy invokes it, without input, before the functions that it deploys are used. */
  readonly onDeploy: boolean;
}

/**
 * What a function reads of its own entry, and of the queues that it sends to, while it runs. The rest (memory, timeouts,
 * summaries, concurrency) is for who deploys it and is in no bundle, so that a change of it changes no function's code.
 */
export const AT_RUN_TIME = [
  "consumer",
  "needs",
  "sends",
  "publishes",
  "message",
  "facts",
  "groupBy",
  "delayBy",
  "fleeting",
  "in",
  "formerly",
] as const;

type PickKnown<T, K extends PropertyKey> = T extends unknown ? Pick<T, Extract<keyof T, K>> : never;
/** An entry as a function sees its own. */
export type AtRunTime<T> = PickKnown<T, (typeof AT_RUN_TIME)[number]>;
