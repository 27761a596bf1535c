import {
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { afterEach, expect, test } from "vitest";
import { type Queues, startQueues } from "#local/aws/queues";
import { type FaultPlan, faultPlan, type Refusal } from "./plan.ts";
import { queueEdge } from "./queue-edge.ts";

// The edge in front of a real SQS endpoint, with the real client.
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function stage(over: Partial<FaultPlan>) {
  const queues: Queues = await startQueues(null);
  closing.push(queues.close);
  const quiet = faultPlan({
    ...{ aim: "around", seed: "1", rates: { redelivered: 0, killed: 0, refused: 0, refusedByBus: 0 }, restarts: [] },
    submitting: async () => null,
    windows: null,
    renew: () => undefined,
  });
  const edge = await queueEdge(queues.endpoint, { ...quiet, ...over });
  closing.push(edge.close);
  const credentials = { accessKeyId: "local", secretAccessKey: "local" };
  const sqs = new SQSClient({ region: "us-east-1", credentials, endpoint: edge.url, useQueueUrlAsEndpoint: false });
  closing.push(() => sqs.destroy());
  const QueueUrl = queues.url("biases");
  const entry = (body: string) => ({
    ...{ Id: body, MessageBody: body, MessageGroupId: body, MessageDeduplicationId: body },
  });
  return {
    edge,
    depth: () => queues.depth("biases"),
    send: (...bodies: string[]) => sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries: bodies.map(entry) })),
    receive: async () =>
      ((await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }))).Messages ?? []).toSorted(
        (a, b) => ((a.Body ?? "") < (b.Body ?? "") ? -1 : 1),
      ),
    remove: (list: readonly { ReceiptHandle?: string | undefined }[]) =>
      sqs.send(
        new DeleteMessageBatchCommand({
          QueueUrl,
          Entries: list.map(({ ReceiptHandle }, i) => ({ Id: String(i), ReceiptHandle: ReceiptHandle ?? "" })),
        }),
      ),
  };
}

const once = (refusal: Refusal, operation: string) => {
  let left = 1;
  return (_: string, asked: string): Refusal | null => (asked === operation && left-- > 0 ? refusal : null);
};

test("a message that was done with comes once more", async () => {
  let left = 2;
  const { send, receive, remove, depth, edge } = await stage({ redelivers: () => left-- > 0 });
  await send("a", "b", "c");
  const first = await receive();
  expect(first.map((message) => message.Body)).toEqual(["a", "b", "c"]);
  const reply = await remove(first);
  expect(reply.Successful).toHaveLength(3);
  const again = await receive();
  expect(again.map((message) => message.Body)).toEqual(["a", "b"]);
  await remove(again);
  expect([depth(), edge.ledger.done.size, edge.ledger.taken.size, edge.ledger.deliveries]).toEqual([0, 3, 3, 5]);
});

test("a refused send is tried again by the SDK, whether it was carried out or not", async () => {
  for (const stage_ of ["before", "after"] as const) {
    const { send, receive, edge } = await stage({
      refuse: once({ stage: stage_, lasting: false }, "SendMessageBatch"),
    });
    await send("a");
    expect((await receive()).map((message) => message.Body)).toEqual(["a"]);
    expect([...edge.ledger.taken.values()]).toEqual([{ queue: "biases.fifo", body: "a" }]);
  }
});

test("a lasting refusal meets every try and reaches the caller", async () => {
  const { send, depth } = await stage({ refuse: once({ stage: "before", lasting: true }, "SendMessageBatch") });
  await expect(send("a")).rejects.toMatchObject({ name: "InternalFailure" });
  expect(depth()).toBe(0);
});

test("a batch is taken in part, and says so", async () => {
  const { send, depth } = await stage({ refuse: once({ stage: "part", lasting: true }, "SendMessageBatch") });
  const reply = await send("a", "b");
  expect([reply.Successful?.map(({ Id }) => Id), reply.Failed?.map(({ Id }) => Id), depth()]).toEqual([
    ["a"],
    ["b"],
    1,
  ]);
});

test("a receive whose reply is lost is received again", async () => {
  const { send, receive } = await stage({
    refuse: once({ stage: "after", lasting: false }, "ReceiveMessage"),
    mayLose: () => true,
  });
  await send("a", "b");
  expect((await receive()).map((message) => message.Body)).toEqual(["a", "b"]);
});
