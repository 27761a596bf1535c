import type { MessageName } from "./messages.ts";

/**
 * What a function may be handed. Each is opened once per process, and in the cloud decides its grants and secrets.
 * "schema" is a connection to the database's server itself, past any pooler, as the owner of the tables: migrations only.
 */
export type Need = "database" | "schema" | "rpc" | "market" | "exchange";

/** Names a function: `functions/<job>.ts`, exporting `handler`. */
type Consumer = `functions/${string}.handler`;

export interface Job {
  readonly consumer: Consumer;
  readonly needs: readonly Need[];
  /** Queues it may send to. Data flows one way: only to queues further down. */
  readonly sends: readonly string[];
  /** Facts it may publish. */
  readonly publishes: readonly string[];
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
}

export interface Queue extends Job {
  readonly message: MessageName;
  /** Present = FIFO: ordered per value of this field of the message. */
  readonly groupBy?: string;
  readonly batchSize: number;
  /** Batches in work at once, over all groups. */
  readonly maxConcurrency: number;
  readonly maxReceives: number;
}

export interface Schedule extends Job {
  /** `rate(…)` or `cron(…)` as EventBridge writes them, in UTC. */
  readonly every: string;
  /**
   * Seconds between polls inside one run, for a job whose grain is finer than a minute. A replay calls such a job
   * whenever a block arrives instead.
   */
  readonly pollSeconds?: number;
}

export interface Route extends Omit<Job, "sends" | "publishes"> {
  readonly summary: string;
}

/** A job that is invoked by hand, or by a deploy. */
export interface Task extends Job {
  /** A deploy invokes it, without input, before the functions that it deploys are used. */
  readonly onDeploy: boolean;
}

/** The `source` of every fact on the bus; rules match on it. */
export const SOURCE = "spyhop";

/** The whole desk as data: the stacks build the cloud from it, the local runtime the laptop. In order of flow. */
export const topology = {
  schedules: {
    "watch-head": {
      consumer: "functions/watch-head.handler",
      every: "rate(1 minute)",
      pollSeconds: 4,
      needs: ["database", "rpc"],
      sends: ["blocks"],
      publishes: [],
      timeoutSeconds: 70,
      memoryMb: 512,
    },
    "sync-prices": {
      consumer: "functions/sync-prices.handler",
      every: "rate(1 minute)",
      needs: ["database", "market"],
      sends: [],
      publishes: [],
      timeoutSeconds: 50,
      memoryMb: 1024,
    },
    "settle-outcomes": {
      consumer: "functions/settle-outcomes.handler",
      every: "rate(5 minutes)",
      needs: ["database"],
      sends: ["wallets"],
      publishes: [],
      timeoutSeconds: 120,
      memoryMb: 512,
    },
    "refresh-biases": {
      consumer: "functions/refresh-biases.handler",
      every: "rate(1 minute)",
      needs: ["database"],
      sends: ["biases"],
      publishes: [],
      timeoutSeconds: 30,
      memoryMb: 512,
    },
    "reconcile-orders": {
      consumer: "functions/reconcile-orders.handler",
      every: "rate(1 minute)",
      needs: ["database", "exchange"],
      sends: [],
      publishes: ["order.closed", "trading.changed"],
      timeoutSeconds: 50,
      memoryMb: 1024,
    },
    "build-report": {
      consumer: "functions/build-report.handler",
      every: "cron(0 0/4 * * ? *)",
      needs: ["database"],
      sends: [],
      publishes: ["report.built"],
      timeoutSeconds: 120,
      memoryMb: 512,
    },
    "maintain-storage": {
      consumer: "functions/maintain-storage.handler",
      every: "cron(15 0 * * ? *)",
      needs: ["database"],
      sends: [],
      publishes: [],
      timeoutSeconds: 300,
      memoryMb: 512,
    },
  },
  queues: {
    blocks: {
      message: "block",
      consumer: "functions/ingest-block.handler",
      groupBy: "chain",
      batchSize: 1,
      maxConcurrency: 2,
      maxReceives: 5,
      needs: ["database", "rpc"],
      sends: ["events"],
      publishes: ["event.retracted"],
      timeoutSeconds: 60,
      memoryMb: 1024,
    },
    retractions: {
      message: "fact",
      consumer: "functions/retract-events.handler",
      batchSize: 5,
      maxConcurrency: 2,
      maxReceives: 5,
      needs: ["database"],
      sends: ["wallets", "biases"],
      publishes: [],
      timeoutSeconds: 30,
      memoryMb: 512,
    },
    events: {
      message: "event",
      consumer: "functions/analyze-event.handler",
      batchSize: 10,
      maxConcurrency: 4,
      maxReceives: 5,
      needs: ["database"],
      sends: [],
      publishes: [],
      timeoutSeconds: 30,
      memoryMb: 512,
    },
    wallets: {
      message: "wallet",
      consumer: "functions/score-wallet.handler",
      batchSize: 10,
      maxConcurrency: 4,
      maxReceives: 5,
      needs: ["database"],
      sends: [],
      publishes: [],
      timeoutSeconds: 60,
      memoryMb: 512,
    },
    biases: {
      message: "asset",
      consumer: "functions/recompute-bias.handler",
      groupBy: "asset",
      batchSize: 10,
      maxConcurrency: 4,
      maxReceives: 5,
      needs: ["database"],
      sends: ["plans"],
      publishes: [],
      timeoutSeconds: 30,
      memoryMb: 512,
    },
    plans: {
      message: "plan",
      consumer: "functions/plan-order.handler",
      groupBy: "lane",
      batchSize: 1,
      maxConcurrency: 4,
      maxReceives: 5,
      needs: ["database", "exchange"],
      sends: ["orders"],
      publishes: ["order.closed"],
      timeoutSeconds: 30,
      memoryMb: 1024,
    },
    orders: {
      message: "order",
      consumer: "functions/submit-order.handler",
      groupBy: "lane",
      batchSize: 1,
      maxConcurrency: 4,
      maxReceives: 5,
      needs: ["database", "exchange"],
      sends: [],
      publishes: ["order.closed", "trading.changed"],
      timeoutSeconds: 30,
      memoryMb: 1024,
    },
    audits: {
      message: "fact",
      consumer: "functions/write-audit.handler",
      batchSize: 10,
      maxConcurrency: 2,
      maxReceives: 5,
      needs: ["database"],
      sends: [],
      publishes: [],
      timeoutSeconds: 30,
      memoryMb: 512,
    },
  },
  /** Fact → the queues that a rule on the bus copies it to. */
  facts: {
    "event.retracted": ["retractions", "audits"],
    "order.closed": ["audits"],
    "trading.changed": ["audits"],
    "report.built": ["audits"],
  },
  routes: {
    "GET /health": {
      consumer: "functions/api/health.handler",
      summary: "cursor, lag, queues, trading state",
      needs: ["database"],
      timeoutSeconds: 10,
      memoryMb: 512,
    },
    "GET /bias": {
      consumer: "functions/api/bias.handler",
      summary: "latest bias per asset and timeframe with its contributions",
      needs: ["database"],
      timeoutSeconds: 10,
      memoryMb: 512,
    },
    "GET /events": {
      consumer: "functions/api/events.handler",
      summary: "newest events, paged",
      needs: ["database"],
      timeoutSeconds: 10,
      memoryMb: 512,
    },
    "GET /wallets": {
      consumer: "functions/api/wallets.handler",
      summary: "watched wallets with their latest scores",
      needs: ["database"],
      timeoutSeconds: 10,
      memoryMb: 512,
    },
    "GET /orders": {
      consumer: "functions/api/orders.handler",
      summary: "orders with the policy that decided",
      needs: ["database"],
      timeoutSeconds: 10,
      memoryMb: 512,
    },
    "GET /positions": {
      consumer: "functions/api/positions.handler",
      summary: "open and closed positions",
      needs: ["database"],
      timeoutSeconds: 10,
      memoryMb: 512,
    },
    "GET /reports/latest": {
      consumer: "functions/api/latest-report.handler",
      summary: "the newest report, as Markdown or JSON",
      needs: ["database"],
      timeoutSeconds: 10,
      memoryMb: 512,
    },
  },
  tasks: {
    "migrate-schema": {
      consumer: "functions/migrate-schema.handler",
      onDeploy: true,
      needs: ["schema"],
      sends: [],
      publishes: [],
      timeoutSeconds: 300,
      memoryMb: 512,
    },
    "watch-wallets": {
      consumer: "functions/watch-wallets.handler",
      onDeploy: false,
      needs: ["database"],
      sends: [],
      publishes: [],
      timeoutSeconds: 60,
      memoryMb: 512,
    },
  },
} as const satisfies {
  schedules: Record<string, Schedule>;
  queues: Record<string, Queue>;
  facts: Record<string, readonly string[]>;
  routes: Record<`${"GET" | "POST" | "PUT" | "DELETE"} /${string}`, Route>;
  tasks: Record<string, Task>;
};

