import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import * as z from "zod";
import { listen, readBody } from "#host/http";
import { startAwsEndpoint } from "#local/aws/aws-endpoint";
import { forgetSecrets, readSecret, SecretError } from "./secret.ts";

// The SDK's client on loopback endpoints: the laptop's own, and ones that misbehave.
const Fields = z.object({ url: z.string() });
const closings: (() => Promise<unknown>)[] = [];

beforeEach(() => {
  for (const name of ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_PROFILE"])
    vi.stubEnv(name, undefined);
  vi.stubEnv("AWS_REGION", "us-east-1");
  vi.stubEnv("AWS_ACCESS_KEY_ID", "local");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "local");
});
afterEach(async () => {
  forgetSecrets();
  vi.unstubAllEnvs();
  for (const close of closings.splice(0)) await close();
});

/** Serves every request with `answer`, which is told its number and its body. Returns the address and the count. */
async function serving(answer: (response: ServerResponse, nth: number, body: string) => void) {
  const seen = { requests: 0 };
  const { url, close } = await listen(async (request, response) => {
    const body = await readBody(request);
    answer(response, ++seen.requests, body);
  });
  closings.push(close);
  return { url, seen };
}
const reply = (response: ServerResponse, status: number, body: string) =>
  response.writeHead(status, { "content-type": "application/x-amz-json-1.1" }).end(body);
const secret = (fields: unknown) => JSON.stringify({ SecretString: JSON.stringify(fields), VersionId: "v1" });

async function failure(secretId = "desk/database"): Promise<{ error: SecretError; ms: number }> {
  const began = performance.now();
  const error: unknown = await readSecret(secretId, Fields).then(
    () => null,
    (thrown) => thrown,
  );
  expect(error).toBeInstanceOf(SecretError);
  return { error: error as SecretError, ms: performance.now() - began };
}

test.each(["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SECRETS_MANAGER"])("a secret is read where %s says", async (name) => {
  const secrets = new Map([["desk/database", JSON.stringify({ url: "here" })]]);
  const endpoint = await startAwsEndpoint({ sqs: {} as never, queueUrl: () => "", secrets });
  closings.push(endpoint.close);
  vi.stubEnv(name, endpoint.url);
  const { fields, secret: first } = await readSecret("desk/database", Fields);
  expect(fields).toEqual({ url: "here" });
  forgetSecrets();
  expect((await readSecret("desk/database", Fields)).secret).toEqual(first);
  secrets.set("desk/database", JSON.stringify({ url: "there" }));
  forgetSecrets();
  const next = await readSecret("desk/database", Fields);
  expect(next.fields).toEqual({ url: "there" });
  expect(next.secret.version).not.toBe(first.version);
  expect(`${first.version} ${next.secret.version}`).not.toMatch(/here/);
});

test("what is put after the client was made is read where it is put once secrets are forgotten", async () => {
  const first = await serving((response) => reply(response, 200, secret({ url: "first" })));
  const second = await serving((response) => reply(response, 200, secret({ url: "second" })));
  vi.stubEnv("AWS_ENDPOINT_URL", first.url);
  expect((await readSecret("desk/database", Fields)).fields.url).toBe("first");
  vi.stubEnv("AWS_ENDPOINT_URL", second.url);
  expect((await readSecret("desk/database", Fields)).fields.url).toBe("first"); // held
  forgetSecrets();
  expect((await readSecret("desk/database", Fields)).fields.url).toBe("second");
  expect([first.seen.requests, second.seen.requests]).toEqual([1, 1]);
});

test("a fault that passes is asked again; one that stays fails by its name after three", async () => {
  const mended = await serving((response, nth) =>
    nth < 3 ? reply(response, 503, "") : reply(response, 200, secret({ url: "third" })),
  );
  vi.stubEnv("AWS_ENDPOINT_URL", mended.url);
  expect((await readSecret("desk/database", Fields)).fields.url).toBe("third");
  forgetSecrets();
  const throttled = await serving((response) => reply(response, 400, '{"__type":"ThrottlingException"}'));
  vi.stubEnv("AWS_ENDPOINT_URL", throttled.url);
  expect((await failure()).error).toMatchObject({
    message: "secret desk/database: Secrets Manager said ThrottlingException",
    code: "ThrottlingException",
  });
  expect(throttled.seen.requests).toBe(3);
  forgetSecrets();
  const down = await serving((response) => reply(response, 500, ""));
  vi.stubEnv("AWS_ENDPOINT_URL", down.url);
  expect((await failure()).error.message).toBe("secret desk/database: Secrets Manager said HTTP 500");
  expect(down.seen.requests).toBe(3);
});

test("a refusal is not asked again", async () => {
  const denied = await serving((response) =>
    reply(response, 400, '{"__type":"com.amazonaws#AccessDeniedException","Message":"no"}'),
  );
  vi.stubEnv("AWS_ENDPOINT_URL", denied.url);
  expect((await failure()).error.code).toBe("AccessDeniedException");
  expect(denied.seen.requests).toBe(1);
});

test("an endpoint where nobody listens fails by name", async () => {
  const { url } = await serving(() => {});
  await closings.pop()?.();
  vi.stubEnv("AWS_ENDPOINT_URL", url);
  expect((await failure()).error.message).toBe("secret desk/database: no answer from Secrets Manager (ECONNREFUSED)");
});

test("an endpoint that is silent, stops in mid-answer or drips one without end fails in eight seconds, by name", async () => {
  const { url } = await serving((response, _, body) => {
    if (body.includes("silent")) return;
    response.writeHead(200).write('{"Secret');
    if (!body.includes("dripping")) return;
    const drip = setInterval(() => response.write(" "), 200);
    response.on("close", () => clearInterval(drip));
  });
  vi.stubEnv("AWS_ENDPOINT_URL", url);
  const failures = await Promise.all(["silent", "stopping", "dripping"].map(failure));
  for (const { error, ms } of failures) {
    expect(error.message).toMatch(/^secret \w+: no answer from Secrets Manager \(\w+\)$/);
    expect(ms).toBeLessThan(12_000); // on a busy machine
  }
});

test("no failure quotes the secret", async () => {
  for (const body of [
    '{"SecretString": hunter2}',
    "hunter2",
    '{"SecretString":"hunter2"}',
    '{"SecretBinary":"aHVudGVyMg=="}',
  ]) {
    const { url } = await serving((response) => reply(response, 200, body));
    vi.stubEnv("AWS_ENDPOINT_URL", url);
    forgetSecrets();
    const { error } = await failure();
    expect(JSON.stringify([error.message, error.stack, error.cause ?? null, error.code]), body).not.toMatch(
      /hunter2|aHVu/,
    );
  }
});
