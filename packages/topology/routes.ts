import type { ApiName } from "./api.ts";
import type { Route } from "./job.ts";

/** Every route of the HTTP API, as "METHOD /path". A field of the path is in braces: "/api/orders/{id}". */
export const routes = {
  "GET /api/health": {
    in: "read",
    role: "viewer",
    file: "health",
    formerly: "/health",
    summary: "newest block, cursor, trading state, newest report",
  },
  "GET /api/bias": {
    in: "read",
    role: "viewer",
    file: "bias",
    formerly: "/bias",
    summary: "latest bias per asset and timeframe with its contributions",
  },
  "GET /api/bias/history": {
    in: "read",
    role: "viewer",
    file: "bias-history",
    summary: "a bias over time",
  },
  "GET /api/bias/{asset}/{timeframe}": {
    in: "read",
    role: "viewer",
    file: "one-bias",
    summary: "one bias as the sum of all its terms",
  },
  "GET /api/prices": {
    in: "read",
    role: "viewer",
    file: "prices",
    summary: "candles of an instrument",
  },
  "GET /api/equity": {
    in: "read",
    role: "viewer",
    file: "equity",
    summary: "equity over time, with its drawdown",
  },
  "GET /api/events": {
    in: "read",
    role: "viewer",
    file: "events",
    formerly: "/events",
    summary: "newest events, paged",
  },
  "GET /api/wallets": {
    in: "read",
    role: "viewer",
    file: "wallets",
    formerly: "/wallets",
    summary: "watched wallets with their latest scores",
  },
  "GET /api/orders": {
    in: "read",
    role: "viewer",
    file: "orders",
    formerly: "/orders",
    summary: "orders with the policy that decided",
  },
  "GET /api/positions": {
    in: "read",
    role: "viewer",
    file: "positions",
    formerly: "/positions",
    summary: "open and closed positions",
  },
  "GET /api/reports/latest": {
    in: "read",
    role: "viewer",
    file: "latest-report",
    formerly: "/reports/latest",
    summary: "the newest report, as Markdown or JSON",
  },
} as const satisfies Record<`${"GET" | "POST" | "PUT" | "DELETE"} /api/${string}`, Route & { readonly in: ApiName }>;

export type Routes = typeof routes;
export type RouteName = keyof Routes;
