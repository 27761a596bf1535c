import { functionName } from "#topology/functions";
import { METRICS_NAMESPACE, type Metric, metrics } from "#topology/metrics";
import { deadLetterName, deployedName, named, queueName } from "#topology/names";
import type { Site as Whole } from "./site.ts";

/** What alarms follow from. */
type Site = Pick<Whole, "target" | "topology">;

/** One alarm: what it watches, what it means for the desk, and what to do first. */
export interface AlarmOf {
  readonly name: string;
  readonly namespace: string;
  readonly metricName: string;
  readonly dimensions: Readonly<Record<string, string>>;
  /** The unit of the figures, where the desk writes them itself; null = whatever AWS gives them. */
  readonly unit: Metric["unit"] | null;
  readonly statistic: "Maximum" | "Sum";
  /** It rings above this … */
  readonly above: number;
  /** … for so many periods of so many minutes. */
  readonly periods: number;
  readonly minutes: number;
  /** No figure at all rings too. */
  readonly silenceIsBad: boolean;
  readonly impact: string;
  readonly firstAction: string;
}

type Told = Pick<AlarmOf, "name" | "impact" | "firstAction"> & Partial<AlarmOf>;
type Watched = Pick<AlarmOf, "namespace" | "metricName" | "dimensions"> & Partial<Pick<AlarmOf, "unit">>;

const alarm = (watched: Watched, told: Told): AlarmOf => ({
  unit: null,
  statistic: "Maximum",
  above: 0,
  periods: 1,
  minutes: 5,
  silenceIsBad: false,
  ...watched,
  ...told,
});

/** No figure is so high: what rings is that there is none. */
const SILENCE = { statistic: "Sum", above: Number.MAX_SAFE_INTEGER, silenceIsBad: true } as const;

/** Returns every alarm of a deployment. docs/alarms.md lists the same. */
export const alarmsOf = (site: Site): readonly AlarmOf[] => [
  ...queueAlarms(site),
  ...jobAlarms(site),
  ...deskAlarms(site),
  ...apiAlarms(site),
  ...(site.target.database === "aurora" ? databaseAlarms(site) : []),
];

function queueAlarms({ target: { stage }, topology }: Site): AlarmOf[] {
  return Object.entries(topology.queues).flatMap(([name, { groupBy, timeoutSeconds }]) => {
    const of = (metricName: string, QueueName: string): Watched => ({
      namespace: "AWS/SQS",
      metricName,
      dimensions: { QueueName },
    });
    const ordered = groupBy !== undefined;
    return [
      alarm(of("ApproximateNumberOfMessagesVisible", deadLetterName(stage, name, ordered)), {
        name: `dead-letters-${name}`,
        impact: `messages of ${name} were given up; numbers that depend on them are missing.`,
        firstAction: `read the job's log for why, repair it, then npm run redrive -- ${name} --stage ${stage}.`,
      }),
      alarm(of("ApproximateAgeOfOldestMessage", queueName(stage, name, ordered)), {
        name: `oldest-${name}`,
        above: Math.max(300, timeoutSeconds * 6),
        periods: 2,
        impact: `${name} is not keeping up; what comes after it works with old input.`,
        firstAction: "see whether its function fails or is throttled, and whether the database answers.",
      }),
    ];
  });
}

/** Throttles of a job, and errors of those that no queue tells of. */
function jobAlarms({ target: { stage, schedules }, topology }: Site): AlarmOf[] {
  const of = (metricName: string, consumer: string): Watched => ({
    namespace: "AWS/Lambda",
    metricName,
    dimensions: { FunctionName: deployedName(stage, functionName(consumer as `functions/${string}.handler`)) },
  });
  // Of all functions of the account and region: what is short is shared by all of them.
  const throttles = alarm(
    { namespace: "AWS/Lambda", metricName: "Throttles", dimensions: {} },
    {
      name: "throttled",
      statistic: "Sum",
      periods: 3,
      impact: "functions wait for the account's Lambda concurrency; everything may fall behind.",
      firstAction: "see on the dashboard which wait, and ask AWS for more concurrent executions.",
    },
  );
  const errors = Object.entries(topology.schedules).map(([name, { consumer, every }]) =>
    alarm(of("Errors", consumer), {
      name: `failing-${name}`,
      statistic: "Sum",
      // A run a minute may fail now and then, since the next one does its work.
      above: every === "rate(1 minute)" ? 2 : 0,
      impact: `${name} does not run; what it keeps up to date stands still.`,
      firstAction: `read its log: /aws/lambda/${deployedName(stage, functionName(consumer))}.`,
    }),
  );
  // A job whose own figures ring when there are none needs no other ear.
  const heard = new Set(silenceRings.map((name): string => metrics[name].job));
  const unheard = Object.entries(topology.schedules).filter(([, { consumer }]) => !heard.has(functionName(consumer)));
  const silent = unheard.map(([name, { consumer, every }]) =>
    alarm(of("Invocations", consumer), {
      name: `silent-${name}`,
      ...SILENCE,
      ...longerThan(every),
      impact: `${name} is not called at all; what it keeps up to date stands still.`,
      firstAction: "see whether its rule is enabled and the account in order.",
    }),
  );
  return [throttles, ...errors, ...(schedules ? silent : [])];
}

