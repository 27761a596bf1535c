import { type FunctionName, functionName } from "#topology/functions";
import { type Metric, metrics } from "#topology/metrics";
import { SCHEDULES, schedule } from "#topology/topology";
import { type JobUsage, runsPerDay } from "./measures.ts";
import type { Prices } from "./prices.ts";

/** How a stage is deployed, as far as it costs. Source: stacks/. */
export interface Deployment {
  /** "external": a server of one's own; no network of ours is then needed. */
  readonly database: "aurora" | "external";
  readonly live: boolean;
  /** What stands in front of the API; a function costs by the request alone. */
  readonly firewall: "waf" | "function";
  /** A NAT gateway beside an external database. */
  readonly staticEgress: boolean;
  /** How many alarms its stacks have. */
  readonly alarms: number;
  /** Nobody looks at the API. */
  readonly idle: boolean;
}

/** One line of the bill. */
export interface CostLine {
  readonly component: string;
  readonly what: string;
  readonly perMonth: number;
}

/** Everything that is assumed rather than measured. Each is named in docs/cost.md. */
export const ASSUMED = {
  daysAMonth: 30.4,
  /** Lambda against the laptop that measured: 512 MB is about 0.3 of a core. */
  slowerInLambda: 3,
  /** Long polls of an idle event-source mapping: five pollers, twenty seconds each. Source: Lambda, "Using SQS". */
  idlePollsADay: (5 * 86_400) / 20,
  /** ACUs of a small steady load; the least of stacks/database.ts is 0.5. */
  acus: 1,
  databaseGb: 20,
  iosPerMessage: 20,
  natGbADay: 7200 * 0.0006,
  logBytesPerInvocation: 600,
  apiRequestsADay: 2000,
  apiKbPerReply: 20,
  secrets: 5,
  secretCallsPerInvocation: 0.05,
  /** Once a reconciliation; an order's own looks are few beside. */
  controlLooksADay: 1440,
  /** stacks/firewall.ts: a rate, two managed groups, the viewers. */
  wafRules: 4,
  /** stacks/firewall.ts: a request's line. */
  logBytesPerRequest: 1500,
  factsADay: 100,
} as const;

const HOURS_A_DAY = 24;
const MILLION = 1_000_000;

const month = (perDay: number): number => perDay * ASSUMED.daysAMonth;
const MONTH_HOURS = month(HOURS_A_DAY);
const line = (component: string, what: string, perMonth: number): CostLine => ({ component, what, perMonth });

/** Returns the monthly bill of a desk, by component. */
export function costLines(usage: readonly JobUsage[], prices: Prices, deployment: Deployment): CostLine[] {
  const requests = deployment.idle ? 0 : ASSUMED.apiRequestsADay;
  const invocations = usage.reduce((sum, job) => sum + job.invocations, 0) + requests;
  return [
    ...usage.map((job) => lambdaLine(job, prices)),
    ...sqsLines(usage, prices),
    line(
      "EventBridge",
      `${ASSUMED.factsADay} facts a day; schedules are free`,
      (month(ASSUMED.factsADay) / MILLION) * prices.eventBridgeMillionEvents,
    ),
    ...(deployment.database === "aurora" ? auroraLines(usage, prices, deployment) : []),
    ...(deployment.database === "external" && deployment.staticEgress ? [natLine(deployment, prices)] : []),
    ...edgeLines(month(requests), prices, deployment),
    ...watchLines(invocations, month(requests), prices, deployment),
  ];
}

/** Aurora, its pooler and the network that they need. */
function auroraLines(usage: readonly JobUsage[], prices: Prices, deployment: Deployment): CostLine[] {
  const { live } = deployment;
  const zones = live ? 2 : 1;
  const ios = month(usage.reduce((sum, { messages }) => sum + messages, 0) * ASSUMED.iosPerMessage);
  return [
    line(
      "Aurora compute",
      `${ASSUMED.acus} ACU${live ? ", writer and standby" : ""}`,
      zones * ASSUMED.acus * MONTH_HOURS * prices.auroraAcuHour,
    ),
    line(
      "Aurora storage and I/O",
      `${ASSUMED.databaseGb} GB, ${ASSUMED.iosPerMessage} I/Os a message`,
      ASSUMED.databaseGb * prices.auroraGbMonth + (ios / MILLION) * prices.auroraMillionIos,
    ),
    line(
      "RDS Proxy",
      `its least, ${prices.proxyLeastAcus} ACUs`,
      prices.proxyLeastAcus * MONTH_HOURS * prices.proxyAcuHour,
    ),
    natLine(deployment, prices),
    line(
      "interface endpoints",
      `SQS, EventBridge, Secrets Manager in ${zones} ${live ? "zones" : "zone"}`,
      3 * zones * MONTH_HOURS * prices.endpointHour,
    ),
  ];
}

/** With its address. Beside an external database the exchange's replies alone come through it, which is next to nothing. */
function natLine({ live, database }: Deployment, prices: Prices): CostLine {
  const zones = live ? 2 : 1;
  const gbADay = database === "aurora" ? ASSUMED.natGbADay : 0;
  return line(
    "NAT gateway",
    database === "aurora"
      ? `${zones}, and ${gbADay.toFixed(1)} GB a day from nodes and venue`
      : `${zones}, for one address`,
    zones * MONTH_HOURS * (prices.natHour + prices.ipv4Hour) + month(gbADay) * prices.natGb,
  );
}

