import { createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { PaperRefusal } from "./reply.ts";

/** The one key that the venue knows. */
export interface PaperKey {
  readonly apiKey: string;
  readonly secret: string;
  readonly passphrase: string;
}

const SKEW_MS = 30_000;

const equal = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));

/**
 * Checks a private call as OKX does: key, passphrase, demo header, clock, then the signature
 * base64(HMAC-SHA256(secret, timestamp + method + path with query + body)).
 * @throws PaperRefusal with OKX's code.   Source: OKX v5, "REST Authentication".
 */
export function checkCall(
  key: PaperKey,
  headers: IncomingHttpHeaders,
  method: string,
  target: string,
  body: string,
  now: number,
): void {
  const read = (name: string, missing: string): string => {
    const value = headers[name];
    if (typeof value !== "string" || value === "")
      throw new PaperRefusal(missing, `Request header ${name.toUpperCase()} can not be empty.`, 401);
    return value;
  };
  const apiKey = read("ok-access-key", "50103");
  const passphrase = read("ok-access-passphrase", "50104");
  const signature = read("ok-access-sign", "50106");
  const timestamp = read("ok-access-timestamp", "50107");
  if (!equal(apiKey, key.apiKey)) throw new PaperRefusal("50111", "Invalid OK-ACCESS-KEY", 401);
  if (!equal(passphrase, key.passphrase))
    throw new PaperRefusal("50105", "Request header OK-ACCESS-PASSPHRASE incorrect.", 401);
  if (headers["x-simulated-trading"] !== "1")
    throw new PaperRefusal("50101", "APIKey does not match current environment.", 401);
  const sent = Date.parse(timestamp);
  if (!Number.isFinite(sent)) throw new PaperRefusal("50112", "Invalid OK-ACCESS-TIMESTAMP", 401);
  if (Math.abs(now - sent) > SKEW_MS) throw new PaperRefusal("50102", "Timestamp request expired", 401);
  const expected = createHmac("sha256", key.secret)
    .update(timestamp + method + target + body)
    .digest("base64");
  if (!equal(signature, expected)) throw new PaperRefusal("50113", "Invalid Sign", 401);
}
