import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Listening } from "#host/http";
import { type ChangedSecret, startAwsEndpoint } from "#local/aws/aws-endpoint";
import { cameThroughFront } from "./origin.ts";
import { forgetSecrets, SecretError } from "./secret.ts";

// The origin's secret on a loopback Secrets Manager.
const ORIGIN = "spyhop/dev/origin";
const secretOf = (value: string): string => JSON.stringify({ value });
const secrets = new Map<string, string | ChangedSecret>();
let endpoint: Listening;
const CHANGED_MS = Date.parse("2026-03-02T10:00:00.000Z");
const HOUR_MS = 3_600_000;

/** Puts a new value in the place of the first, as `put-secret-value` does. */
const rotate = (): void =>
  void secrets.set(ORIGIN, {
    current: secretOf("put-by-a-person"),
    previous: secretOf("shown-by-cloudfront"),
    changedAt: CHANGED_MS / 1000,
  });
const isTaken = (shown: string): Promise<boolean> => cameThroughFront({ "x-origin-secret": shown });

beforeEach(async () => {
  secrets.set(ORIGIN, secretOf("shown-by-cloudfront"));
  endpoint = await startAwsEndpoint({ sqs: {} as never, queueUrl: () => "", secrets });
  vi.stubEnv("AWS_REGION", "us-east-1");
  vi.stubEnv("AWS_ACCESS_KEY_ID", "local");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "local");
  vi.stubEnv("AWS_ENDPOINT_URL_SECRETS_MANAGER", endpoint.url);
  vi.stubEnv("ORIGIN_SECRET_ID", ORIGIN);
  vi.useFakeTimers({ toFake: ["Date", "performance"], now: CHANGED_MS });
});
afterEach(async () => {
  vi.useRealTimers();
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

test("after a change CloudFront's old value is taken for a day, and the new one within seconds", async () => {
  expect(await isTaken("shown-by-cloudfront")).toBe(true);
  rotate();
  vi.advanceTimersByTime(10_000);
  expect(await isTaken("put-by-a-person")).toBe(true); // though the first value is still held
  expect(await isTaken("shown-by-cloudfront")).toBe(true);
  expect(await isTaken("guess")).toBe(false);
  vi.advanceTimersByTime(24 * HOUR_MS - 10_001);
  expect(await isTaken("shown-by-cloudfront")).toBe(true);
  vi.advanceTimersByTime(1);
  expect(await isTaken("shown-by-cloudfront")).toBe(false);
  expect(await isTaken("put-by-a-person")).toBe(true);
});

test("guesses do not have the secret read again more often than in ten seconds", async () => {
  expect(await isTaken("shown-by-cloudfront")).toBe(true);
  rotate();
  vi.advanceTimersByTime(9999);
  expect(await isTaken("put-by-a-person")).toBe(false);
  vi.advanceTimersByTime(1);
  expect(await isTaken("put-by-a-person")).toBe(true);
});

test("nobody is let in while the secret cannot be read", async () => {
  vi.stubEnv("ORIGIN_SECRET_ID", "spyhop/dev/gone");
  await expect(cameThroughFront({ "x-origin-secret": "shown-by-cloudfront" })).rejects.toThrow(SecretError);
});

test("a laptop has nothing in front", async () => {
  vi.stubEnv("ORIGIN_SECRET_ID", "");
  expect(await cameThroughFront({})).toBe(true);
});
