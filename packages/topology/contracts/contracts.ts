import type { RouteName } from "../routes.ts";
import { biasContract } from "./bias.ts";
import { biasHistoryContract, equityContract, oneBiasContract, pricesContract } from "./charts.ts";
import type { Contract } from "./contract.ts";
import { eventsContract } from "./events.ts";
import { healthContract } from "./health.ts";
import { latestReportContract } from "./latest-report.ts";
import { ordersContract } from "./orders.ts";
import { positionsContract } from "./positions.ts";
import { walletsContract } from "./wallets.ts";

/** What each route is asked and what it says. A route that is added to the topology does not compile until it stands here. */
export const contracts = {
  "GET /api/health": healthContract,
  "GET /api/bias": biasContract,
  "GET /api/bias/history": biasHistoryContract,
  "GET /api/bias/{asset}/{timeframe}": oneBiasContract,
  "GET /api/prices": pricesContract,
  "GET /api/equity": equityContract,
  "GET /api/events": eventsContract,
  "GET /api/wallets": walletsContract,
  "GET /api/orders": ordersContract,
  "GET /api/positions": positionsContract,
  "GET /api/reports/latest": latestReportContract,
} as const satisfies Readonly<Record<RouteName, Contract>>;

export type Contracts = typeof contracts;
