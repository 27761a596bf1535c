import { ChangeMessageVisibilityBatchCommand } from "@aws-sdk/client-sqs";
import type { SQSRecord } from "aws-lambda";
import { type QueueName, queues } from "#topology/queues";
import { queueUrl, readRetrySeconds } from "./config.ts";
import { errorFields, log } from "./log.ts";
import { queueClient } from "./send.ts";

/**
 * Returns the seconds until a message that failed is visible again, by how often it was received (from 1 on): one of
 * `waits` after the other, then the last of them again. After its last receive the first: it only waits to be a dead letter.
 */
export function retryAfter(receives: number, maxReceives: number, waits: readonly number[]): number {
  const place = receives > 1 && receives < maxReceives ? Math.min(receives, waits.length) - 1 : 0;
  return waits[place] ?? 1;
}

/**
 * Has messages that failed delivered again after RETRY_SECONDS. Without it they stay invisible for six timeouts of the
 * function, and on an ordered queue so does their whole group; that time is for an invocation that never answers. When the
 * queue refuses, or takes more than `mostMs`, that time stands: the answer to Lambda must not be lost over it.
 * Source: AWS Lambda, "Reporting batch item failures"; Amazon SQS API, ChangeMessageVisibilityBatch.
 */
export async function redeliverSoon(name: QueueName, records: readonly SQSRecord[], mostMs: number): Promise<void> {
  const { maxReceives } = queues[name];
  try {
    const waits = readRetrySeconds();
    const Entries = records.map(({ receiptHandle, attributes }, i) => ({
      Id: String(i),
      ReceiptHandle: receiptHandle,
      VisibilityTimeout: retryAfter(Number(attributes.ApproximateReceiveCount), maxReceives, waits),
    }));
    const command = new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl(name), Entries });
    const { Failed = [] } = await queueClient().send(command, { abortSignal: AbortSignal.timeout(Math.ceil(mostMs)) });
    if (Failed.length === 0) return;
    const codes = Failed.map(({ Code }) => Code);
    log({ level: "warn", message: `${name}: ${Failed.length} failed messages come again late`, codes });
  } catch (error) {
    log({ level: "warn", message: `${name}: failed messages come again late`, ...errorFields(error) });
  }
}
