import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  SecretsManagerServiceException,
} from "@aws-sdk/client-secrets-manager";
import type * as z from "zod";
import { sha256 } from "#units/ids";

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
  /** When this version was put, in milliseconds since the epoch; null where the service does not say. */
  readonly createdAt: number | null;
  readonly readAt: number;
}

/** A changed secret is used at the latest after this, also when the old one is still taken. */
const MAX_AGE_MS = 5 * 60_000;
const held = new Map<string, Promise<Held>>();

/**
 * Returns the fields of a JSON secret in Secrets Manager, which version they are and when it was put. It is read at most
 * once in `maxAgeMs`, five minutes unless said, and again once `expireSecret` was called.
 * @throws SecretError when it cannot be read, is not JSON or breaks `schema`.
 */
export async function readSecret<T extends z.ZodType>(
  secretId: string,
  schema: T,
  maxAgeMs: number = MAX_AGE_MS,
): Promise<{ fields: z.output<T>; secret: SecretVersion; createdAt: number | null }> {
  const { text, version, createdAt } = await current(secretId, maxAgeMs);
  return { fields: fieldsIn(secretId, text, schema), secret: { id: secretId, version }, createdAt };
}

/**
 * Returns the fields of the value that a secret had before its current one; null where it was never changed. Nothing is
 * kept: the caller knows how long it needs it.
 * @throws SecretError when it cannot be read, is not JSON or breaks `schema`.
 */
export async function previousSecret<T extends z.ZodType>(secretId: string, schema: T): Promise<z.output<T> | null> {
  try {
    return fieldsIn(secretId, (await ask(secretId, "AWSPREVIOUS")).text, schema);
  } catch (error) {
    if (error instanceof SecretError && error.code === "ResourceNotFoundException") return null;
    throw error;
  }
}

/** Returns the text of a secret as it is now, and keeps nothing. @throws SecretError when it cannot be read within `withinMs`. */
export const secretNow = async (secretId: string, withinMs: number): Promise<string> =>
  (await ask(secretId, "AWSCURRENT", withinMs)).text;

/** Gives a secret a new value, within `withinMs`. @throws SecretError when it cannot be written in time. */
export async function putSecret(secretId: string, fields: object, withinMs: number): Promise<void> {
  const command = new PutSecretValueCommand({ SecretId: secretId, SecretString: JSON.stringify(fields) });
  const abortSignal = AbortSignal.timeout(withinMs);
  const reply = await sdk()
    .send(command, { abortSignal })
    .catch((error: Error) => error);
  if (reply instanceof Error) throw failureOf(secretId, reply);
}

/** @throws SecretError */
function fieldsIn<T extends z.ZodType>(secretId: string, text: string, schema: T): z.output<T> {
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch {
    throw new SecretError(secretId, "is not JSON"); // the parser's message would quote the secret
  }
  const result = schema.safeParse(fields);
  if (result.success) return result.data;
  const wrong = [...new Set(result.error.issues.map((issue) => issue.path.join(".")))];
  throw new SecretError(secretId, `these fields are missing or malformed: ${wrong.join(", ")}`);
}

/** Returns whether the secret is still the one that was read, by a look at most five minutes old. @throws SecretError */
export const isCurrent = async ({ id, version }: SecretVersion): Promise<boolean> =>
  (await current(id)).version === version;

/** Has the next read ask Secrets Manager, however new what is held: its credentials were refused. */
export const expireSecret = (secretId: string): void => void held.delete(secretId);

/** Forgets every secret and the client, so that the next is read from the endpoint then in force. For the local runtime. */
export const forgetSecrets = (): void => {
  held.clear();
  client?.destroy();
  client = undefined;
};

async function current(secretId: string, maxAgeMs: number = MAX_AGE_MS): Promise<Held> {
  const before = held.get(secretId);
  if (before && performance.now() - (await before).readAt < maxAgeMs) return before;
  const asked = ask(secretId);
  held.set(secretId, asked);
  try {
    return await asked;
  } catch (error) {
    if (held.get(secretId) === asked) held.delete(secretId);
    throw error;
  }
}

// Without these the SDK waits for a silent endpoint for as long as the socket stays open.
const ATTEMPTS = 3;
const ATTEMPT_MS = 2000;
const DEADLINE_MS = 8000;
let client: SecretsManagerClient | undefined;

function sdk(): SecretsManagerClient {
  client ??= new SecretsManagerClient({
    maxAttempts: ATTEMPTS,
    requestHandler: {
      ...{ connectionTimeout: ATTEMPT_MS, requestTimeout: ATTEMPT_MS, socketTimeout: ATTEMPT_MS },
      throwOnRequestTimeout: true,
    },
  });
  return client;
}

/** Asks with the SDK's own retries; whatever the endpoint does, there is an answer or an error within `withinMs`. */
async function ask(
  secretId: string,
  stage: "AWSCURRENT" | "AWSPREVIOUS" = "AWSCURRENT",
  withinMs: number = DEADLINE_MS,
): Promise<Held> {
  const readAt = performance.now();
  const abortSignal = AbortSignal.timeout(withinMs);
  const reply = await sdk()
    .send(new GetSecretValueCommand({ SecretId: secretId, VersionStage: stage }), { abortSignal })
    .catch((error: Error) => error);
  if (reply instanceof Error) throw failureOf(secretId, reply);
  const { SecretString: text, VersionId, CreatedDate } = reply;
  if (text === undefined) throw new SecretError(secretId, "holds no text");
  return { text, version: VersionId ?? sha256(text), createdAt: CreatedDate?.getTime() ?? null, readAt };
}

/** Returns what to say of the SDK's error. It is not the cause of it: where a reply cannot be parsed, it quotes the reply. */
function failureOf(secretId: string, error: Error): SecretError {
  if (error instanceof SecretsManagerServiceException) {
    const code = error.name === "Unknown" ? `HTTP ${error.$metadata.httpStatusCode}` : error.name;
    return new SecretError(secretId, `Secrets Manager said ${code}`, code);
  }
  if (error.message === "Region is missing") return new SecretError(secretId, "no AWS region is set: set AWS_REGION");
  const what = "code" in error && typeof error.code === "string" ? error.code : error.name;
  return new SecretError(secretId, `no answer from Secrets Manager (${what})`);
}
