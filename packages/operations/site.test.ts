import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateQueueCommand, SendMessageCommand } from "@aws-sdk/client-sqs";
import { startFauxqs } from "fauxqs";
import { afterEach, expect, test, vi } from "vitest";
import { lockFolder } from "#host/folder-lock";
import { openEmbedded } from "#local/postgres/embedded-postgres";
import { deadLetterName } from "#topology/names";
import { instantOf } from "#units/time";
import { redrive } from "./redrive.ts";
import { MissingQueueError, NoDeskError, NoSiteError, openSite } from "./site.ts";

afterEach(() => vi.unstubAllEnvs());

test("a desk that nothing names is asked for, by what is missing", async () => {
  for (const name of ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SQS", "DATABASE_URL"]) vi.stubEnv(name, "");
  await expect(openSite({})).rejects.toThrow(/AWS_ENDPOINT_URL is not set/);
  vi.stubEnv("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
  await expect(openSite({})).rejects.toBeInstanceOf(NoSiteError);
});

test("a stage's queues are found by name; one that is not deployed is named", async () => {
  const server = await startFauxqs({ port: 0, host: "127.0.0.1", logger: false });
  vi.stubEnv("AWS_ENDPOINT_URL", `http://127.0.0.1:${server.port}`);
  const site = await openSite({ stage: "dev" });
  await expect(site.url("blocks", "queue")).rejects.toBeInstanceOf(MissingQueueError);
  await expect(site.url("blocks", "queue")).rejects.toThrow(/no queue dev-spyhop-blocks\.fifo in us-east-1/);
  await site.sqs.send(
    new CreateQueueCommand({ QueueName: deadLetterName("dev", "blocks", true), Attributes: { FifoQueue: "true" } }),
  );
  expect(await site.url("blocks", "dead")).toMatch(/\/dev-spyhop-blocks-dead\.fifo$/);
  await site.close();
  await server.stop();
});

test("a stopped desk's folder keeps its dead letters; a running one's is refused", async () => {
  const folder = join(await mkdtemp(join(tmpdir(), "spyhop-")), "live");
  await expect(openSite({ directory: folder })).rejects.toBeInstanceOf(NoDeskError); // and none is made
  await mkdir(folder);
  await (await openEmbedded(join(folder, "db"))).close();
  const first = await openSite({ directory: folder });
  const QueueUrl = await first.url("audits", "dead");
  await first.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "{ no json" }));
  await first.close();
  const site = await openSite({ directory: folder });
  const carry = { actor: "anna", reason: "a test" };
  const options = { queue: "audits", limit: 10, carry, now: () => instantOf("2022-06-21T04:00:00.000Z") } as const;
  expect(await redrive(site, { ...options, tell: () => {} })).toEqual({ send: 0, drop: 0, keep: 1 });
  await site.close();
  const release = await lockFolder(folder);
  await expect(openSite({ directory: folder })).rejects.toThrow(/is in use/);
  await release();
  await rm(join(folder, ".."), { recursive: true });
});
