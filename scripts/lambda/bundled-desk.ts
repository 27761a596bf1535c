import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { seedCursor } from "#db/chain/blocks";
import type { Db } from "#db/client";
import { type Drizzle, drizzleOf } from "#db/drizzle";
import { connectPostgres } from "#db/server/connect";
import { chainDouble } from "#doubles/node/node";
import { paperKey, paperSecret } from "#doubles/venue/key";
import { paperVenue } from "#doubles/venue/venue";
import { type VirtualClock, virtualClock } from "#host/clock";
import { startApi } from "#local/api-server";
import { startAwsEndpoint } from "#local/aws/aws-endpoint";
import { poll } from "#local/aws/poller";
import { startQueues } from "#local/aws/queues";
import { scheduledEvent } from "#local/laptop";
import { recordedCandles } from "#recording/candle-source";
import { policyOn } from "#recording/policy";
import type { Recording } from "#recording/recording";
import { askedPath } from "#topology/asked-path";
import type { Delivered } from "#topology/delivery";
import { functionName } from "#topology/functions";
import type { QueueName } from "#topology/queues";
import type { RouteName } from "#topology/routes";
import type { ScheduleName } from "#topology/schedules";
import type { TaskName } from "#topology/tasks";
import { queue, schedule, task } from "#topology/topology";
import { type Policy, policyFrom } from "#trading/plans/policy";
import { instant } from "#units/time";
import {
  type BundledFunctions,
  bundledFunctions,
  contextFor,
  InvocationError,
  secretIdOf,
} from "./bundled-functions.ts";

