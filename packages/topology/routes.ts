import type { Route } from "./job.ts";

/** Every route of the HTTP API, as "METHOD /path". */
export const routes = {
  "GET /health": {
    consumer: "functions/api/health.handler",
    summary: "newest block with its lag, cursor, trading state, newest report",
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
} as const satisfies Record<`${"GET" | "POST" | "PUT" | "DELETE"} /${string}`, Route>;

export type Routes = typeof routes;
export type RouteName = keyof Routes;
