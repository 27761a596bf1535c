import {
  GetObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import { HEADS } from "#topology/names";
import { type RecordCopy, RecordHead } from "#trading/record-head";
import type { Instant } from "#units/time";
import { readEnv } from "./config.ts";

/** An object of the bucket is no head. It cannot be removed before its retention ends, so a person must look. */
export class RecordBucketError extends Error {
  override name = "RecordBucketError";
  constructor(bucket: string, key: string) {
    super(`s3://${bucket}/${key} is no head of a desk's records; look at who wrote it`);
  }
}

/** Objects that are read at once: there is one a day. */
const AT_ONCE = 25;
const keyOf = (at: Instant): string => `${HEADS}${at}.json`;

interface Version {
  readonly key: string;
  readonly id: string | undefined;
}

/**
 * Returns a copy that is an S3 bucket with object lock. A head is one object, written once. Of each the oldest version
 * counts: under the lock nobody can remove it, whatever was written or marked as deleted over it since.
 */
export function recordBucket(bucket: string): RecordCopy {
  // An emulator on this machine has no host's name a bucket.
  const isEmulated = readEnv("AWS_ENDPOINT_URL_S3") !== null || readEnv("AWS_ENDPOINT_URL") !== null;
  const s3 = new S3Client({ forcePathStyle: isEmulated });
  return {
    heads: async () => {
      const versions = await oldestVersions(s3, bucket);
      const heads: RecordHead[] = [];
      for (let i = 0; i < versions.length; i += AT_ONCE)
        heads.push(...(await Promise.all(versions.slice(i, i + AT_ONCE).map((one) => headOf(s3, bucket, one)))));
      return heads;
    },
    keep: async (head) => {
      const Body = JSON.stringify(head);
      const put = { Bucket: bucket, Key: keyOf(head.at), Body, ContentType: "application/json", IfNoneMatch: "*" };
      try {
        await s3.send(new PutObjectCommand(put));
      } catch (error) {
        // It is there already: this run came twice.
        if (!(error instanceof S3ServiceException && error.$metadata.httpStatusCode === 412)) throw error;
      }
    },
  };
}

/** Returns the oldest version of each head, by time. */
async function oldestVersions(s3: S3Client, bucket: string): Promise<Version[]> {
  const oldest = new Map<string, string | undefined>();
  let marker: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } = {};
  for (;;) {
    const page = await s3.send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix: HEADS, ...marker }));
    // Of one key the newest comes first, so that the oldest is the last to stay.
    for (const { Key, VersionId } of page.Versions ?? []) if (Key !== undefined) oldest.set(Key, VersionId);
    if (!page.IsTruncated) break;
    marker = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
  }
  return [...oldest].map(([key, id]) => ({ key, id })).toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

async function headOf(s3: S3Client, bucket: string, { key, id }: Version): Promise<RecordHead> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key, VersionId: id }));
  const head = RecordHead.safeParse(jsonOf((await Body?.transformToString()) ?? ""));
  if (!head.success) throw new RecordBucketError(bucket, key);
  return head.data;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // which is no head either
  }
}