/** The laptop's parts around the bundles: what the functions of a deployed stage have around them. */
export interface BundledDesk {
  readonly functions: BundledFunctions;
  /** The database that the functions use, from this process. */
  readonly db: Drizzle;
  readonly clock: VirtualClock;
  /** What the functions decide by. */
  readonly policy: Policy;
  readonly recording: Recording;
  /** Says where the chain begins: a block before the recording's first. */
  seed(): Promise<void>;
  runTask(name: TaskName, input?: unknown): Promise<unknown>;
  /** Runs a schedule at the clock's time. */
  tick(name: ScheduleName): Promise<void>;
  /** Hands over every message that a queue holds, at most `most`. Returns how many. @throws InvocationError */
  take(name: QueueName, most?: number): Promise<number>;
  /** Puts a message on a queue. */
  put<Q extends QueueName>(name: Q, payload: Delivered<Q>): Promise<void>;
  /** Requests a route over HTTP. Returns the reply. */
  get(route: RouteName): Promise<{ status: number; text: string }>;
  close(): Promise<void>;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const LOCAL = { region: "us-east-1", credentials: { accessKeyId: "local", secretAccessKey: "local" } };

/** The settings of a stage that runs over a recording. Source: packages/replay/run-settings.ts, which has them for the laptop. */
function settingsOf({ manifest, candles }: Recording, start: number, venueUrl: string): Record<string, string> {
  const opened = manifest.instruments.flatMap((id) => candles(id)[0]?.openedAt ?? []);
  const earliest = Math.min(start, ...opened.map((at) => Date.parse(at)));
  return {
    CHAIN_ID: String(manifest.chainId),
    INSTRUMENTS: manifest.instruments.join(","),
    BAR_SECONDS: String(manifest.barSeconds),
    HEAD_POLL_SECONDS: "0",
    VENUE: "paper",
    WARMUP_HOURS: String(Math.max(1, Math.ceil((start - earliest) / HOUR))),
    GENERATED: String(manifest.kind === "generated"),
    INPUT_NAME: manifest.name,
    POLICY: JSON.stringify(policyOn(manifest)),
    OKX_URL: venueUrl,
    QUEUE_DELAYS: "none",
    OKX_PUBLIC_URL: venueUrl,
    OKX_RATE_LIMIT: "false",
  };
}

/** Starts the parts around the bundles over an empty database at `databaseUrl`. The clock stands at the first minute by which `blocks` blocks were mined. */
export async function bundledDesk(
  client: string,
  recording: Recording,
  databaseUrl: string,
  blocks: number,
): Promise<BundledDesk> {
  const times = recording.headers.map(({ timestamp }) => timestamp * 1000);
  const clock = virtualClock(Math.ceil((times[blocks - 1] ?? 0) / MINUTE) * MINUTE);
  const chain = await chainDouble(recording, clock);
  const venue = await paperVenue({ clock, source: recordedCandles(recording), key: paperKey });
  const queues = await startQueues(null);
  const sqs = new SQSClient({ ...LOCAL, endpoint: queues.endpoint, useQueueUrlAsEndpoint: false });
  const secrets = new Map([
    [secretIdOf("database"), JSON.stringify({ url: databaseUrl })],
    [secretIdOf("rpc"), JSON.stringify({ urls: [chain.url] })],
    [secretIdOf("exchange"), paperSecret()],
    [secretIdOf("control"), "{}"], // as stacks/secrets.ts makes it: it says nothing until the reconciler has written it
  ]);
  const endpoint = await startAwsEndpoint({ sqs, queueUrl: queues.url, secrets });
  const functions = await bundledFunctions({
    ...{ client, sqsEndpoint: queues.endpoint, awsEndpoint: endpoint.url },
    queueUrl: (name) => queues.url(name as QueueName),
    settings: settingsOf(recording, clock.now(), venue.url),
  });
  const api = await startApi(functions.handlers, 0);
  const database = connectPostgres(databaseUrl);
  const invoke = (entry: Parameters<typeof contextFor>[0], event: unknown): Promise<unknown> => {
    const handler = functions.handlers.get(entry.consumer);
    if (!handler) throw new InvocationError(`${entry.consumer} has no bundle`);
    return handler(event, contextFor(entry));
  };
  const take = async (name: QueueName, most = Number.POSITIVE_INFINITY): Promise<number> => {
    const handler = (event: unknown) => invoke(queue(name), event);
    let taken = 0;
    while (queues.ready(name) > 0 && taken < most) {
      const { received, failed } = await poll({ sqs, queue: name, url: queues.url(name), handler });
      if (failed > 0) {
        const job = functionName(queue(name).consumer);
        throw new InvocationError(
          `${name}: ${failed} of ${received} messages failed\n${functions.log(job).slice(-2000)}`,
        );
      }
      taken += received;
    }
    return taken;
  };
  return {
    ...{ functions, clock, take, db: drizzleOf(database.db) },
    policy: policyFrom(policyOn(recording.manifest)),
    recording,
    seed: () => seed(database.db, recording),
    runTask: (name, input = {}) => invoke(task(name), input),
    tick: async (name) => void (await invoke(schedule(name), scheduledEvent(name, instant(clock.now())))),
    put: async (name, payload) => {
      const { groupBy } = queue(name);
      const group = groupBy && String((payload as Record<string, unknown>)[groupBy]);
      const ordered = group ? { MessageGroupId: group, MessageDeduplicationId: `${clock.now()}` } : {};
      await sqs.send(
        new SendMessageCommand({ QueueUrl: queues.url(name), MessageBody: JSON.stringify(payload), ...ordered }),
      );
    },
    get: async (route) => {
      const reply = await fetch(new URL(askedPath(route, instant(clock.now())), api.url));
      return { status: reply.status, text: await reply.text() };
    },
    close: async () => {
      for (const part of [api, functions, database, endpoint, queues, venue, chain]) await part.close();
      sqs.destroy();
    },
  };
}

async function seed(db: Db, { manifest, headers }: Recording): Promise<void> {
  const [first] = headers;
  if (!first) return;
  await seedCursor(db, manifest.chain, { number: first.number - 1, hash: first.parentHash });
}
