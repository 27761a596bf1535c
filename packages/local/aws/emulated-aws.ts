import {
  CreateEventBusCommand,
  EventBridgeClient,
  PutRuleCommand,
  PutTargetsCommand,
  ResourceAlreadyExistsException,
} from "@aws-sdk/client-eventbridge";
import {
  ChangeMessageVisibilityBatchCommand,
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  QueueDoesNotExist,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { busName, deadLetterName, LAPTOP, named, queueName } from "#topology/names";
import type { QueueName } from "#topology/queues";
import { QUEUES, queue } from "#topology/topology";
import { rules } from "./aws-endpoint.ts";
import { type DeadLetter, deadAttributes, type Queues, queueAttributes } from "./queues.ts";

/** Nobody answers at AWS_ENDPOINT_URL, or what answers is no emulator of AWS. */
export class EmulatorError extends Error {
  override name = "EmulatorError";
  constructor(endpoint: string, cause: Error) {
    super(`AWS_ENDPOINT_URL ${endpoint} does not answer as AWS does (${cause.message}). Is the emulator running?`, {
      cause,
    });
  }
}

/**
 * LocalStack's bus answers PutEvents and hands the fact to its queues a moment later, from a thread: 40 ms in the median of
 * 150, 225 ms at most. Queues that are still empty this long after they were empty hold nothing that is on its way.
 */
const BUS_LAG_MS = 1000;
const LOCAL = { region: "us-east-1", credentials: { accessKeyId: "test", secretAccessKey: "test" } };

interface Urls {
  readonly queue: ReadonlyMap<QueueName, string>;
  readonly dead: ReadonlyMap<QueueName, string>;
}

/**
 * Makes the queues, the bus and its rules in an emulator of AWS, under the laptop's names, and returns them in place of
 * those in this process. `fresh` removes what an earlier run left in them, and what SQS remembers against repeats.
 * @throws EmulatorError when the endpoint does not answer as AWS does.
 */
export async function emulatedQueues(endpoint: string, fresh: boolean): Promise<Queues> {
  const sqs = new SQSClient({ ...LOCAL, endpoint, useQueueUrlAsEndpoint: false });
  try {
    const urls = await makeQueues(sqs, fresh);
    await makeBus(endpoint, sqs, urls.queue);
    return await counted(sqs, endpoint, urls);
  } catch (error) {
    sqs.destroy();
    throw error instanceof Error ? new EmulatorError(endpoint, error) : error;
  }
}

async function makeQueues(sqs: SQSClient, fresh: boolean): Promise<Urls> {
  const urls = { queue: new Map<QueueName, string>(), dead: new Map<QueueName, string>() };
  for (const name of QUEUES) {
    const ordered = queue(name).groupBy !== undefined;
    const names = [queueName(LAPTOP, name, ordered), deadLetterName(LAPTOP, name, ordered)] as const;
    if (fresh) for (const one of names) await removeQueue(sqs, one);
    const dead = await makeQueue(sqs, names[1], deadAttributes(name));
    urls.queue.set(name, await makeQueue(sqs, names[0], queueAttributes(name, await arnOf(sqs, dead))));
    urls.dead.set(name, dead);
  }
  return urls;
}

async function makeQueue(sqs: SQSClient, QueueName: string, Attributes: Record<string, string>): Promise<string> {
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName, Attributes }));
  return QueueUrl ?? "";
}

async function removeQueue(sqs: SQSClient, QueueName: string): Promise<void> {
  try {
    const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName }));
    await sqs.send(new DeleteQueueCommand({ QueueUrl }));
  } catch (error) {
    if (!(error instanceof QueueDoesNotExist)) throw error;
  }
}

async function arnOf(sqs: SQSClient, QueueUrl: string): Promise<string> {
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }));
  return Attributes?.QueueArn ?? "";
}

/** A rule per fact and queue, as the stacks make them: the queue gets the event's detail. */
async function makeBus(endpoint: string, sqs: SQSClient, urls: Urls["queue"]): Promise<void> {
  const bus = new EventBridgeClient({ ...LOCAL, endpoint });
  const EventBusName = busName(LAPTOP);
  try {
    await bus.send(new CreateEventBusCommand({ Name: EventBusName })).catch((error: unknown) => {
      if (!(error instanceof ResourceAlreadyExistsException)) throw error;
    });
    for (const [i, { pattern, queue: name }] of rules().entries()) {
      const Name = named(LAPTOP, `rule-${i}`);
      await bus.send(new PutRuleCommand({ Name, EventBusName, EventPattern: JSON.stringify(pattern) }));
      const Targets = [{ Id: name, Arn: await arnOf(sqs, urls.get(name) ?? ""), InputPath: "$.detail" }];
      await bus.send(new PutTargetsCommand({ Rule: Name, EventBusName, Targets }));
    }
  } finally {
    bus.destroy();
  }
}

interface Counts {
  readonly ready: number;
  readonly depth: number;
}
const NONE: Counts = { ready: 0, depth: 0 };

async function counted(sqs: SQSClient, endpoint: string, urls: Urls): Promise<Queues> {
  let counts = new Map<QueueName, Counts>();
  let letters: DeadLetter[] = [];
  const refresh = async (): Promise<void> => {
    counts = new Map(
      await Promise.all(QUEUES.map(async (name) => [name, await countsOf(sqs, urls.queue.get(name))] as const)),
    );
    if ([...counts.values()].some(({ depth }) => depth > 0)) return; // dead letters are asked for once all is still
    letters = (await Promise.all(QUEUES.map((name) => lettersOf(sqs, name, urls.dead.get(name) ?? "")))).flat();
  };
  await refresh();
  return {
    endpoint,
    url: (name) => urls.queue.get(name) ?? "",
    deadUrl: (name) => urls.dead.get(name) ?? "",
    depth: (name) => (counts.get(name) ?? NONE).depth,
    ready: (name) => (counts.get(name) ?? NONE).ready,
    deadLetters: () => letters,
    refresh,
    busLagMs: BUS_LAG_MS,
    close: async () => sqs.destroy(),
  };
}

async function countsOf(sqs: SQSClient, QueueUrl: string | undefined): Promise<Counts> {
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }));
  const ready = Number(Attributes?.ApproximateNumberOfMessages ?? 0);
  const held = Number(Attributes?.ApproximateNumberOfMessagesNotVisible ?? 0);
  return { ready, depth: ready + held + Number(Attributes?.ApproximateNumberOfMessagesDelayed ?? 0) };
}

async function lettersOf(sqs: SQSClient, name: QueueName, QueueUrl: string): Promise<DeadLetter[]> {
  if ((await countsOf(sqs, QueueUrl)).ready === 0) return [];
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 20 }),
  );
  if (Messages.length === 0) return [];
  const Entries = Messages.map(({ ReceiptHandle }, i) => ({ Id: String(i), ReceiptHandle, VisibilityTimeout: 0 }));
  await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries }));
  return Messages.map(({ Body = "" }) => ({ queue: name, body: Body }));
}
