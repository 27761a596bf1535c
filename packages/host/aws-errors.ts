/** What a transport's error means, by its code or name. Source: Node.js, "Common system errors"; smithy's node-http-handler. */
const UNREACHED: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there",
  ENOTFOUND: "there is no such host",
  EAI_AGAIN: "the name could not be looked up",
  ECONNRESET: "the connection broke off",
  EPIPE: "the connection broke off",
  ETIMEDOUT: "it did not answer in time",
  EHOSTUNREACH: "there is no way there",
  ENETUNREACH: "there is no way there",
  TimeoutError: "it did not answer in time",
};

/** What the service refuses every call with, where the login is the reason. Source: AWS, "Common error types". */
const REFUSED: readonly string[] = [
  "ExpiredToken",
  "ExpiredTokenException",
  "InvalidClientTokenId",
  "UnrecognizedClientException",
  "InvalidSignatureException",
  "SignatureDoesNotMatch",
];

const fieldOf = (error: object, name: string): string | null => {
  const value = (error as Record<string, unknown>)[name];
  return typeof value === "string" || typeof value === "number" ? String(value) : null;
};

function unreached(error: Error): string | null {
  const inner =
    error instanceof AggregateError ? error.errors.find((one): one is Error => one instanceof Error) : error;
  if (inner === undefined) return null;
  const reason = UNREACHED[fieldOf(inner, "code") ?? inner.name];
  if (reason === undefined) return null;
  const host = fieldOf(inner, "hostname") ?? fieldOf(inner, "address");
  const port = fieldOf(inner, "port");
  const place = host === null ? "" : ` at ${host}${port === null ? "" : `:${port}`}`;
  return `AwsUnreachableError: no answer from AWS${place}: ${reason}. Is this machine online, or what AWS_ENDPOINT_URL names running?`;
}

/**
 * Returns what a person can do about an error of AWS's client that says it badly: no region, no login, nobody there. Null for
 * any other error. It is told by its shape, since the client has no types for these: every error that passed through a call
 * of it bears `$metadata`.
 */
export function awsSentence(error: Error): string | null {
  if (error.message === "Region is missing")
    return "NoRegionError: no AWS region is set. Set AWS_REGION to the stage's, as its target file in stacks/targets says it";
  if (error.name === "CredentialsProviderError")
    return "NoCredentialsError: there are no AWS credentials. Sign in (aws sso login), or set AWS_PROFILE";
  if (REFUSED.includes(error.name))
    return `RefusedCredentialsError: AWS does not take these credentials (${error.name}). Sign in again (aws sso login), and look at this machine's clock`;
  return "$metadata" in error ? unreached(error) : null;
}
