import { GetQueueAttributesCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import type { SQSEvent, SQSRecord } from "aws-lambda";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ConfigError, readRetrySeconds, setEnv } from "#runtime/config";
import { consume } from "#runtime/consume";
import { useSink } from "#runtime/log";
import { redeliverSoon, retryAfter } from "#runtime/redeliver";
import { forgetQueues } from "#runtime/send";
import { provide } from "#runtime/services";
import { queue } from "#topology/topology";
import { type Handler, lambdaContext } from "./jobs.ts";
import { poll } from "./poller.ts";
import { type Queues, startQueues } from "./queues.ts";

let queues: Queues;
let sqs: SQSClient;
const lines: string[] = [];
const messages: string[] = [];

beforeEach(async () => {
  queues = await startQueues(null);
  sqs = new SQSClient({
    region: "us-east-1",
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
    endpoint: queues.endpoint,
    useQueueUrlAsEndpoint: false,
  });
  setEnv({
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "local",
    AWS_SECRET_ACCESS_KEY: "local",
    AWS_ENDPOINT_URL_SQS: queues.endpoint,
    QUEUE_URL_EVENTS: queues.url("events"),
    QUEUE_URL_BIASES: queues.url("biases"),
    RETRY_SECONDS: "1",
  });
  forgetQueues();
  provide("database", {} as never); // no job below touches it
  useSink((line) => {
    lines.push(String(line.reason));
    messages.push(line.message);
  });
});
afterEach(async () => {
  useSink(null);
  sqs.destroy();
  await queues.close();
});

const at = "2026-03-02T00:00:00.000Z";
const id = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
const put = (queue: "events" | "biases", body: unknown, group?: string) =>
  sqs.send(
    new SendMessageCommand({
      QueueUrl: queues.url(queue),
      MessageBody: JSON.stringify(body),
      ...(group && { MessageGroupId: group, MessageDeduplicationId: JSON.stringify(body) }),
    }),
  );

async function drain(queue: "events" | "biases", handler: Handler, crashSeconds?: number): Promise<void> {
  while (queues.depth(queue) > 0) {
    await poll({ sqs, queue, url: queues.url(queue), handler, crashSeconds });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test("only the message that fails is delivered again, five times, and then parked", async () => {
  const ran = new Map<string, number>();
  const handler = consume("events", async ({ eventId }) => {
    ran.set(eventId, (ran.get(eventId) ?? 0) + 1);
    if (eventId === id(2)) throw new Error("unlucky");
  });
  for (const n of [1, 2, 3]) await put("events", { eventId: id(n), at });
  await put("events", { eventId: "no uuid", at });
  await drain("events", handler as Handler);
  expect(Object.fromEntries(ran)).toEqual({ [id(1)]: 1, [id(2)]: 5, [id(3)]: 1 });
  expect(
    queues
      .deadLetters()
      .map((letter) => JSON.parse(letter.body).eventId)
      .toSorted(),
  ).toEqual([id(2), "no uuid"]);
  expect(lines.some((line) => line.includes("unlucky"))).toBe(true);
});

test("a handler that throws fails its whole batch; a replay has it again at once", async () => {
  let calls = 0;
  const handler: Handler = async () => {
    calls += 1;
    if (calls === 1) throw new Error("cold start failed");
    return { batchItemFailures: [] };
  };
  await put("events", { eventId: id(1), at });
  await drain("events", handler, 1);
  expect([calls, queues.deadLetters()]).toEqual([2, []]);
});

test("on an ordered queue a failure holds back its own group only", async () => {
  const ran: string[] = [];
  let failed = false;
  const handler = consume("biases", async ({ asset, plan }) => {
    ran.push(`${asset}${plan ? "+" : ""}`);
    if (asset === "ETH" && !plan && !failed) {
      failed = true;
      throw new Error("once");
    }
  });
  const record = (asset: string, plan: boolean, n: number) => ({
    messageId: String(n),
    body: JSON.stringify({ asset, at, plan }),
    attributes: { MessageGroupId: asset },
  });
  const Records = [
    record("ETH", false, 1),
    record("BTC", false, 2),
    record("ETH", true, 3),
  ] as unknown as SQSEvent["Records"]; // what a handler reads of a record
  const reply = (await (handler as Handler)({ Records }, lambdaContext(queue("biases"), Date.now() + 30_000))) as {
    batchItemFailures: { itemIdentifier: string }[];
  };
  expect(ran).toEqual(["ETH", "BTC"]);
  expect(reply.batchItemFailures.map((failure) => failure.itemIdentifier)).toEqual(["1", "3"]);
});

/** Polls for so long, as often as it can, and returns what was received. */
async function pollFor(ms: number, queue: "events" | "biases", handler: Handler): Promise<number> {
  const until = performance.now() + ms;
  let received = 0;
  while (performance.now() < until) {
    received += (await poll({ sqs, queue, url: queues.url(queue), handler })).received;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return received;
}

test("an invocation that never answers stalls its group for the queue's own time, and no other group", async () => {
  const ran: string[] = [];
  const crash: Handler = async () => {
    throw new Error("the machine is gone");
  };
  await put("biases", { asset: "ETH", at, plan: false }, "ETH");
  await poll({ sqs, queue: "biases", url: queues.url("biases"), handler: crash });
  await put("biases", { asset: "ETH", at, plan: true }, "ETH");
  await put("biases", { asset: "BTC", at, plan: false }, "BTC");
  const handler = consume("biases", async ({ asset }) => void ran.push(asset)) as Handler;
  expect(await pollFor(1500, "biases", handler)).toBe(1);
  expect([ran, queues.depth("biases"), queues.deadLetters()]).toEqual([["BTC"], 2, []]);
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: queues.url("biases"), AttributeNames: ["VisibilityTimeout"] }),
  );
  expect(Attributes?.VisibilityTimeout).toBe(String(queue("biases").timeoutSeconds * 6));
});