export type Queues = typeof topology.queues;
export type QueueName = keyof Queues;
export type Schedules = typeof topology.schedules;
export type ScheduleName = keyof Schedules;
export type Routes = typeof topology.routes;
export type RouteName = keyof Routes;
export type Tasks = typeof topology.tasks;
export type TaskName = keyof Tasks;
export type FactName = keyof typeof topology.facts;

type JobOf<C> = C extends `functions/${infer Name}.handler` ? Name : never;
type Entries = Schedules[ScheduleName] | Queues[QueueName] | Tasks[TaskName] | Routes[RouteName];
/** The name of a function: its file's, "ingest-block", "api/health". */
export type FunctionName = JobOf<Entries["consumer"]>;

/** Returns the name of a consumer's function: "functions/watch-head.handler" → "watch-head". */
export const functionName = (consumer: Job["consumer"]): FunctionName =>
  consumer.replace(/^functions\//, "").replace(/\.handler$/, "") as FunctionName;

/** Returns the widened entry of a queue, for code that treats all queues alike. */
export const queue = (name: QueueName): Queue => topology.queues[name];
/** Returns the widened entry of a schedule. */
export const schedule = (name: ScheduleName): Schedule => topology.schedules[name];
/** Returns the widened entry of a task. */
export const task = (name: TaskName): Task => topology.tasks[name];
/** Every queue name, in order of flow. */
export const QUEUES = Object.keys(topology.queues) as readonly QueueName[];
/** Every schedule name. */
export const SCHEDULES = Object.keys(topology.schedules) as readonly ScheduleName[];
/** Every task name. */
export const TASKS = Object.keys(topology.tasks) as readonly TaskName[];
/** Every route, as "METHOD /path". */
export const ROUTES = Object.keys(topology.routes) as readonly RouteName[];
