import { setTimeout as pause } from "node:timers/promises";
import { SQSClient } from "@aws-sdk/client-sqs";
import { type Closer, closeAll } from "#host/closers";
import { readSettings, setEnv } from "#runtime/config";
import { forgetBus } from "#runtime/publish";
import { forgetSecrets } from "#runtime/secret";
import { forgetQueues } from "#runtime/send";
import { provide } from "#runtime/services";
import { busName, LAPTOP } from "#topology/names";
import type { QueueName } from "#topology/queues";
import type { ScheduleName } from "#topology/schedules";
import { QUEUES, queue, schedule } from "#topology/topology";
import type { ControlBoard } from "#trading/control-object";
import type { RecordCopy } from "#trading/record-head";
import type { Instant } from "#units/time";
import { startAwsEndpoint } from "./aws/aws-endpoint.ts";
import { emulatedQueues } from "./aws/emulated-aws.ts";
import { deadlineOf, type Handler, jobOf, lambdaContext, loadHandlers } from "./aws/jobs.ts";
import { poll } from "./aws/poller.ts";
import { type DeadLetter, type Queues, startQueues } from "./aws/queues.ts";
import { controlInMemory } from "./control-board.ts";
import { type Measures, measures } from "./measure.ts";
import { type Embedded, openEmbedded } from "./postgres/embedded-postgres.ts";
import { vacuumAfter } from "./postgres/vacuum.ts";

/** The running laptop: database, queues, bus, secrets and the Lambda handlers in one process. */
export interface Laptop {
  readonly database: Embedded;
  readonly handlers: ReadonlyMap<string, Handler>;
  readonly measured: Measures;
  /** Runs a schedule's handler as EventBridge would at `at`. @throws what the handler threw. */
  runSchedule(name: ScheduleName, at: Instant): Promise<void>;
  /** Polls a queue once, waiting up to `waitSeconds` for a message. Returns how many came. */
  pollQueue(name: QueueName, waitSeconds?: number): Promise<number>;
  /** Returns once every queue is empty: nothing ready, delayed or in flight. Dead letters stay where they are. */
  drain(): Promise<void>;
  deadLetters(): DeadLetter[];
  /** Returns how many messages of a queue were received so far. */
  received(name: QueueName): number;
  close(): Promise<void>;
}

export interface LaptopOptions {
  /** Where the database is kept; null = in memory. */
  readonly databaseDirectory: string | null;
  /** Opens another database instead: a server's. */
  readonly openDatabase?: (() => Promise<Embedded>) | undefined;
  /** Where queued messages survive a restart; null = in memory. */
  readonly queueDirectory: string | null;
  /** An emulator of AWS whose queues and bus are used instead of those of this process. */
  readonly awsEndpoint?: string | undefined;
  /** The settings and addresses that the handlers read, beside those of the parts started here. */
  readonly env: Readonly<Record<string, string>>;
  /** Secrets by id, as JSON text. */
  readonly secrets: ReadonlyMap<string, string>;
  /** Seconds until the messages of an invocation that threw come again; left out = as in the cloud. */
  readonly crashSeconds?: number | undefined;
  readonly drill?: DrillParts | undefined;
  /** Where the heads of the records are kept; left out = nowhere. */
  readonly recordCopy?: RecordCopy | undefined;
  /** Where the control object is kept; left out = in memory, for as long as the desk runs. */
  readonly controlBoard?: ControlBoard | undefined;
}

/** What a fault drill puts between the desk and its parts. */
export interface DrillParts {
  /** Opens the database instead of the embedded one. */
  openDatabase(directory: string | null): Promise<Embedded>;
  /** Serves in front of an endpoint and returns the URL to use instead. */
  edge(place: "queues" | "bus" | "node" | "venue", url: string): Promise<string>;
  /** Returns what is invoked instead of a function's handler. */
  handler(consumer: string, handler: Handler): Handler;
}

const LOCAL = { region: "us-east-1", credentials: { accessKeyId: "local", secretAccessKey: "local" } };

/**
 * Starts the laptop's parts and points the AWS SDK of this process at them.
 * @throws the named errors of the embedded database (held by another process, newer schema) and of the queues.
 */
export async function startLaptop(options: LaptopOptions): Promise<Laptop> {
  const { drill } = options;
  const { database, queues, sqs, sqsUrl, awsUrl, close } = await openParts(options);
  useLocalAws(queues, { sqsUrl, awsUrl }, { ...busOf(options), ...options.env });
  provide("database", database.db);
  provide("copy", options.recordCopy ?? null);
  provide("control", options.controlBoard ?? controlInMemory(readSettings().mode));
  const loaded = await loadHandlers();
  const handlers = drill
    ? new Map([...loaded].map(([consumer, handler]) => [consumer, drill.handler(consumer, handler)] as const))
    : loaded;
  const measured = measures();
  const handlerOf = (consumer: string): Handler => handlers.get(consumer) as Handler; // loadHandlers holds every consumer
  const counts = new Map<QueueName, number>();
  let polls = 0;
  const pollQueue = async (name: QueueName, waitSeconds = 0): Promise<number> => {
    const { consumer } = queue(name);
    const measure = measured.of(jobOf(consumer));
    const handler = handlerOf(consumer);
    const { received } = await poll(
      { sqs, queue: name, url: queues.url(name), handler, measure, crashSeconds: options.crashSeconds },
      waitSeconds,
    );
    counts.set(name, (counts.get(name) ?? 0) + received);
    polls += 1;
    const extent = vacuumAfter(polls);
    if (extent) await database.vacuum(extent);
    return received;
  };
  return {
    database,
    handlers,
    measured,
    pollQueue,
    deadLetters: queues.deadLetters,
    received: (name) => counts.get(name) ?? 0,
    drain: () => drain(queues, pollQueue),
    runSchedule: async (name, at) => {
      const entry = schedule(name);
      const began = performance.now();
      await handlerOf(entry.consumer)(scheduledEvent(name, at), lambdaContext(entry, deadlineOf(entry)));
      measured.of(jobOf(entry.consumer))(performance.now() - began);
    },
    close,
  };
}