/** Returns a time in which a schedule runs at least once, whenever one looks. @throws RangeError for a rhythm it does not know. */
function longerThan(every: string): Pick<AlarmOf, "minutes" | "periods"> {
  if (/^rate\([1-5] minutes?\)$/.test(every)) return { minutes: 5, periods: 3 };
  const hours = /^cron\(\d+ (?:0\/(\d+)|\d+) \* \* \? \*\)$/.exec(every);
  if (hours === null) throw new RangeError(`how long is it from ${every} to the next? Teach it to longerThan`);
  return { minutes: 60, periods: Number(hours[1] ?? 24) + 1 };
}

/** Figures whose absence rings too: the job that writes them does not run, or fails before it has one. */
const silenceRings = ["HeadAgeSeconds", "KillSwitch", "PriceAgeSeconds", "ReportsBuilt"] as const;

/** Returns how a figure that the functions write themselves is watched in a stage. Source: packages/topology/metrics.ts. */
function figure(stage: Site["target"]["stage"], metricName: keyof typeof metrics): Watched {
  const { job, unit } = metrics[metricName];
  return { namespace: METRICS_NAMESPACE, metricName, dimensions: { stage, job: job ?? "" }, unit };
}

/** Alarms that ring too when their figure is not written. */
function silenceAlarms({ target: { stage }, topology }: Site): AlarmOf[] {
  const ringing = {
    HeadAgeSeconds: {
      name: "head-age",
      above: 180,
      impact: "no node gives a new block, or none answers; the desk trades on what whales did before.",
      firstAction:
        "read watch-head's log; compare the heads of the nodes of the rpc secret with a block explorer, and put a better one first.",
    },
    KillSwitch: {
      name: "kill-switch",
      impact:
        "the desk is HALTED or REDUCING and opens nothing, as live is until it is armed; or reconcile-orders does not run, and nobody compares the books with the venue.",
      firstAction: `npm run status -- --stage ${stage} says the state and why; without one read reconcile-orders' log.`,
    },
    PriceAgeSeconds: {
      name: "stale-prices",
      above: 300,
      impact: "an instrument has had no new bar for five minutes; biases and stops are reckoned at old prices.",
      firstAction: "read sync-prices' log, and see whether the venue is under maintenance.",
    },
    ReportsBuilt: {
      name: "no-report",
      ...SILENCE,
      ...longerThan(topology.schedules["build-report"]?.every ?? ""),
      impact: "the report that was due has not been built.",
      firstAction: "read build-report's log; the next run builds its own four hours only.",
    },
  } as const satisfies Record<(typeof silenceRings)[number], Told>;
  const rings = silenceRings.map((name) => alarm(figure(stage, name), { silenceIsBad: true, ...ringing[name] }));
  const records = alarm(figure(stage, "AuditChainBroken"), {
    ...SILENCE,
    name: "audit-silent",
    statistic: "Maximum",
    minutes: 24 * 60,
    periods: 2,
    impact: "the records were not checked for two days; what was changed in them would not show.",
    firstAction: "read the log of maintain-storage; when the copy's bucket refuses it, see 'Records' in the runbook.",
  });
  return [...rings, records];
}

