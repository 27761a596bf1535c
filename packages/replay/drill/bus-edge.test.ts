import { SQSClient } from "@aws-sdk/client-sqs";
import { afterEach, expect, test } from "vitest";
import { startAwsEndpoint } from "#local/aws/aws-endpoint";
import { startQueues } from "#local/aws/queues";
import { setEnv } from "#runtime/config";
import { forgetBus, publish } from "#runtime/publish";
import { idOf } from "#units/ids";
import { instant } from "#units/time";
import { busEdge } from "./edge.ts";
import type { Refusal } from "./plan.ts";

// The edge in front of the laptop's real bus and queues, with the desk's own way to publish.
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Publishes facts of so many orders over an edge that meets the first call with `refusal`; returns what came of it. */
async function published(refusal: Refusal | null, count: number): Promise<{ end: string; taken: number }> {
  const queues = await startQueues(null);
  const aws = { region: "us-east-1", credentials: { accessKeyId: "local", secretAccessKey: "local" } };
  const sqs = new SQSClient({ ...aws, endpoint: queues.endpoint, useQueueUrlAsEndpoint: false });
  const bus = await startAwsEndpoint({ sqs, queueUrl: queues.url, secrets: new Map() });
  let left = refusal;
  const refuse = (): Refusal | null => {
    const once = left;
    left = null;
    return once;
  };
  const edge = await busEdge(bus.url, { pass: async () => undefined, refuse });
  closing.push(queues.close, () => sqs.destroy(), bus.close, edge.close, forgetBus);
  setEnv({
    ...{ AWS_REGION: "us-east-1", AWS_ACCESS_KEY_ID: "local", AWS_SECRET_ACCESS_KEY: "local" },
    ...{ AWS_ENDPOINT_URL_EVENTBRIDGE: edge.url, EVENT_BUS: "spyhop" },
  });
  forgetBus();
  const at = instant(0);
  const facts = Array.from({ length: count }, (_, i) => ({
    ...{ entityType: "event" as const, entityId: idOf("event", i), at },
    body: { walletId: idOf("wallet", i), blockNumber: i, blockHash: `0x${"ab".repeat(32)}` },
  }));
  const end = await publish("event.retracted", facts).then(
    () => "published",
    (error: Error) => error.name,
  );
  return { end, taken: queues.depth("audits") };
}

test.each([
  ["nothing", null, "published", 3],
  ["an error before the call, which the SDK tries again", { stage: "before", lasting: false }, "published", 3],
  ["an error after the call: the facts come twice", { stage: "after", lasting: false }, "published", 6],
  ["an error through all retries", { stage: "before", lasting: true }, "InternalFailure", 0],
  ["an error through all retries, each carried out", { stage: "after", lasting: true }, "InternalFailure", 9],
  ["a reply that refuses all but the first", { stage: "part", lasting: true }, "PublishError", 1],
] as const)("the bus meets a job with %s", async (_, refusal, end, taken) => {
  expect(await published(refusal, 3)).toEqual({ end, taken });
});

test("a reply that refuses a single fact refuses all there is", async () => {
  expect(await published({ stage: "part", lasting: true }, 1)).toEqual({ end: "PublishError", taken: 0 });
});
