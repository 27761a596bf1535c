import type { Schedule } from "./job.ts";

/** What the clock begins, in order of flow. */
export const schedules = {
  "watch-head": {
    consumer: "functions/watch-head.handler",
    every: "rate(1 minute)",
    pollSeconds: 4,
    needs: ["database", "rpc"],
    sends: ["looks", "blocks"],
    publishes: [],
    timeoutSeconds: 30,
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
    needs: ["database", "books", "exchange", "control"],
    sends: ["orders", "protections"],
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
    needs: ["database", "copy"],
    sends: [],
    publishes: [],
    timeoutSeconds: 300,
    memoryMb: 512,
  },
} as const satisfies Record<string, Schedule>;

export type Schedules = typeof schedules;
export type ScheduleName = keyof Schedules;
