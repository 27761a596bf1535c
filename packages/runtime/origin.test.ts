import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Listening } from "#host/http";
import { startAwsEndpoint } from "#local/aws/aws-endpoint";
import { cameThroughFront } from "./origin.ts";
import { forgetSecrets, SecretError } from "./secret.ts";

// The origin's secret on a loopback Secrets Manager.
const secrets = new Map([["spyhop/dev/origin", JSON.stringify({ value: "shown-by-cloudfront" })]]);
let endpoint: Listening;

beforeEach(async () => {
  endpoint = await startAwsEndpoint({ sqs: {} as never, queueUrl: () => "", secrets });
  vi.stubEnv("AWS_REGION", "us-east-1");
  vi.stubEnv("AWS_ACCESS_KEY_ID", "local");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "local");
  vi.stubEnv("AWS_ENDPOINT_URL_SECRETS_MANAGER", endpoint.url);
  vi.stubEnv("ORIGIN_SECRET_ID", "spyhop/dev/origin");
});
afterEach(async () => {
  forgetSecrets();
  vi.unstubAllEnvs();
  await endpoint.close();
});

test("only a request with the origin's secret came through CloudFront", async () => {
  expect(await cameThroughFront({ "x-origin-secret": "shown-by-cloudfront" })).toBe(true);
  for (const wrong of [
    {},
    { "x-origin-secret": "" },
    { "x-origin-secret": "guess" },
    { accept: "shown-by-cloudfront" },
  ])
    expect(await cameThroughFront(wrong), JSON.stringify(wrong)).toBe(false);
});

test("nobody is let in while the secret cannot be read", async () => {
  vi.stubEnv("ORIGIN_SECRET_ID", "spyhop/dev/gone");
  await expect(cameThroughFront({ "x-origin-secret": "shown-by-cloudfront" })).rejects.toThrow(SecretError);
});

test("a laptop has nothing in front", async () => {
  vi.stubEnv("ORIGIN_SECRET_ID", "");
  expect(await cameThroughFront({})).toBe(true);
});
