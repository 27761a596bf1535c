import type { Emulator } from "./emulator.ts";

/** The emulator answered a call with an error. */
export class EmulatorCallError extends Error {
  override name = "EmulatorCallError";
}

/** Returns the header by which the emulator knows a call's service and region. It does not check signatures. */
export const unsigned = (service: string, region: string): { readonly authorization: string } => ({
  authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/${region}/${service}/aws4_request, SignedHeaders=host, Signature=0`,
});

/**
 * Makes a call of AWS's Query protocol (IAM, CloudFormation) to the emulator and returns its XML. Two calls are not worth
 * two more clients.
 * @throws EmulatorCallError
 */
export async function queryApi(
  { endpoint, region }: Pick<Emulator, "endpoint" | "region">,
  service: "iam" | "cloudformation",
  action: string,
  parameters: Readonly<Record<string, string>>,
): Promise<string> {
  const version = service === "iam" ? "2010-05-08" : "2010-05-15";
  const reply = await fetch(endpoint, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded", ...unsigned(service, region) },
    body: new URLSearchParams({ Action: action, Version: version, ...parameters }),
  });
  const text = await reply.text();
  if (!reply.ok) throw new EmulatorCallError(`${service} ${action}: ${reply.status} ${text.slice(0, 300)}`);
  return text;
}
