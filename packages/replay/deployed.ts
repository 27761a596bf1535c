import { setTimeout as pause } from "node:timers/promises";
import { GetQueueAttributesCommand, ReceiveMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { DeadLetter } from "#local/aws/queues";
import { scheduledEvent } from "#local/laptop";
import { functionName } from "#topology/functions";
import type { QueueName } from "#topology/queues";
import { QUEUES, schedule } from "#topology/topology";
import type { ReplayTarget } from "./replay.ts";

/** A deployed desk, as far as a replay needs it. */
export interface DeployedParts {
  readonly sqs: SQSClient;
  queueUrl(name: QueueName): string;
  deadLetterUrl(name: QueueName): string;
  /** Calls a job's function and waits for it. @throws when it failed. */
  invoke(job: string, event: unknown): Promise<unknown>;
}

export interface DeployedTarget extends ReplayTarget {
  /** Returns what the dead-letter queues hold. They keep it. */
  deadLetters(): Promise<DeadLetter[]>;
}

/** Messages that nobody takes. The message names the queues. */
export class StuckQueuesError extends Error {
  override name = "StuckQueuesError";
}

const POLL_MS = 20;
/**
 * The bus delivers after its answer, so one look at empty queues is not enough: nothing may show for this long.
 * A queue's own messages are no gap: a function sends before its message is deleted.
 */
const STILL_MS = 60;

/**
 * Returns a deployed stack as the target of a replay. A schedule is a call of its function with the event that EventBridge
 * would send, at the replay's time; the stack's own rules must be off. Queues, bus and mappings work by themselves.
 * `stuckMs`: after that long without a change of the queues' depths `drain` throws StuckQueuesError.
 */
export function deployedTarget(parts: DeployedParts, { stuckMs = 600_000 } = {}): DeployedTarget {
  return {
    runSchedule: async (name, at) => {
      await parts.invoke(functionName(schedule(name).consumer), scheduledEvent(name, at));
    },
    drain: async () => {
      let [shown, changed, still] = ["", performance.now(), 0];
      while (still * POLL_MS < STILL_MS) {
        const depths = await depthsOf(parts);
        still = depths.length === 0 ? still + 1 : 0;
        const now = depths.join(", ");
        if (now !== shown) [shown, changed] = [now, performance.now()];
        if (depths.length > 0 && performance.now() - changed > stuckMs)
          throw new StuckQueuesError(`nobody takes the messages of ${now}`);
        await pause(POLL_MS);
      }
    },
    deadLetters: async () => (await Promise.all(QUEUES.map((name) => lettersOf(parts, name)))).flat(),
  };
}

/** Returns "queue: ready/in flight/delayed" of each queue that holds a message. */
async function depthsOf({ sqs, queueUrl }: DeployedParts): Promise<string[]> {
  const depths = QUEUES.map(async (name) => {
    const { Attributes = {} } = await sqs.send(
      new GetQueueAttributesCommand({
        QueueUrl: queueUrl(name),
        AttributeNames: [
          "ApproximateNumberOfMessages",
          "ApproximateNumberOfMessagesNotVisible",
          "ApproximateNumberOfMessagesDelayed",
        ],
      }),
    );
    const { ApproximateNumberOfMessages: ready = "0", ApproximateNumberOfMessagesNotVisible: taken = "0" } = Attributes;
    const delayed = Attributes.ApproximateNumberOfMessagesDelayed ?? "0";
    return [ready, taken, delayed].every((count) => count === "0") ? [] : [`${name}: ${ready}/${taken}/${delayed}`];
  });
  return (await Promise.all(depths)).flat();
}

/** Reads a dead-letter queue to its end; what was read is visible again after a moment. */
async function lettersOf({ sqs, deadLetterUrl }: DeployedParts, name: QueueName): Promise<DeadLetter[]> {
  const found = new Map<string, DeadLetter>();
  for (;;) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl: deadLetterUrl(name), MaxNumberOfMessages: 10, VisibilityTimeout: 5 }),
    );
    if (Messages.length === 0) return [...found.values()];
    for (const { MessageId = "", Body = "" } of Messages) found.set(MessageId, { queue: name, body: Body });
  }
}
