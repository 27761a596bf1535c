import { createHash, timingSafeEqual } from "node:crypto";
import * as z from "zod";
import { ORIGIN_HEADER } from "#topology/names";
import { originSecretId } from "./config.ts";
import { readSecret } from "./secret.ts";

const OriginSecret = z.object({ value: z.string().min(1) });

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/**
 * Returns whether a request came through CloudFront and its firewall: it bears the origin's secret. Where the process has
 * none (a laptop) every request did. Header names are in lower case, as API Gateway gives them.
 * @throws SecretError when the secret cannot be read.
 */
export async function cameThroughFront(headers: Readonly<Record<string, string | undefined>>): Promise<boolean> {
  const id = originSecretId();
  if (id === null) return true;
  const { fields } = await readSecret(id, OriginSecret);
  return timingSafeEqual(digest(headers[ORIGIN_HEADER] ?? ""), digest(fields.value)); // of equal length, whatever was sent
}
