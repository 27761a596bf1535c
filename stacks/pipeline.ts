import { type App, CfnOutput, Duration, Stack } from "aws-cdk-lib";
import { EventBus, Rule, RuleTargetInput, Schedule } from "aws-cdk-lib/aws-events";
import { LambdaFunction as LambdaTarget, SqsQueue } from "aws-cdk-lib/aws-events-targets";
import { EventSourceMapping } from "aws-cdk-lib/aws-lambda";
import { DeduplicationScope, FifoThroughputLimit, Queue, QueueEncryption } from "aws-cdk-lib/aws-sqs";
import type { Queue as QueueEntry } from "#topology/job";
import { busName, deadLetterName, named, queueName, SOURCE } from "#topology/names";
import { JobFunction } from "./job-function.ts";
import { type AuroraSite, removalOf, type Site, stackProps, tag } from "./site.ts";

interface Pair {
  readonly queue: Queue;
  readonly deadLetters: Queue;
}

// Lambda may hold a batch for its timeout and try again; less would show a message to two at once.
// Source: Lambda developer guide, "Configuring a queue to use with Lambda": six times the timeout.
const VISIBILITY_TIMES = 6;
/** A run that a minute's rule calls is worth nothing when the next one is there. */
const STALE_SECONDS = 60;

/** Queues, dead letters, bus, rules, schedules, and the functions that they call. */
export class PipelineStack extends Stack {
  readonly #pairs: ReadonlyMap<string, Pair>;
  readonly #site: Site;
  readonly #aurora: AuroraSite | null;

  constructor(app: App, site: Site, aurora: AuroraSite | null) {
    super(
      app,
      named(site.target.stage, "pipeline"),
      stackProps(site.target, "Spyhop: queues, bus, schedules and jobs"),
    );
    this.#site = site;
    this.#aurora = aurora;
    tag(this, site.target);
    const { topology } = site;
    this.#pairs = new Map(Object.entries(topology.queues).map(([name, entry]) => [name, this.#addQueue(name, entry)]));
    const bus = new EventBus(this, "Bus", { eventBusName: busName(site.target.stage) });
    for (const [fact, to] of Object.entries(topology.facts)) this.#addFact(bus, fact, to);
    for (const [name, entry] of Object.entries(topology.queues)) this.#addConsumer(name, entry);
    for (const name of Object.keys(topology.schedules)) this.#addSchedule(name);
  }

  /** Returns where a queue is, for a function of another stack too. */
  readonly queueUrl = (name: string): string => this.#pair(name).queue.queueUrl;

  #pair(name: string): Pair {
    const pair = this.#pairs.get(name);
    if (!pair) throw new RangeError(`no queue ${name}`); // checkTopology refused this before
    return pair;
  }

  #addQueue(name: string, { groupBy, maxReceives, timeoutSeconds }: QueueEntry): Pair {
    const { target } = this.#site;
    const ordered = groupBy !== undefined;
    const common = {
      encryption: QueueEncryption.SQS_MANAGED,
      // The emulator is reached over http.
      enforceSSL: !target.emulator,
      removalPolicy: removalOf(target),
      ...(ordered ? { fifo: true } : {}),
    };
    const deadLetters = new Queue(this, `${name}-dead`, {
      ...common,
      queueName: deadLetterName(target.stage, name, ordered),
      retentionPeriod: Duration.days(14),
    });
    const queue = new Queue(this, name, {
      ...common,
      queueName: queueName(target.stage, name, ordered),
      visibilityTimeout: Duration.seconds(timeoutSeconds * VISIBILITY_TIMES),
      retentionPeriod: Duration.days(4),
      deadLetterQueue: { queue: deadLetters, maxReceiveCount: maxReceives },
      ...(ordered
        ? {
            deduplicationScope: DeduplicationScope.MESSAGE_GROUP,
            fifoThroughputLimit: FifoThroughputLimit.PER_MESSAGE_GROUP_ID,
          }
        : {}),
    });
    new CfnOutput(this, `QueueUrl-${name}`, { value: queue.queueUrl });
    return { queue, deadLetters };
  }

  /** What the bus cannot deliver to a queue goes to that queue's dead letters. */
  #addFact(bus: EventBus, fact: string, to: readonly string[]): void {
    new Rule(this, `fact-${fact}`, {
      ruleName: named(this.#site.target.stage, fact.replaceAll(".", "-")),
      description: `the fact ${fact} to ${to.join(", ")}`,
      eventBus: bus,
      eventPattern: { source: [SOURCE], detailType: [fact] },
      targets: to.map((name) => {
        const { queue, deadLetters } = this.#pair(name);
        return new SqsQueue(queue, {
          message: RuleTargetInput.fromEventPath("$.detail"),
          deadLetterQueue: deadLetters,
        });
      }),
    });
  }

  #addConsumer(name: string, entry: QueueEntry): void {
    const { lambda } = new JobFunction(this, `takes-${name}`, {
      site: this.#site,
      aurora: this.#aurora,
      job: { ...entry, takes: name, behindOrigin: false },
      queueUrl: this.queueUrl,
    });
    new EventSourceMapping(this, `mapping-${name}`, {
      target: lambda,
      eventSourceArn: this.#pair(name).queue.queueArn,
      batchSize: entry.batchSize,
      maxConcurrency: entry.maxConcurrency,
      reportBatchItemFailures: true,
    });
  }

  #addSchedule(name: string): void {
    const { topology, target } = this.#site;
    const entry = topology.schedules[name];
    if (!entry) throw new RangeError(`no schedule ${name}`);
    const { lambda } = new JobFunction(this, `runs-${name}`, {
      site: this.#site,
      aurora: this.#aurora,
      job: { ...entry, takes: null, behindOrigin: false },
      queueUrl: this.queueUrl,
    });
    const often = entry.every.startsWith("rate(");
    lambda.configureAsyncInvoke({
      retryAttempts: often ? 0 : 2,
      maxEventAge: Duration.seconds(often ? STALE_SECONDS : 3600),
    });
    new Rule(this, `schedule-${name}`, {
      ruleName: named(target.stage, name),
      description: `${name}, ${entry.every} UTC`,
      schedule: Schedule.expression(entry.every),
      enabled: target.schedules,
      targets: [new LambdaTarget(lambda, { retryAttempts: often ? 0 : 2 })],
    });
  }
}
