import type { Emulator } from "./emulator.ts";

/** The emulator answered a call with an error. */
export class EmulatorCallError extends Error {
  override name = "EmulatorCallError";
}

/**
 * Makes a call of AWS's Query protocol (IAM, CloudFormation) to the emulator and returns its XML. Two calls are not worth
 * two more clients; the emulator does not check signatures.
 * @throws EmulatorCallError
 */
export async function queryApi(
  { endpoint }: Emulator,
  service: "iam" | "cloudformation",
  action: string,
  parameters: Readonly<Record<string, string>>,
): Promise<string> {
  const version = service === "iam" ? "2010-05-08" : "2010-05-15";
  const credential = `test/20260101/us-east-1/${service}/aws4_request`;
  const reply = await fetch(endpoint, {
    method: "POST",
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host, Signature=0`,
    },
    body: new URLSearchParams({ Action: action, Version: version, ...parameters }),
  });
  const text = await reply.text();
  if (!reply.ok) throw new EmulatorCallError(`${service} ${action}: ${reply.status} ${text.slice(0, 300)}`);
  return text;
}
