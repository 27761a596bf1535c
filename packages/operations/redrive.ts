import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
} from "@aws-sdk/client-sqs";
import { type Verdict, voidDropped } from "#db/server/redrive";
import type { QueueName } from "#topology/queues";
import { queue as lookup } from "#topology/topology";
import type { Instant } from "#units/time";
import { judge } from "./judge.ts";
import type { Site } from "./site.ts";

export interface RedriveOptions {
  readonly queue: QueueName;
  /** Looks at no more dead letters than this. */
  readonly limit: number;
  /** False: only says what it would do; every dead letter stays. */
  readonly act: boolean;
  /** The time that the state is judged by. */
  readonly now: () => Instant;
  /** Called with each dead letter once its fate is known, and carried out when `act`. */
  readonly tell: (letter: { readonly id: string; readonly body: string; readonly verdict: Verdict }) => void;
}

/** How many dead letters met which fate. */
export interface Redriven {
  readonly send: number;
  readonly drop: number;
  readonly keep: number;
}

const BATCH = 10; // SQS's most in one receive
// Longer than a batch takes; what an interrupted run had in hand comes back after it.
const HELD_SECONDS = 120;
// fauxqs loses a message whose visibility is set to 0 while it persists.
const RELEASE_SECONDS = 1;

/**
 * Takes the dead letters of a queue one after the other, judges each by the state of now and sends it back, drops it or
 * leaves it. By receive and send, so that it works wherever SQS's protocol is spoken. A dead letter is deleted only after
 * its send; its deduplication id is made of its message id, so that a run that was cut off in between and comes again
 * within SQS's five minutes sends it once, and later ones are stood by every consumer. Groups keep their order.
 * Without `act`, an ordered queue shows the first letter of each group only: SQS holds back what is behind it.
 */
export async function redrive(site: Site, options: RedriveOptions): Promise<Redriven> {
  const { queue, limit, act, now, tell } = options;
  const db = await site.database();
  const dead = await site.url(queue, "dead");
  const counts = { send: 0, drop: 0, keep: 0 };
  const held: Message[] = [];
  const seen = new Set<string>();
  try {
    while (seen.size < limit) {
      const received = await receive(site, dead, Math.min(BATCH, limit - seen.size));
      const fresh = received.filter(({ MessageId = "" }) => !seen.has(MessageId));
      if (fresh.length === 0) break;
      held.push(...fresh);
      for (const message of fresh) {
        const body = message.Body ?? "";
        const verdict = await judge(db, queue, body, now());
        if (act) await carryOut(site, queue, message, verdict, now());
        if (act && verdict.act !== "keep") held.splice(held.indexOf(message), 1);
        seen.add(message.MessageId ?? "");
        counts[verdict.act] += 1;
        tell({ id: message.MessageId ?? "", body, verdict });
      }
    }
  } finally {
    for (const { ReceiptHandle } of held) await release(site, dead, ReceiptHandle);
  }
  return counts;
}

async function receive({ sqs }: Site, url: string, most: number): Promise<Message[]> {
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({
      QueueUrl: url,
      MaxNumberOfMessages: most,
      VisibilityTimeout: HELD_SECONDS,
      WaitTimeSeconds: 1,
      MessageSystemAttributeNames: ["All"],
      MessageAttributeNames: ["All"],
    }),
  );
  return Messages;
}

async function carryOut(site: Site, queue: QueueName, message: Message, verdict: Verdict, now: Instant): Promise<void> {
  if (verdict.act === "keep") return;
  if (verdict.act === "send") await resend(site, queue, message);
  else if (verdict.order !== undefined) await voidDropped(await site.database(), verdict.order, verdict.reason, now);
  const QueueUrl = await site.url(queue, "dead");
  await site.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }));
}

async function resend({ sqs, url }: Site, queue: QueueName, message: Message): Promise<void> {
  const { MessageId, Body, Attributes, MessageAttributes } = message;
  await sqs.send(
    new SendMessageCommand({
      QueueUrl: await url(queue, "queue"),
      MessageBody: Body,
      ...(MessageAttributes && { MessageAttributes }),
      ...(lookup(queue).groupBy && {
        MessageGroupId: Attributes?.MessageGroupId,
        MessageDeduplicationId: `redrive-${MessageId}`,
      }),
    }),
  );
}

async function release({ sqs }: Site, url: string, ReceiptHandle: string | undefined): Promise<void> {
  await sqs.send(
    new ChangeMessageVisibilityCommand({ QueueUrl: url, ReceiptHandle, VisibilityTimeout: RELEASE_SECONDS }),
  );
}