/** Opens the database, the queues and the endpoint of AWS. What was opened before one that does not open is closed. */
async function openParts(options: LaptopOptions) {
  const { drill } = options;
  const closers: Closer[] = [];
  const close = (): Promise<void> => closeAll(closers);
  try {
    const open = options.openDatabase ?? (() => (drill?.openDatabase ?? openEmbedded)(options.databaseDirectory));
    const database = await open();
    closers.push(() => database.close());
    closers.push(async () => provide("database", null));
    const queues = await openQueues(options);
    closers.push(queues.close);
    const sqsUrl = (await drill?.edge("queues", queues.endpoint)) ?? queues.endpoint;
    const sqs = new SQSClient({ ...LOCAL, endpoint: sqsUrl, useQueueUrlAsEndpoint: false });
    const endpoint = await startAwsEndpoint({ sqs, queueUrl: queues.url, secrets: options.secrets });
    closers.push(endpoint.close);
    closers.push(async () => sqs.destroy());
    const awsUrl = (await drill?.edge("bus", endpoint.url)) ?? endpoint.url;
    return { database, queues, sqs, sqsUrl, awsUrl, close };
  } catch (error) {
    await close().catch(() => undefined); // what broke the start is reported, not that a part does not close
    throw error;
  }
}

const openQueues = ({ awsEndpoint, queueDirectory }: LaptopOptions): Promise<Queues> =>
  awsEndpoint === undefined ? startQueues(queueDirectory) : emulatedQueues(awsEndpoint, queueDirectory === null);

// Secrets stay on the laptop's own endpoint: the paper venue's key is of this process, and an emulator may hold a stage's.
const busOf = ({ awsEndpoint }: LaptopOptions): Record<string, string> =>
  awsEndpoint === undefined ? {} : { AWS_ENDPOINT_URL_EVENTBRIDGE: awsEndpoint, EVENT_BUS: busName(LAPTOP) };

/** Points the SDK clients and the handlers' settings of this process at the parts started here. */
function useLocalAws(
  queues: Queues,
  { sqsUrl, awsUrl }: { readonly sqsUrl: string; readonly awsUrl: string },
  env: Readonly<Record<string, string>>,
): void {
  const urls = Object.fromEntries(QUEUES.map((name) => [`QUEUE_URL_${name.toUpperCase()}`, queues.url(name)]));
  setEnv({
    AWS_REGION: LOCAL.region,
    AWS_ACCESS_KEY_ID: "local",
    AWS_SECRET_ACCESS_KEY: "local",
    AWS_ENDPOINT_URL_SQS: sqsUrl,
    AWS_ENDPOINT_URL_EVENTBRIDGE: awsUrl,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: awsUrl,
    EVENT_BUS: "spyhop",
    ...urls,
    ...env,
  });
  for (const forget of [forgetQueues, forgetBus, forgetSecrets]) forget();
  for (const need of ["database", "rpc", "market", "exchange", "copy", "control"] as const) provide(need, null);
}

/** One queue after the other, in order of flow, until none holds a message: the same order in every replay. */
async function drain(queues: Queues, pollQueue: (name: QueueName) => Promise<number>): Promise<void> {
  for (let still = false; ; ) {
    await queues.refresh?.();
    const waiting = QUEUES.filter((name) => queues.depth(name) > 0);
    if (waiting.length === 0) {
      if (still || queues.busLagMs === undefined) return;
      await pause(queues.busLagMs);
      still = true;
      continue;
    }
    still = false;
    const ready = waiting.find((name) => queues.ready(name) > 0);
    if (ready) await pollQueue(ready);
    else {
      await pause(50); // a failed message is not visible yet
      for (const name of waiting) await pollQueue(name);
    }
  }
}

/**
 * Returns what EventBridge calls a schedule's function with; `time` has a grain of a second.
 * Source: EventBridge user guide, "Scheduled events".
 */
export const scheduledEvent = (name: ScheduleName, at: Instant): unknown => ({
  version: "0",
  id: `local-${name}-${at}`,
  "detail-type": "Scheduled Event",
  source: "aws.events",
  account: "000000000000",
  time: at.replace(/\.\d{3}Z$/, "Z"),
  region: LOCAL.region,
  resources: [`arn:aws:events:local:000000000000:rule/${name}`],
  detail: {},
});
