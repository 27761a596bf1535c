import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import type { SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import type { QueueName } from "#topology/queues";
import { queue as lookup } from "#topology/topology";
import { deadlineOf, type Handler, lambdaContext } from "./jobs.ts";

export interface PollerOptions {
  readonly sqs: SQSClient;
  readonly queue: QueueName;
  readonly url: string;
  readonly handler: Handler;
  /**
   * Seconds until the messages of an invocation that threw are visible again: for a replay, whose clock does not wait.
   * Left out = as in the cloud: when the queue's own visibility timeout, six timeouts of the function, is over. At least
   * 1: fauxqs loses a message whose visibility is set to 0 while it persists.
   */
  readonly crashSeconds?: number | undefined;
  /** Called with the milliseconds of each invocation and the number of its messages. */
  readonly measure?: (milliseconds: number, messages: number) => void;
}

/** What one poll did. */
export interface Polled {
  readonly received: number;
  readonly failed: number;
}

/**
 * Does what a Lambda event-source mapping does once: receive a batch, invoke the handler, delete what succeeded. What
 * failed, and a whole batch when the handler threw, stays invisible until its visibility timeout is over, which the
 * handler may have shortened, and so does the rest of its group on an ordered queue (SQS counts the receives and moves a
 * message to the dead-letter queue after the topology's `maxReceives`).
 */
export async function poll(options: PollerOptions, waitSeconds = 0): Promise<Polled> {
  const { sqs, url } = options;
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({
      QueueUrl: url,
      MaxNumberOfMessages: Math.min(10, lookup(options.queue).batchSize),
      WaitTimeSeconds: waitSeconds,
      MessageSystemAttributeNames: ["All"],
      MessageAttributeNames: ["All"],
    }),
  );
  if (Messages.length === 0) return { received: 0, failed: 0 };
  const { failed, crashed } = await invoke(options, Messages);
  const entries = Messages.map((message, i) => ({
    Id: String(i),
    ReceiptHandle: message.ReceiptHandle ?? "",
    MessageId: message.MessageId,
  }));
  const done = entries.filter((entry) => !failed.has(entry.MessageId ?? ""));
  const again = entries.filter((entry) => failed.has(entry.MessageId ?? ""));
  if (done.length > 0) {
    await sqs.send(
      new DeleteMessageBatchCommand({
        QueueUrl: url,
        Entries: done.map(({ Id, ReceiptHandle }) => ({ Id, ReceiptHandle })),
      }),
    );
  }
  const { crashSeconds } = options;
  if (crashed && crashSeconds !== undefined) {
    const Entries = again.map(({ Id, ReceiptHandle }) => ({ Id, ReceiptHandle, VisibilityTimeout: crashSeconds }));
    await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: url, Entries }));
  }
  return { received: Messages.length, failed: again.length };
}

interface Invoked {
  /** The ids of the messages that failed. */
  readonly failed: ReadonlySet<string>;
  /** The handler threw instead of answering. */
  readonly crashed: boolean;
}

async function invoke({ queue, handler, measure }: PollerOptions, received: readonly Message[]): Promise<Invoked> {
  const entry = lookup(queue);
  const event: SQSEvent = { Records: received.map((message) => record(message, queue)) };
  const began = performance.now();
  try {
    const reply = (await handler(event, lambdaContext(entry, deadlineOf(entry)))) as SQSBatchResponse | undefined;
    const failed = (reply?.batchItemFailures ?? []).map((failure) => failure.itemIdentifier);
    return { failed: new Set(failed), crashed: false };
  } catch {
    // The handler's edge has logged why. As in Lambda, a thrown error fails the whole batch, and SQS delivers it again.
    return { failed: new Set(received.map((message) => message.MessageId ?? "")), crashed: true };
  } finally {
    measure?.(performance.now() - began, received.length);
  }
}

const record = (message: Message, queue: QueueName): SQSRecord => ({
  messageId: message.MessageId ?? "",
  receiptHandle: message.ReceiptHandle ?? "",
  body: message.Body ?? "",
  attributes: (message.Attributes ?? {}) as unknown as SQSRecord["attributes"], // the endpoint returns them all
  messageAttributes: attributesOf(message),
  md5OfBody: message.MD5OfBody ?? "",
  eventSource: "aws:sqs",
  eventSourceARN: `arn:aws:sqs:local:000000000000:${queue}`,
  awsRegion: "local",
});

/** Returns message attributes as an event-source mapping hands them on. Ours are all text. */
const attributesOf = ({ MessageAttributes = {} }: Message): SQSRecord["messageAttributes"] =>
  Object.fromEntries(
    Object.entries(MessageAttributes).map(([name, { StringValue, DataType }]) => [
      name,
      { dataType: DataType as "String", ...(StringValue === undefined ? {} : { stringValue: StringValue }) },
    ]),
  );
