import { createHash, timingSafeEqual } from "node:crypto";
import * as z from "zod";
import { ORIGIN_HEADER } from "#topology/names";
import { originSecretId } from "./config.ts";
import { previousSecret, readSecret, type SecretVersion } from "./secret.ts";

const OriginSecret = z.object({ value: z.string().min(1) });

/** For so long after a new value was put, the one before it is taken too: CloudFront shows it until the next deploy. */
const OVERLAP_MS = 24 * 3_600_000;
/** An unknown value has a secret that was read longer ago than this read again: it may have changed since. */
const LOOK_AGAIN_MS = 10_000;

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
const isSame = (a: string, b: string): boolean => timingSafeEqual(digest(a), digest(b)); // of equal length, whatever was sent

let before: { readonly after: string; readonly value: Promise<string | null> } | null = null;

/**
 * Returns whether a request came through CloudFront and its firewall: it bears the origin's secret, or the value before it
 * for a day after the change. Where the process has none (a laptop) every request did. Header names are in lower case, as
 * API Gateway gives them.
 * @throws SecretError when the secret cannot be read.
 */
export async function cameThroughFront(headers: Readonly<Record<string, string | undefined>>): Promise<boolean> {
  const id = originSecretId();
  if (id === null) return true;
  const shown = headers[ORIGIN_HEADER] ?? "";
  if (shown === "") return false;
  return (await isTaken(id, shown)) || isTaken(id, shown, LOOK_AGAIN_MS);
}

async function isTaken(id: string, shown: string, maxAgeMs?: number): Promise<boolean> {
  const { fields, secret, createdAt } = await readSecret(id, OriginSecret, maxAgeMs);
  if (isSame(shown, fields.value)) return true;
  if (createdAt === null || Date.now() - createdAt >= OVERLAP_MS) return false;
  const previous = await valueBefore(secret);
  return previous !== null && isSame(shown, previous);
}

/** Which value stood before a version never changes, so it is asked once a version. */
async function valueBefore({ id, version }: SecretVersion): Promise<string | null> {
  if (before?.after !== version) before = { after: version, value: askBefore(id) };
  try {
    return await before.value;
  } catch (error) {
    before = null;
    throw error;
  }
}

const askBefore = async (id: string): Promise<string | null> => (await previousSecret(id, OriginSecret))?.value ?? null;
