import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import type { SQSEvent } from "aws-lambda";
import { afterEach, beforeEach, expect, test } from "vitest";
import { consume } from "#runtime/consume";
import { useSink } from "#runtime/log";
import { provide } from "#runtime/services";
import { queue } from "#topology/topology";
import { type Handler, lambdaContext } from "./jobs.ts";
import { poll } from "./poller.ts";
import { type Queues, startQueues } from "./queues.ts";

let queues: Queues;
let sqs: SQSClient;
const lines: string[] = [];

beforeEach(async () => {
  queues = await startQueues(null);
  sqs = new SQSClient({
    region: "us-east-1",
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
    endpoint: queues.endpoint,
    useQueueUrlAsEndpoint: false,
  });
  provide("database", {} as never); // no job below touches it
  useSink((line) => lines.push(String(line.reason)));
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

async function drain(queue: "events" | "biases", handler: Handler): Promise<void> {
  while (queues.depth(queue) > 0) {
    await poll({ sqs, queue, url: queues.url(queue), handler });
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

test("a handler that throws fails its whole batch", async () => {
  let calls = 0;
  const handler: Handler = async () => {
    calls += 1;
    if (calls === 1) throw new Error("cold start failed");
    return { batchItemFailures: [] };
  };
  await put("events", { eventId: id(1), at });
  await drain("events", handler);
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
  ] as unknown as SQSEvent["Records"];
  const reply = (await (handler as Handler)({ Records }, lambdaContext(queue("biases"), Date.now() + 30_000))) as {
    batchItemFailures: { itemIdentifier: string }[];
  };
  expect(ran).toEqual(["ETH", "BTC"]);
  expect(reply.batchItemFailures.map((failure) => failure.itemIdentifier)).toEqual(["1", "3"]);
});
