import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type * as z from "zod";

/** A secret is absent, is not JSON, or lacks a field. The message names the secret and the field, never a value. */
export class SecretError extends Error {
  override name = "SecretError";
  readonly secretId: string;
  constructor(secretId: string, problem: string, options?: ErrorOptions) {
    super(`secret ${secretId}: ${problem}`, options);
    this.secretId = secretId;
  }
}

let client: SecretsManagerClient | undefined;

/**
 * Returns the fields of a JSON secret in Secrets Manager.
 * @throws SecretError when it is not JSON or breaks `schema`; the SDK's error when it cannot be read.
 */
export async function readSecret<T extends z.ZodType>(secretId: string, schema: T): Promise<z.output<T>> {
  client ??= new SecretsManagerClient({});
  const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: secretId }));
  let fields: unknown;
  try {
    fields = JSON.parse(SecretString ?? "");
  } catch {
    throw new SecretError(secretId, "is not JSON"); // the parser's message would quote the secret
  }
  const result = schema.safeParse(fields);
  if (result.success) return result.data;
  throw new SecretError(secretId, `lacks ${result.error.issues.map((issue) => issue.path.join(".")).join(", ")}`);
}

/** Forgets the client, so that the next secret is read from the endpoint then in force. For the local runtime. */
export const forgetSecrets = (): void => {
  client?.destroy();
  client = undefined;
};
