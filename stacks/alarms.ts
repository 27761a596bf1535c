import { type App, Duration, Stack } from "aws-cdk-lib";
import { CfnBudget } from "aws-cdk-lib/aws-budgets";
import {
  Alarm,
  AlarmWidget,
  ComparisonOperator,
  Dashboard,
  GraphWidget,
  type IMetric,
  Metric,
  TextWidget,
  TreatMissingData,
  Unit,
} from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import { Topic } from "aws-cdk-lib/aws-sns";
import { EmailSubscription } from "aws-cdk-lib/aws-sns-subscriptions";
import { functionName } from "#topology/functions";
import type { Metric as Metrics } from "#topology/metrics";
import { deadLetterName, deployedName, named, queueName, type Stage } from "#topology/names";
import { type AlarmOf, alarmsOf } from "./alarm-list.ts";
import { type Site, stackProps, tag } from "./site.ts";

const UNITS = { Count: Unit.COUNT, Seconds: Unit.SECONDS } as const satisfies Record<Metrics["unit"], Unit>;

/** Alarms, where they go, and one dashboard. */
export class AlarmsStack extends Stack {
  constructor(app: App, site: Site) {
    const { target } = site;
    super(app, named(target.stage, "alarms"), stackProps(target, "Spyhop: alarms and the dashboard"));
    tag(this, target);
    const topic = new Topic(this, "Topic", { topicName: named(target.stage, "alarms"), enforceSSL: !target.emulator });
    if (target.alarmEmail !== null) topic.addSubscription(new EmailSubscription(target.alarmEmail));
    const alarms = alarmsOf(site).map((entry) => this.#addAlarm(entry, site, topic));
    this.#addDashboard(site, alarms);
    if (target.budgetUsd !== null && target.alarmEmail !== null && !target.emulator)
      this.#addBudget(target.stage, target.budgetUsd, target.alarmEmail);
  }

  /** Of the whole account: what is tagged alone is counted only where somebody has switched that on in the billing console. */
  #addBudget(stage: Stage, amount: number, address: string): void {
    const told = (notificationType: "ACTUAL" | "FORECASTED", threshold: number) => ({
      notification: { notificationType, threshold, thresholdType: "PERCENTAGE", comparisonOperator: "GREATER_THAN" },
      subscribers: [{ subscriptionType: "EMAIL", address }],
    });
    new CfnBudget(this, "Budget", {
      budget: {
        budgetName: named(stage, "budget"),
        budgetType: "COST",
        timeUnit: "MONTHLY",
        budgetLimit: { amount, unit: "USD" },
      },
      notificationsWithSubscribers: [told("ACTUAL", 80), told("ACTUAL", 100), told("FORECASTED", 100)],
    });
  }

  #addAlarm(entry: AlarmOf, { target }: Site, topic: Topic): Alarm {
    const metric = new Metric({
      namespace: entry.namespace,
      metricName: entry.metricName,
      dimensionsMap: entry.dimensions,
      statistic: entry.statistic,
      period: Duration.minutes(entry.minutes),
      ...(entry.unit === null ? {} : { unit: UNITS[entry.unit] }),
    });
    const alarm = new Alarm(this, entry.name, {
      alarmName: named(target.stage, entry.name),
      alarmDescription: `Impact: ${entry.impact} First action: ${entry.firstAction}`,
      metric,
      threshold: entry.above,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: entry.periods,
      treatMissingData: entry.silenceIsBad ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(new SnsAction(topic));
    alarm.addOkAction(new SnsAction(topic));
    return alarm;
  }

  #addDashboard({ target, topology }: Site, alarms: readonly Alarm[]): void {
    const { stage } = target;
    const queues = Object.entries(topology.queues).map(([name, { groupBy }]) => ({
      name,
      ordered: groupBy !== undefined,
    }));
    const jobs = [topology.schedules, topology.queues, topology.api].flatMap((kind) =>
      Object.values(kind).map(({ consumer }) => functionName(consumer)),
    );
    const ofQueue = (metricName: string, statistic: string, nameOf: typeof queueName): IMetric[] =>
      queues.map(({ name, ordered }) =>
        metricOf("AWS/SQS", metricName, { QueueName: nameOf(stage, name, ordered) }, statistic, name),
      );
    const ofJob = (metricName: string, statistic: string): IMetric[] =>
      jobs.map((job) => metricOf("AWS/Lambda", metricName, { FunctionName: deployedName(stage, job) }, statistic, job));
    new Dashboard(this, "Dashboard", {
      dashboardName: named(stage, "desk"),
      widgets: [
        [
          new TextWidget({
            markdown: `# Spyhop ${stage}\nWhat each alarm means and what to do first: docs/runbook.md`,
            width: 24,
            height: 2,
          }),
        ],
        alarms.map((alarm) => new AlarmWidget({ alarm, title: alarm.node.id, width: 6, height: 4 })),
        [
          graph("Oldest message, s", ofQueue("ApproximateAgeOfOldestMessage", "Maximum", queueName)),
          graph("Messages waiting", ofQueue("ApproximateNumberOfMessagesVisible", "Maximum", queueName)),
          graph("Dead letters", ofQueue("ApproximateNumberOfMessagesVisible", "Maximum", deadLetterName)),
        ],
        [
          graph("Invocations", ofJob("Invocations", "Sum")),
          graph("Errors", ofJob("Errors", "Sum")),
          graph("Throttles", ofJob("Throttles", "Sum")),
          graph("Duration p99, ms", ofJob("Duration", "p99")),
        ],
      ],
    });
  }
}

const metricOf = (
  namespace: string,
  metricName: string,
  dimensionsMap: Record<string, string>,
  statistic: string,
  label: string,
): Metric => new Metric({ namespace, metricName, dimensionsMap, statistic, label, period: Duration.minutes(5) });

const graph = (title: string, left: IMetric[]): GraphWidget => new GraphWidget({ title, left, width: 8, height: 7 });
