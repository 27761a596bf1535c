import { randomUUID } from "node:crypto";
import { CreateBucketCommand, DeleteObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { NO_HASH } from "#trading/orders/stored-order";
import type { RecordHead } from "#trading/record-head";
import { instantOf } from "#units/time";
import { readEnv } from "./config.ts";
import { RecordBucketError, recordBucket } from "./record-bucket.ts";

const headOf = (day: number, rows: number): RecordHead => {
  const at = instantOf(`2026-03-${String(day).padStart(2, "0")}T00:15:00.000Z`);
  return { at, audit: { rows, hash: NO_HASH }, orders: { until: at, events: 0, hash: NO_HASH } };
};

// An S3 with versions: scripts/operations.sh names the emulator's.
const endpoint = readEnv("TEST_S3_URL");
const credentials = { accessKeyId: "test", secretAccessKey: "test" };

describe.skipIf(endpoint === null)("on an S3 with versions (TEST_S3_URL)", () => {
  const s3 = new S3Client({ endpoint: endpoint ?? "", forcePathStyle: true, region: "us-east-1", credentials });
  const bucket = `records-${randomUUID()}`;
  beforeAll(async () => {
    vi.stubEnv("AWS_ENDPOINT_URL_S3", endpoint ?? "");
    for (const [name, value] of [
      ["AWS_REGION", "us-east-1"],
      ["AWS_ACCESS_KEY_ID", "test"],
      ["AWS_SECRET_ACCESS_KEY", "test"],
    ] as const)
      vi.stubEnv(name, value);
    await s3.send(new CreateBucketCommand({ Bucket: bucket, ObjectLockEnabledForBucket: true }));
  });
  afterAll(() => {
    vi.unstubAllEnvs();
    s3.destroy();
  });
  const write = (key: string, Body: string) => s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body }));

  test("heads come back by time; one that is there already stays, and a second run is no error", async () => {
    const copy = recordBucket(bucket);
    expect(await copy.heads()).toEqual([]);
    await copy.keep(headOf(2, 5));
    await copy.keep(headOf(1, 3));
    await copy.keep(headOf(2, 9));
    expect(await copy.heads()).toEqual([headOf(1, 3), headOf(2, 5)]);
  });

  test("what an owner writes over a head, or marks as deleted, changes nothing", async () => {
    const { at } = headOf(1, 3);
    await write(`heads/${at}.json`, JSON.stringify(headOf(1, 999)));
    await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: `heads/${headOf(2, 5).at}.json` }));
    expect(await recordBucket(bucket).heads()).toEqual([headOf(1, 3), headOf(2, 5)]);
  });

  test("an object that is no head is named", async () => {
    await write("heads/2026-04-01.json", "{}");
    await expect(recordBucket(bucket).heads()).rejects.toThrow(RecordBucketError);
    await expect(recordBucket(bucket).heads()).rejects.toThrow(/heads\/2026-04-01\.json is no head/);
  });
});

test("a bucket that cannot be reached is an error: the day's check is not counted as done", async () => {
  vi.stubEnv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1");
  vi.stubEnv("AWS_REGION", "us-east-1");
  vi.stubEnv("AWS_ACCESS_KEY_ID", "test");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "test");
  await expect(recordBucket("nowhere").heads()).rejects.toThrow(/ECONNREFUSED/);
  vi.unstubAllEnvs();
});