test("a failed message of an ordered queue holds its group until it comes again, and it comes soon, later each time", async () => {
  setEnv({ RETRY_SECONDS: "1,2" });
  const began = performance.now();
  const ran: { readonly what: string; readonly ms: number }[] = [];
  const handler = consume("biases", async ({ asset, plan }) => {
    ran.push({ what: `${asset}${plan ? "+" : ""}`, ms: performance.now() - began });
    if (asset === "ETH" && !plan && ran.filter(({ what }) => what === "ETH").length < 3) throw new Error("not yet");
  }) as Handler;
  const once = () => poll({ sqs, queue: "biases", url: queues.url("biases"), handler });
  await put("biases", { asset: "ETH", at, plan: false }, "ETH");
  await once();
  await put("biases", { asset: "ETH", at, plan: true }, "ETH");
  await put("biases", { asset: "BTC", at, plan: false }, "BTC");
  await drain("biases", handler);
  expect(ran.map(({ what }) => what)).toEqual(["ETH", "BTC", "ETH", "ETH", "ETH+"]);
  const [first = 0, second = 0, third = 0] = ran.filter(({ what }) => what === "ETH").map(({ ms }) => ms);
  expect(second - first).toBeGreaterThan(900);
  expect(third - second).toBeGreaterThan(1900);
  expect(third).toBeLessThan(20_000);
});

test("a queue that refuses the change is reported, and the answer stands: the message comes after the queue's own time", async () => {
  const handler = consume("events", async () => {
    throw new Error("unlucky");
  }) as Handler;
  await put("events", { eventId: id(7), at });
  setEnv({ QUEUE_URL_EVENTS: queues.url("events").replace("events", "nowhere") });
  expect(await poll({ sqs, queue: "events", url: queues.url("events"), handler })).toEqual({ received: 1, failed: 1 });
  expect(messages.at(-1)).toBe("events: failed messages come again late");
  expect([queues.ready("events"), queues.depth("events")]).toEqual([0, 1]);
});

test("a queue that refuses some of the change is reported with why", async () => {
  const record = (receiptHandle: string) =>
    ({ receiptHandle, attributes: { ApproximateReceiveCount: "1" } }) as SQSRecord;
  const before = messages.length;
  await put("events", { eventId: id(8), at });
  await poll({ sqs, queue: "events", url: queues.url("events"), handler: async () => undefined });
  await redeliverSoon("events", [record("no receipt of this queue")], 5000);
  expect(messages.slice(before)).toEqual(["events: 1 failed messages come again late"]);
});

test("no more messages are taken at once than the topology gives the function", async () => {
  const { batchSize } = queue("retractions");
  expect(batchSize).toBeLessThan(10);
  const QueueUrl = queues.url("retractions");
  for (let i = 0; i < 10; i++) await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: String(i) }));
  const sizes: number[] = [];
  const handler: Handler = async (event) => void sizes.push((event as SQSEvent).Records.length);
  while (queues.depth("retractions") > 0) await poll({ sqs, queue: "retractions", url: QueueUrl, handler });
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(10);
  expect(Math.max(...sizes)).toBe(batchSize);
});

test("the waits follow the receives, and a message that is given up waits the shortest", () => {
  const waits = readRetrySeconds({});
  expect([1, 2, 3, 4, 5].map((receives) => retryAfter(receives, 5, waits))).toEqual([2, 10, 50, 250, 2]);
  expect([1, 2, 7].map((receives) => retryAfter(receives, 10, [1, 3]))).toEqual([1, 3, 3]);
  expect(retryAfter(Number.NaN, 5, waits)).toBe(2);
  expect(readRetrySeconds({ RETRY_SECONDS: "4, 9" })).toEqual([4, 9]);
  for (const bad of ["", "0", "a", "1,50000"])
    expect(() => readRetrySeconds({ RETRY_SECONDS: bad })).toThrow(ConfigError);
});
