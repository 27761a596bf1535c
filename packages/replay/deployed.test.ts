import { ReceiveMessageCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { poll } from "#local/aws/poller";
import { type Queues, startQueues } from "#local/aws/queues";
import { instant } from "#units/time";
import { type DeployedParts, deployedTarget } from "./deployed.ts";

// Against a real SQS endpoint: what a deployed stack's mappings do, the test does by hand.
let queues: Queues;
let sqs: SQSClient;
const invoked: { job: string; event: unknown }[] = [];
let parts: DeployedParts;

beforeAll(async () => {
  queues = await startQueues(null);
  const credentials = { accessKeyId: "local", secretAccessKey: "local" };
  sqs = new SQSClient({ region: "us-east-1", credentials, endpoint: queues.endpoint, useQueueUrlAsEndpoint: false });
  parts = {
    sqs,
    queueUrl: queues.url,
    deadLetterUrl: (name) => queues.url(name).replace(/(\.fifo)?$/, "-dead$1"),
    invoke: async (job, event) => {
      invoked.push({ job, event });
      return null;
    },
  };
});
afterAll(async () => {
  sqs.destroy();
  await queues.close();
});

const send = (body: string) => sqs.send(new SendMessageCommand({ QueueUrl: queues.url("events"), MessageBody: body }));

test("a schedule is a call of its function with the event that EventBridge sends, at the replay's time", async () => {
  await deployedTarget(parts).runSchedule("watch-head", instant(Date.parse("2022-06-21T00:00:12Z")));
  expect(invoked).toEqual([
    { job: "watch-head", event: expect.objectContaining({ time: "2022-06-21T00:00:12Z", source: "aws.events" }) },
  ]);
});

test("a drain waits for what is ready and for what is in flight", async () => {
  await send("one");
  const order: string[] = [];
  const drained = deployedTarget(parts)
    .drain()
    .then(() => order.push("drained"));
  const handler = async () => {
    await new Promise((resolve) => setTimeout(resolve, 150));
    order.push("handled");
    return { batchItemFailures: [] };
  };
  await new Promise((resolve) => setTimeout(resolve, 100));
  await poll({ sqs, queue: "events", url: queues.url("events"), handler });
  await drained;
  expect(order).toEqual(["handled", "drained"]);
});

test("messages that nobody takes end a drain by name", async () => {
  await send("stuck");
  const drained = deployedTarget(parts, { stuckMs: 100 }).drain();
  await expect(drained).rejects.toMatchObject({
    name: "StuckQueuesError",
    message: expect.stringContaining("events: 1/0/0"),
  });
});

test("dead letters are read and kept", async () => {
  const url = parts.deadLetterUrl("events");
  const bodies = Array.from({ length: 12 }, (_, i) => `dead ${i}`).sort();
  for (const MessageBody of bodies) await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody }));
  const letters = await deployedTarget(parts).deadLetters();
  expect(letters.map(({ body }) => body).sort()).toEqual(bodies);
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: url, WaitTimeSeconds: 7 }));
  expect(Messages).toHaveLength(1);
});
