import type { SQSBatchResponse, SQSRecord } from "aws-lambda";
import { type Handler, jobOf } from "#local/aws/jobs";
import type { QueueName } from "#topology/queues";
import { queue as entryOf } from "#topology/topology";
import { type Begin, contextAt } from "./desk.ts";
import type { Sent } from "./doors.ts";
import type { Scheduler } from "./scheduler.ts";

interface Message extends Sent {
  readonly id: string;
  receives: number;
  /** Told by the handler for the receive in hand; null = not. */
  waitMs: number | null;
}

/** SQS as far as the handlers can tell: groups, delays, deduplication, redelivery. */
export interface Queues {
  send(messages: readonly Sent[]): void;
  again(waits: readonly { readonly handle: string; readonly ms: number }[]): void;
  /** Delivers the newest message that was taken once more: SQS delivers at least once. */
  repeat(): void;
}

const DEDUPE_MS = 300_000;
const VISIBILITY = 6;
/** A process that died is noticed at once, after a while, or when the message's visibility is over. */
const NOTICED_MS = [1000, 10_000, 60_000] as const;

/** A message whose visibility was over too early is given to a second process within this. */
const BESIDE_MS = 3000;

export function queuesOf(
  scheduler: Scheduler,
  handlers: ReadonlyMap<string, Handler>,
  begin: Begin,
  fails: (door: string) => boolean,
): Queues {
  const seen = new Map<string, number>();
  const groups = new Map<string, Message[]>();
  const busy = new Set<string>();
  const inHand = new Map<string, Message>();
  let [count, newest] = [0, null as Message | null];
  const keyOf = ({ queue, group, id }: Message): string => `${queue} ${group ?? id}`;
  const deliver = (key: string): void => {
    const message = groups.get(key)?.[0];
    if (message === undefined || busy.has(key)) return;
    busy.add(key);
    void attempt(key, message);
    if (!fails("given-to-two")) return;
    const again = { ...message, id: `m${count++}` };
    scheduler.at(scheduler.now() + scheduler.random() * BESIDE_MS, () => void attempt(`beside ${again.id}`, again));
  };
  const attempt = async (key: string, message: Message): Promise<void> => {
    const { queue, body, id } = message;
    const entry = entryOf(queue as QueueName);
    message.receives += 1;
    message.waitMs = null;
    inHand.set(id, message);
    newest = message;
    const record = {
      ...{ messageId: id, receiptHandle: id, body, eventSource: "aws:sqs", awsRegion: "local", md5OfBody: "" },
      ...{ eventSourceARN: `arn:aws:sqs:local:0:${queue}`, messageAttributes: {} },
      attributes: {
        ApproximateReceiveCount: String(message.receives),
        ...(message.group && { MessageGroupId: message.group }),
      },
    } as unknown as SQSRecord; // the part that the handlers read: the rest is times of the queue's own
    let failed = false;
    const context = contextAt(scheduler, entry);
    const end = await begin(jobOf(entry.consumer), async () => {
      const reply = (await handlers.get(entry.consumer)?.({ Records: [record] }, context)) as SQSBatchResponse;
      failed = reply.batchItemFailures.length > 0;
    });
    inHand.delete(id);
    if (end === "done" && !failed) return settle(key, message);
    if (message.receives >= entry.maxReceives) {
      scheduler.note(`${queue}: a dead letter`);
      return settle(key, message);
    }
    const noticed = NOTICED_MS[Math.floor(scheduler.random() * NOTICED_MS.length)] ?? 0;
    const wait = end === "died" ? noticed : (message.waitMs ?? entry.timeoutSeconds * VISIBILITY * 1000);
    scheduler.at(scheduler.now() + wait, () => {
      busy.delete(key);
      deliver(key);
    });
  };
  const settle = (key: string, message: Message): void => {
    busy.delete(key);
    groups.set(
      key,
      (groups.get(key) ?? []).filter((other) => other !== message),
    );
    deliver(key);
  };
  const add = (message: Message): void => {
    const key = keyOf(message);
    scheduler.at(scheduler.now() + message.delayMs + scheduler.random() * 400, () => {
      groups.set(key, [...(groups.get(key) ?? []), message]);
      deliver(key);
    });
  };
  return {
    send: (messages) => {
      for (const sent of messages) {
        const { dedupe } = sent;
        const before = dedupe === null ? undefined : seen.get(dedupe);
        if (before !== undefined && scheduler.now() - before < DEDUPE_MS) continue;
        if (dedupe !== null) seen.set(dedupe, scheduler.now());
        add({ ...sent, id: `m${count++}`, receives: 0, waitMs: null });
      }
    },
    again: (waits) => {
      for (const { handle, ms } of waits) {
        const message = inHand.get(handle);
        if (message) message.waitMs = ms;
      }
    },
    repeat: () => {
      if (newest !== null) add({ ...newest, id: `m${count++}`, receives: 0, waitMs: null, delayMs: 0 });
    },
  };
}
