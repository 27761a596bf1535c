import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
} from "@aws-sdk/client-sqs";
import type { Letter, ReplyTo } from "#topology/operations";
import type { QueueName } from "#topology/queues";
import { queue as lookup } from "#topology/topology";
import type { Instant } from "#units/time";
import { letterOf } from "./letter.ts";
import type { Site } from "./site.ts";

export interface RedriveOptions {
  readonly queue: QueueName;
  /** Looks at no more dead letters than this. */
  readonly limit: number;
  /** Who has it done, and why. Null: only says what it would do; every dead letter stays. */
  readonly carry: { readonly actor: string; readonly reason: string } | null;
  /** The time that the state is judged by. */
  readonly now: () => Instant;
  /** Called with each dead letter once its fate is known, and carried out where that was asked for. */
  readonly tell: (letter: { readonly id: string; readonly body: string; readonly verdict: Verdict }) => void;
}

/** What becomes of a dead letter. */
export type Verdict = ReplyTo<"letters">[number];

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
 * Takes the dead letters of a queue ten by ten, has each judged by the state of now and sends it back, drops it or leaves it.
 * By receive and send, so that it works wherever SQS's protocol is spoken. The desk's books judge: they void the orders of
 * what is dropped and keep who and why in the audit log, before anything is sent or deleted. A dead letter is deleted only
 * after its send; its deduplication id is made of its message id, so that a run that was cut off in between and comes again
 * within SQS's five minutes sends it once, and later ones are stood by every consumer. Groups keep their order.
 * Without `carry`, an ordered queue shows the first letter of each group only: SQS holds back what is behind it.
 */
export async function redrive(site: Site, options: RedriveOptions): Promise<Redriven> {
  const { queue, limit, carry, now, tell } = options;
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
      const letters = fresh.map((message) => letterOf(queue, message));
      const verdicts = await site.ask({ act: "letters", queue, letters, at: now(), carry });
      for (const [index, verdict] of verdicts.entries()) {
        const message = fresh[index] as Message; // as many verdicts as letters, in their order
        const { id } = letters[index] as Letter;
        if (carry !== null) await carryOut(site, queue, message, verdict);
        if (carry !== null && verdict.act !== "keep") held.splice(held.indexOf(message), 1);
        seen.add(id);
        counts[verdict.act] += 1;
        tell({ id, body: message.Body ?? "", verdict });
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

async function carryOut(site: Site, queue: QueueName, message: Message, verdict: Verdict): Promise<void> {
  if (verdict.act === "keep") return;
  if (verdict.act === "send") await resend(site, queue, message);
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
