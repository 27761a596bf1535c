import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { queueUrl } from "#runtime/config";
import type { QueueName } from "#topology/queues";
import { queue } from "#topology/topology";

/** A message that no consumer can ever be done with. */
export interface Poison {
  readonly queue: QueueName;
  readonly body: string;
  /** On an ordered queue: the group that must go on after it. */
  readonly group?: string;
}

const AT = "2020-01-01T00:00:00.000Z";
const NOWHERE = `0x${"00".repeat(31)}66`;
const NOBODY = "00000000-0000-4000-8000-000000000066";

/** What a drill poisons the queues with: no JSON, a broken contract, a block that no node has, an order that never was. */
export const POISON: readonly Poison[] = [
  { queue: "events", body: "{ this is not JSON" },
  { queue: "wallets", body: JSON.stringify({ walletId: "nobody", at: AT }) },
  {
    queue: "blocks",
    group: "ethereum",
    body: JSON.stringify({ chain: "ethereum", number: 999_999_999, hash: NOWHERE, parentHash: NOWHERE, at: AT }),
  },
  {
    queue: "orders",
    group: "demo:ETH-USDT-SWAP",
    body: JSON.stringify({
      lane: "demo:ETH-USDT-SWAP",
      orderId: NOBODY,
      mode: "demo",
      instrument: "ETH-USDT-SWAP",
      at: AT,
    }),
  },
];

/** Puts the poison on its queues, in front of what comes later in the same groups. */
export async function poisonQueues(): Promise<void> {
  const sqs = new SQSClient({ useQueueUrlAsEndpoint: false });
  for (const [i, { queue: name, body, group }] of POISON.entries()) {
    const ordered = queue(name).groupBy ? { MessageGroupId: group, MessageDeduplicationId: `poison-${i}` } : {};
    await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl(name), MessageBody: body, ...ordered }));
  }
  sqs.destroy();
}
