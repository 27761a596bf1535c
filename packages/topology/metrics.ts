import type { FunctionName } from "./functions.ts";

/** A metric that functions write to their log in CloudWatch's embedded metric format. */
export interface Metric {
  readonly unit: "Count" | "Seconds";
  /** The job that writes it, or null: every job writes its own. It is the value of the dimension `job`. */
  readonly job: FunctionName | null;
  readonly meaning: string;
}

/** The namespace of all metrics. Each has two dimensions: `stage`, the deployment's, and `job`. */
export const METRICS_NAMESPACE = "Spyhop";

/** What functions measure, by the metric's name. The alarms of the stacks and the lines of the log come from here. */
export const metrics = {
  HeadAgeSeconds: {
    unit: "Seconds",
    job: "watch-head",
    meaning: "age of the newest block of the nodes, at every look; none where no node answers",
  },
  IngestLagSeconds: {
    unit: "Seconds",
    job: "ingest-block",
    meaning: "age of a block when its rows were written",
  },
  OrdersUnknown: {
    unit: "Count",
    job: "reconcile-orders",
    meaning: "orders that have been unknown or quarantined for more than 30 s; 0 when there is none",
  },
  UnprotectedSeconds: {
    unit: "Seconds",
    job: "reconcile-orders",
    meaning:
      "for how long something was held without a stop at the venue, at most, of the last two minutes; 0 for nothing",
  },
  ReconciliationDrift: {
    unit: "Count",
    job: "reconcile-orders",
    meaning: "instruments whose position here was not the venue's; 0 when they agree",
  },
  LedgerGap: {
    unit: "Count",
    job: "reconcile-orders",
    meaning: "1 when the venue's bills do not explain its balance to the last digit, else 0",
  },
  BillsUnknown: {
    unit: "Count",
    job: "reconcile-orders",
    meaning:
      "new bills of a subtype that is not known, and fees of the last day without a value in USDT; 0 when there is none",
  },
  KillSwitch: {
    unit: "Count",
    job: "reconcile-orders",
    meaning: "the kill switch of the stage's mode, after every run: 0 ACTIVE, 1 REDUCING, 2 HALTED",
  },
  PriceAgeSeconds: {
    unit: "Seconds",
    job: "sync-prices",
    meaning: "age of each instrument's newest closed bar, after every run; where it has none, that of the warm-up",
  },
  ReportsBuilt: {
    unit: "Count",
    job: "build-report",
    meaning: "1 for each report that was stored",
  },
  AuditChainBroken: {
    unit: "Count",
    job: "maintain-storage",
    meaning: "faults in the audit log and in the trails of orders; 0 when they are whole; once a day",
  },
  DefaultPartitionRows: {
    unit: "Count",
    job: "maintain-storage",
    meaning: "rows that no partition was made for, after the daily maintenance",
  },
  MessagesFailed: {
    unit: "Count",
    job: null,
    meaning: "messages, runs or requests that failed; SQS delivers a failed message again",
  },
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof metrics;
