import {
  BatchProcessor,
  EventType,
  processPartialResponse,
  SqsFifoPartialProcessorAsync,
} from "@aws-lambda-powertools/batch";
import type { PartialItemFailureResponse } from "@aws-lambda-powertools/batch/types";
import type { Context as LambdaContext, SQSEvent, SQSRecord } from "aws-lambda";
import { type Delivered, deliverySchema } from "#topology/delivery";
import type { FactTrace } from "#topology/facts";
import type { AtRunTime, Queue } from "#topology/job";
import { type QueueName, type Queues, queues } from "#topology/queues";
import type { Context } from "./context.ts";
import { edge, runPiece } from "./edge.ts";
import { traceOf } from "./trace.ts";

/**
 * Turns one job into the Lambda handler of a queue: each record is parsed, run, and reported alone when it fails, so
 * that the rest of its batch is not delivered again; it is delivered again itself after seconds that grow with its receives,
 * unless the queue is a fleeting one.
 * On an ordered queue a failure also fails the later records of its group, so that a retry keeps their order; other groups
 * go on.
 * Source: AWS Lambda, "Reporting batch item failures"; Powertools for AWS Lambda, batch.
 */
export function consume<Q extends QueueName>(
  name: Q,
  job: (message: Delivered<Q>, context: Context<Queues[Q]>) => Promise<void>,
) {
  const entry: AtRunTime<Queue> = queues[name];
  const schema = deliverySchema(entry);
  return edge<SQSEvent, PartialItemFailureResponse>(entry, async (event, lambda: LambdaContext) => {
    const run = async (record: SQSRecord): Promise<void> => {
      const { messageId, attributes } = record;
      const fields = { messageId, receives: attributes?.ApproximateReceiveCount };
      const parsed = schema.safeParse(jsonOf(record.body));
      const trace = traceOf(record, parsed.success && entry.facts ? (parsed.data as FactTrace) : {});
      const piece = { entry, lambda, trace, what: `${name}: message`, fields };
      const work = runPiece<Queues[Q], void>(piece, async (context) => {
        if (!parsed.success) throw parsed.error;
        await job(parsed.data as Delivered<Q>, context);
      });
      // Logged and counted by then; what comes next on such a queue does its work.
      await (entry.fleeting && parsed.success ? work.catch(() => undefined) : work);
    };
    return soonAgain(name, event, await processed(event, run, entry.groupBy !== undefined), lambda);
  });
}

const processed = (
  event: SQSEvent,
  run: (record: SQSRecord) => Promise<void>,
  ordered: boolean,
): Promise<PartialItemFailureResponse> =>
  ordered
    ? processPartialResponse(event, run, new SqsFifoPartialProcessorAsync(), {
        throwOnFullBatchFailure: false,
        skipGroupOnError: true,
      })
    : processPartialResponse(event, run, new BatchProcessor(EventType.SQS), { throwOnFullBatchFailure: false });

/** Has what failed delivered again soon, and returns the reply. The SDK is loaded when something failed. */
async function soonAgain(
  name: QueueName,
  { Records }: SQSEvent,
  reply: PartialItemFailureResponse,
  { getRemainingTimeInMillis }: LambdaContext,
): Promise<PartialItemFailureResponse> {
  const failed = new Set(reply.batchItemFailures.map((failure) => failure.itemIdentifier));
  if (failed.size === 0) return reply;
  const again = Records.filter((record) => failed.has(record.messageId));
  await (await import("./redeliver.ts")).redeliverSoon(name, again, Math.max(1, getRemainingTimeInMillis() / 2));
  return reply;
}

/** Returns the parsed body, or undefined, which no message's schema takes, when it is not JSON. */
function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