/** What the functions measure themselves. */
function deskAlarms(site: Site): AlarmOf[] {
  const { stage, schedules } = site.target;
  const of = (name: keyof typeof metrics): Watched => figure(stage, name);
  return [
    ...(schedules ? silenceAlarms(site) : []),
    alarm(of("IngestLagSeconds"), {
      name: "ingest-lag",
      above: 120,
      periods: 3,
      impact: "blocks arrive minutes late; whales are followed behind the market.",
      firstAction: "see whether the nodes of the rpc secret answer, and the age of the queue blocks.",
    }),
    alarm(of("OrdersUnknown"), {
      name: "order-unknown",
      minutes: 1,
      impact: "the venue may hold an order that the desk is unsure of; its account and instrument stand still.",
      firstAction: "look the order up at the venue by its client order id; see 'An order is unknown' in the runbook.",
    }),
    alarm(of("UnprotectedSeconds"), {
      name: "unprotected",
      above: 10,
      minutes: 1,
      impact:
        "a position had no stop at the venue for more than ten seconds; until it has one the desk watches it once a minute.",
      firstAction:
        "see the position's stop at the venue, then read the logs of submit-order and protect-position for why it came late.",
    }),
    alarm(of("ReconciliationDrift"), {
      name: "position-drift",
      minutes: 1,
      periods: 2,
      impact: "the position here is not the venue's; sizing and risk limits work with a wrong figure.",
      firstAction: "compare the instrument's fills with the venue's, and ask whether something was traded by hand.",
    }),
    alarm(of("LedgerGap"), {
      name: "ledger-gap",
      minutes: 1,
      periods: 3,
      impact: "money came or went that no bill of the venue explains; equity and drawdown may be wrong.",
      firstAction: "see both sides with `npm run status`, and compare the bills with the venue's own list.",
    }),
    alarm(of("BillsUnknown"), {
      name: "bills-unknown",
      minutes: 1,
      impact:
        "the balance was changed by something that the desk has no word for (kind unknown in `bills`), or no price for.",
      firstAction: "see 'Ledger' in the runbook: a subtype is in the venue's list, the log's fee_unvalued names a fee.",
    }),
    alarm(of("AuditChainBroken"), {
      name: "audit-chain",
      minutes: 60,
      impact: "a row of the audit log or of an order's trail was changed or removed.",
      firstAction: "copy the database, then see 'Records' in the runbook for what the log names.",
    }),
    alarm(of("DefaultPartitionRows"), {
      name: "default-partition",
      minutes: 60,
      impact: "rows fell outside of every partition; retention does not see them and queries slow down.",
      firstAction: "run maintain-storage again and read its log; a partition ahead is missing.",
    }),
  ];
}

function apiAlarms({ target: { stage }, topology }: Site): AlarmOf[] {
  return Object.values(topology.api).map(({ consumer }) => {
    const job = functionName(consumer);
    return alarm(
      { namespace: "AWS/Lambda", metricName: "Errors", dimensions: { FunctionName: deployedName(stage, job) } },
      {
        name: `failing-${job.replaceAll("/", "-")}`,
        statistic: "Sum",
        above: 5,
        impact: `the API's ${job} answers with errors; the desk itself goes on.`,
        firstAction: `read its log: /aws/lambda/${deployedName(stage, job)}.`,
      },
    );
  });
}

function databaseAlarms({ target: { stage } }: Site): AlarmOf[] {
  const ofProxy = (metricName: string): Watched => ({
    namespace: "AWS/RDS",
    metricName,
    dimensions: { ProxyName: named(stage, "proxy") },
  });
  const ofCluster = (metricName: string): Watched => ({
    namespace: "AWS/RDS",
    metricName,
    dimensions: { DBClusterIdentifier: named(stage, "database") },
  });
  return [
    alarm(ofProxy("DatabaseConnectionsCurrentlySessionPinned"), {
      name: "pinned-sessions",
      above: 5,
      periods: 3,
      impact: "sessions cannot be shared, and functions will soon wait for one.",
      firstAction: "find in the proxy's log which statement sets session state, and take it out.",
    }),
    alarm(ofCluster("ACUUtilization"), {
      name: "database-full",
      above: 90,
      periods: 3,
      impact: "the database is at its largest size; queries slow down and queues grow.",
      firstAction: "find the slow statements in Performance Insights; raise the capacity in stacks/database.ts.",
    }),
    alarm(ofCluster("VolumeBytesUsed"), {
      name: "database-large",
      above: 500 * 1024 ** 3,
      minutes: 60,
      impact: "the database holds more than 500 GiB; storage is the largest cost.",
      firstAction: "see whether maintain-storage drops old partitions.",
    }),
  ];
}