/** What stands before the API. */
function edgeLines(requests: number, prices: Prices, { firewall }: Deployment): CostLine[] {
  const perRequest = (prices.apiMillionRequests + prices.cloudFrontMillionRequests) / MILLION;
  return [
    line(
      "API Gateway, CloudFront",
      `${Math.round(requests / ASSUMED.daysAMonth)} requests a day`,
      requests * perRequest + ((requests * ASSUMED.apiKbPerReply) / MILLION) * prices.cloudFrontGb,
    ),
    firewall === "waf"
      ? line(
          "WAF",
          `one list, ${ASSUMED.wafRules} rules`,
          prices.wafAclMonth +
            ASSUMED.wafRules * prices.wafRuleMonth +
            (requests / MILLION) * prices.wafMillionRequests,
        )
      : line("CloudFront Function", "the viewers alone", (requests / MILLION) * prices.edgeFunctionMillionRequests),
  ];
}

/** Hours of a day in which a job writes its figures: a metric is paid by the hour. What queues bring may come in any. */
function hoursWritten(job: FunctionName): number {
  const own = SCHEDULES.map(schedule).find(({ consumer }) => functionName(consumer) === job);
  return own === undefined ? HOURS_A_DAY : Math.min(HOURS_A_DAY, runsPerDay(own.every));
}

/** Logs, alarms and secrets. */
function watchLines(
  invocationsADay: number,
  requests: number,
  prices: Prices,
  { alarms, firewall }: Deployment,
): CostLine[] {
  const invocations = month(invocationsADay);
  const requestBytes = requests * ASSUMED.logBytesPerRequest * (firewall === "waf" ? 2 : 1); // the API's log, and the firewall's
  const figures = Object.values<Metric>(metrics).flatMap(({ job }) =>
    job === null ? [] : hoursWritten(job) / HOURS_A_DAY,
  );
  const paid = figures.reduce((sum, share) => sum + share, 0);
  return [
    line(
      "CloudWatch logs",
      `${ASSUMED.logBytesPerInvocation} bytes an invocation`,
      ((invocations * ASSUMED.logBytesPerInvocation + requestBytes) / 1e9) * prices.logsGb,
    ),
    line(
      "CloudWatch alarms, metrics, dashboard",
      `${alarms} alarms, ${figures.length} metrics, of which ${paid.toFixed(1)} are paid`,
      alarms * prices.alarmMonth + paid * prices.customMetricMonth + prices.dashboardMonth,
    ),
    line(
      "Secrets Manager",
      `${ASSUMED.secrets} secrets, cached five minutes; the control object never`,
      ASSUMED.secrets * prices.secretMonth +
        ((invocations * ASSUMED.secretCallsPerInvocation + month(ASSUMED.controlLooksADay)) / MILLION) *
          prices.secretMillionCalls,
    ),
  ];
}

function lambdaLine({ job, invocations, meanMs, waitMs, memoryMb }: JobUsage, prices: Prices): CostLine {
  // Who waits takes the same time anywhere; who computes takes longer on less of a core.
  const milliseconds = meanMs * ASSUMED.slowerInLambda + waitMs;
  const gbSeconds = ((invocations * milliseconds) / 1000) * (memoryMb / 1024);
  const perDay = gbSeconds * prices.lambdaGbSecond + (invocations / MILLION) * prices.lambdaMillionRequests;
  return {
    component: `Lambda ${job}`,
    what: `${Math.round(invocations)} a day × ${Math.round(milliseconds)} ms × ${memoryMb} MB`,
    perMonth: perDay * ASSUMED.daysAMonth,
  };
}

/** A message is sent, received and deleted; batches are not reckoned with. Idle polls are paid as well. */
function sqsLines(usage: readonly JobUsage[], prices: Prices): CostLine[] {
  return [true, false].map((ordered): CostLine => {
    const queues = usage.filter((job) => job.queue !== null && job.ordered === ordered);
    const work = queues.reduce((sum, { messages }) => sum + 3 * messages, 0);
    const idle = queues.length * ASSUMED.idlePollsADay;
    const price = ordered ? prices.sqsFifoMillionRequests : prices.sqsMillionRequests;
    return {
      component: `SQS ${ordered ? "FIFO" : "standard"}`,
      what: `${Math.round(work)} requests a day for messages, ${Math.round(idle)} for polls of ${queues.length} queues`,
      perMonth: ((work + idle) / MILLION) * price * ASSUMED.daysAMonth,
    };
  });
}

/** Returns the bill as a table of Markdown, with its sum. */
export function costTable(lines: readonly CostLine[]): string {
  const total = lines.reduce((sum, { perMonth }) => sum + perMonth, 0);
  const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [
    row(["component", "what", "USD a month"]),
    row(["---", "---", "---:"]),
    ...lines.map(({ component, what, perMonth }) => row([component, what, perMonth.toFixed(2)])),
    row(["**sum**", "", `**${total.toFixed(2)}**`]),
  ].join("\n");
}
