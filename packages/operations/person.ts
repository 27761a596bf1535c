import { userInfo } from "node:os";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { type Arguments, type Option, UsageError } from "#host/cli";
import type { Stage } from "#topology/names";

/** How a command that changes something says who and why. */
export const PERSON_OPTIONS: Readonly<Record<"reason" | "actor", Option>> = {
  reason: { value: "TEXT", says: "why, for the audit log; must be given" },
  actor: { value: "NAME", says: "who, for a desk of this machine; by default this machine's user" },
};

/** What the help of such a command says of who did it. */
export const PERSON_NOTES: readonly string[] = [
  "The audit log keeps who and why. Of a stage, who is the ARN of the AWS credentials, as STS says it.",
];

/** Returns why, as the command line says. @throws UsageError when it says nothing */
export function reasonOf(given: Arguments): string {
  const reason = given.text("reason")?.trim() ?? "";
  if (reason === "") throw new UsageError('--reason is missing: say why, as --reason "the venue is down"');
  return reason;
}

/** Returns who: of a stage the caller's ARN, else the name that is given, or this machine's user. @throws UsageError */
export async function actorOf(given: Arguments, stage: Stage | undefined): Promise<string> {
  const named = given.text("actor");
  if (stage === undefined) return named ?? userInfo().username;
  if (named !== undefined) throw new UsageError("--actor is for a desk of this machine; a stage's is the caller's ARN");
  const client = new STSClient({});
  try {
    const { Arn } = await client.send(new GetCallerIdentityCommand({}));
    return Arn ?? "unknown"; // STS answers a valid call with an ARN
  } finally {
    client.destroy();
  }
}
