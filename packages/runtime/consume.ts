import {
  BatchProcessor,
  EventType,
  processPartialResponse,
  SqsFifoPartialProcessorAsync,
} from "@aws-lambda-powertools/batch";
import middy from "@middy/core";
import type { SQSEvent, SQSRecord } from "aws-lambda";
import { type MessageOf, messages } from "#topology/messages";
import { queue as lookup, type QueueName, type Queues } from "#topology/topology";
import { type Context, contextOf } from "./context.ts";
import { errorFields, log } from "./log.ts";

type Message<Q extends QueueName> = MessageOf<Queues[Q]["message"]>;

/**
 * Turns one job into the Lambda handler of a queue: each record is parsed, run, and reported alone when it fails, so
 * that the rest of its batch is not delivered again. On an ordered queue a failure also fails the later records of its
 * group, so that a retry keeps their order; other groups go on.
 * Source: AWS Lambda, "Reporting batch item failures"; Powertools for AWS Lambda, batch.
 */
export function consume<Q extends QueueName>(
  name: Q,
  job: (message: Message<Q>, context: Context<Queues[Q]>) => Promise<void>,
) {
  const entry = lookup(name);
  const schema = messages[entry.message];
  return middy<SQSEvent>({ timeoutEarlyInMillis: 0 }).handler(async (event) => {
    const context = await contextOf<Queues[Q]>(entry);
    const run = async (record: SQSRecord): Promise<void> => {
      try {
        await job(schema.parse(JSON.parse(record.body)) as Message<Q>, context);
      } catch (error) {
        log({
          level: "error",
          message: `${name}: message failed`,
          messageId: record.messageId,
          receives: record.attributes?.ApproximateReceiveCount,
          ...errorFields(error),
        });
        throw error;
      }
    };
    if (entry.groupBy) {
      const ordered = new SqsFifoPartialProcessorAsync();
      return processPartialResponse(event, run, ordered, { throwOnFullBatchFailure: false, skipGroupOnError: true });
    }
    const processor = new BatchProcessor(EventType.SQS);
    return processPartialResponse(event, run, processor, { throwOnFullBatchFailure: false });
  });
}
