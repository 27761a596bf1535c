import { setTimeout as pause } from "node:timers/promises";
import * as z from "zod";
import { awsCall } from "./config.ts";
import { signedHeaders } from "./postgres/aws-signature.ts";

/** A secret is absent, cannot be read, is not JSON, or lacks a field. The message names the secret and the field, never a value. */
export class SecretError extends Error {
  override name = "SecretError";
  readonly secretId: string;
  /** The service's name of what went wrong, where it answered: "ResourceNotFoundException". */
  readonly code: string | null;
  constructor(secretId: string, problem: string, code: string | null = null) {
    super(`secret ${secretId}: ${problem}`);
    this.secretId = secretId;
    this.code = code;
  }
}

/** Which text of a secret something was opened with. */
export interface SecretVersion {
  readonly id: string;
  readonly version: string;
}

interface Held {
  readonly text: string;
  readonly version: string;
  readonly readAt: number;
}

/** A changed secret is used at the latest after this, also when the old one is still taken. */
const MAX_AGE_MS = 5 * 60_000;
const held = new Map<string, Promise<Held>>();

/**
 * Returns the fields of a JSON secret in Secrets Manager and which version they are. It is read at most once in five
 * minutes, unless `expireSecret` was called.
 * @throws SecretError when it cannot be read, is not JSON or breaks `schema`.
 */
export async function readSecret<T extends z.ZodType>(
  secretId: string,
  schema: T,
): Promise<{ fields: z.output<T>; secret: SecretVersion }> {
  const { text, version } = await current(secretId);
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch {
    throw new SecretError(secretId, "is not JSON"); // the parser's message would quote the secret
  }
  const result = schema.safeParse(fields);
  if (result.success) return { fields: result.data, secret: { id: secretId, version } };
  const wrong = [...new Set(result.error.issues.map((issue) => issue.path.join(".")))];
  throw new SecretError(secretId, `these fields are missing or malformed: ${wrong.join(", ")}`);
}

/** Returns whether the secret is still the one that was read, by a look at most five minutes old. @throws SecretError */
export const isCurrent = async ({ id, version }: SecretVersion): Promise<boolean> =>
  (await current(id)).version === version;

/** Has the next read ask Secrets Manager, however new what is held: its credentials were refused. */
export const expireSecret = (secretId: string): void => void held.delete(secretId);

/** Forgets every secret, so that the next is read from the endpoint then in force. For the local runtime. */
export const forgetSecrets = (): void => held.clear();

async function current(secretId: string): Promise<Held> {
  const before = held.get(secretId);
  if (before && performance.now() - (await before).readAt < MAX_AGE_MS) return before;
  const asked = ask(secretId);
  held.set(secretId, asked);
  try {
    return await asked;
  } catch (error) {
    if (held.get(secretId) === asked) held.delete(secretId);
    throw error;
  }
}

const TARGET = "secretsmanager.GetSecretValue";
const ATTEMPTS = 3;
const ATTEMPT_MS = 3000;
const Reply = z.object({ SecretString: z.string(), VersionId: z.string().optional() });
const Refusal = z.object({ __type: z.string() });

/** Asks once, and twice more after a failure that may pass: no reply, a throttle, the service's own fault. */
async function ask(secretId: string): Promise<Held> {
  for (let attempt = 1; ; attempt++) {
    const readAt = performance.now();
    const reply = await post(secretId).catch((error: Error) => error);
    if (reply instanceof Error) {
      if (attempt === ATTEMPTS) throw new SecretError(secretId, `no answer from Secrets Manager (${reply.name})`);
    } else if (reply.status === 200) {
      const { SecretString, VersionId } = parsed(secretId, Reply, reply.body);
      return { text: SecretString, version: VersionId ?? SecretString, readAt };
    } else {
      const code = Refusal.safeParse(reply.body).data?.__type.split("#").at(-1) ?? `HTTP ${reply.status}`;
      const passing = reply.status >= 500 || reply.status === 429 || code.startsWith("Throttling");
      if (!passing || attempt === ATTEMPTS) throw new SecretError(secretId, `Secrets Manager said ${code}`, code);
    }
    await pause(100 * 4 ** (attempt - 1) * (0.5 + Math.random()));
  }
}

function parsed<T extends z.ZodType>(secretId: string, schema: T, body: unknown): z.output<T> {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  throw new SecretError(secretId, "holds no text");
}

/** Source: Secrets Manager API reference, GetSecretValue; AWS JSON 1.1. */
async function post(secretId: string): Promise<{ status: number; body: unknown }> {
  const { endpoint, region, keys } = awsCall();
  const request = {
    method: "POST",
    url: new URL(endpoint),
    headers: { "content-type": "application/x-amz-json-1.1", "x-amz-target": TARGET },
    body: JSON.stringify({ SecretId: secretId }),
  };
  const { host: _, ...headers } = signedHeaders(request, { region, service: "secretsmanager", keys, at: new Date() });
  const { method, body } = request;
  const reply = await fetch(request.url, { method, headers, body, signal: AbortSignal.timeout(ATTEMPT_MS) });
  return { status: reply.status, body: await reply.json().catch(() => null) };
}
