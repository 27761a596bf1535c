import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Listening } from "#host/http";
import { rules, startAwsEndpoint } from "./aws-endpoint.ts";
import { type Queues, startQueues } from "./queues.ts";

const aws = { region: "us-east-1", credentials: { accessKeyId: "local", secretAccessKey: "local" } };
let queues: Queues;
let endpoint: Listening;
let sqs: SQSClient;

beforeAll(async () => {
  queues = await startQueues(null);
  sqs = new SQSClient({ ...aws, endpoint: queues.endpoint, useQueueUrlAsEndpoint: false });
  const secrets = new Map([["desk", '{"apiKey":"k"}']]);
  endpoint = await startAwsEndpoint({ sqs, queueUrl: queues.url, secrets });
});
afterAll(async () => {
  sqs.destroy();
  await endpoint.close();
  await queues.close();
});

test("a fact reaches the queues of its rules, detail only, and no other", async () => {
  const bus = new EventBridgeClient({ ...aws, endpoint: endpoint.url });
  const Detail = JSON.stringify({ fact: "event.retracted", entityId: "x" });
  const put = (Source: string, DetailType: string) =>
    bus.send(new PutEventsCommand({ Entries: [{ Source, DetailType, Detail, EventBusName: "spyhop" }] }));
  expect((await put("spyhop", "event.retracted")).FailedEntryCount).toBe(0);
  await put("spyhop", "unknown.fact");
  await put("somebody", "event.retracted");
  expect([queues.depth("retractions"), queues.depth("audits"), queues.depth("events")]).toEqual([1, 1, 0]);
  const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: queues.url("retractions") }));
  expect(Messages?.map((message) => message.Body)).toEqual([Detail]);
  bus.destroy();
});

test("secrets are read by id; an unknown one is the service's own error", async () => {
  const client = new SecretsManagerClient({ ...aws, endpoint: endpoint.url, maxAttempts: 1 });
  const read = (SecretId: string) => client.send(new GetSecretValueCommand({ SecretId }));
  expect((await read("desk")).SecretString).toBe('{"apiKey":"k"}');
  await expect(read("other")).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  client.destroy();
});

test("a call that is not played is refused by name", async () => {
  const reply = await fetch(endpoint.url, {
    method: "POST",
    headers: { "x-amz-target": "AWSEvents.PutRule" },
    body: "{}",
  });
  expect(reply.status).toBe(400);
  expect(await reply.json()).toMatchObject({
    __type: "UnknownOperationException",
    message: expect.stringContaining("AWSEvents.PutRule"),
  });
});

test("every fact of the topology has its rules", () => {
  expect(
    rules()
      .filter((rule) => rule.pattern["detail-type"]?.toString() === "event.retracted")
      .map((rule) => rule.queue),
  ).toEqual(["retractions", "audits"]);
});
