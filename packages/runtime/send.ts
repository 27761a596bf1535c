import { SendMessageBatchCommand, SQSClient } from "@aws-sdk/client-sqs";
import type { AtRunTime, MessageQueue } from "#topology/job";
import { type MessageOf, messages } from "#topology/messages";
import { type MessageQueueName, type QueueName, type Queues, queues } from "#topology/queues";
import { sha256 } from "#units/ids";
import { keepsDelays, queueUrl } from "./config.ts";
import { traceAttributes } from "./trace.ts";

/** What a queue takes. */
export type Outgoing<Q extends MessageQueueName> = MessageOf<Queues[Q]["message"]>;

/** SQS refused some of a batch after the SDK's own retries. */
export class SendError extends Error {
  override name = "SendError";
  readonly queue: QueueName;
  readonly codes: readonly string[];
  constructor(queue: QueueName, codes: readonly string[]) {
    super(`queue ${queue} refused ${codes.length} messages: ${[...new Set(codes)].join(", ")}`);
    this.queue = queue;
    this.codes = codes;
  }
}

const BATCH = 10; // SQS's limit per SendMessageBatch
let client: SQSClient | undefined;

/** Returns the client of this process for its queues. */
export const queueClient = (): SQSClient => {
  // Without useQueueUrlAsEndpoint: false the SDK calls the queue URL's host and ignores AWS_ENDPOINT_URL.
  client ??= new SQSClient({ useQueueUrlAsEndpoint: false });
  return client;
};

/**
 * Validates and enqueues `payloads`, in order and without repeats of the same payload.
 * On an ordered queue the group is the topology's `groupBy` field and the deduplication id is the payload's hash, so
 * that a resend within SQS's five minutes is dropped by SQS; later ones are harmless because every consumer is idempotent.
 * Where the topology has a `delayBy`, SQS keeps each message back for as long as that field says.
 * The trace of the work in hand goes along as attributes, which that hash does not cover.
 * @throws ZodError when a payload breaks its contract; SendError when SQS refuses some.
 */
export async function send<Q extends MessageQueueName>(to: Q, payloads: readonly Outgoing<Q>[]): Promise<void> {
  const entry: AtRunTime<MessageQueue> = queues[to];
  const bodies = [...new Set(payloads.map((payload) => JSON.stringify(messages[entry.message].parse(payload))))];
  if (bodies.length === 0) return;
  const QueueUrl = queueUrl(to);
  const MessageAttributes = traceAttributes();
  for (let i = 0; i < bodies.length; i += BATCH) {
    const Entries = bodies.slice(i, i + BATCH).map((body, k) => ({
      Id: String(k),
      MessageBody: body,
      ...(MessageAttributes && { MessageAttributes }),
      ...(entry.delayBy && keepsDelays() && { DelaySeconds: Number(fieldOf(body, entry.delayBy)) }),
      ...(entry.groupBy && {
        MessageGroupId: String(fieldOf(body, entry.groupBy)),
        MessageDeduplicationId: sha256(body),
      }),
    }));
    const { Failed } = await queueClient().send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    if (Failed?.length)
      throw new SendError(
        to,
        Failed.map((failure) => failure.Code ?? "unknown"),
      );
  }
}

const fieldOf = (body: string, name: string): unknown => (JSON.parse(body) as Record<string, unknown>)[name];

/** Forgets the client, so that the next send uses the endpoint then in force. For the local runtime. */
export const forgetQueues = (): void => {
  client?.destroy();
  client = undefined;
};
