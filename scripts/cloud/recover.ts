import { setTimeout as pause } from "node:timers/promises";
import {
  CloudFormationClient,
  ContinueUpdateRollbackCommand,
  paginateDescribeStackEvents,
  paginateDescribeStacks,
  type StackEvent,
  waitUntilStackRollbackComplete,
} from "@aws-sdk/client-cloudformation";
import { named } from "#topology/names";
import type { Target } from "../../stacks/target.ts";

/** A stack whose update failed, and whose way back failed too. CloudFormation refuses every deploy of it. */
export interface StuckStack {
  readonly region: string;
  readonly name: string;
  /** What would not go back, by logical id, with CloudFormation's reasons. */
  readonly failed: readonly FailedResource[];
}

interface FailedResource {
  readonly id: string;
  readonly reason: string;
  /**
   * The call of `migrate-schema` is left as it is: its way back would run the old release's migrations, which refused the
   * schema, and the deploy that follows calls the new release's. Everything else is tried again.
   */
  readonly isSkipped: boolean;
}

/** A stage cannot be brought back from here, or not yet. The message says what a person is to do. */
export class RecoveryError extends Error {
  override name = "RecoveryError";
}

/** CloudFormation answers before it begins. */
const BEGINS_MS = 2000;
const MOST_SECONDS = 3600;
// A resource type of the CDK's own. Source: aws-cdk-lib/triggers.
const MIGRATION = "Custom::Trigger";

/** CloudFront's firewall is in us-east-1 wherever the rest is. */
const regionsOf = ({ region }: Target): string[] => [...new Set([region, "us-east-1"])];

/**
 * Returns the stacks of a stage that are stuck, by region and name.
 * @throws RecoveryError while one of them is still at work.
 */
export async function stuckStacks(target: Target): Promise<StuckStack[]> {
  const found: StuckStack[] = [];
  for (const region of regionsOf(target)) {
    const client = new CloudFormationClient({ region });
    try {
      for await (const { Stacks = [] } of paginateDescribeStacks({ client }, {})) {
        for (const { StackName: name = "", StackStatus: status = "" } of Stacks) {
          if (!name.startsWith(named(target.stage, ""))) continue;
          if (status.endsWith("_IN_PROGRESS"))
            throw new RecoveryError(`${name} is at work (${status}). Wait until it is done, then run this again`);
          if (status === "UPDATE_ROLLBACK_FAILED")
            found.push({ region, name, failed: await failedResources(client, name) });
        }
      }
    } finally {
      client.destroy();
    }
  }
  return found;
}

/** Reads the events of the last way back, newest first, to where it began. */
async function failedResources(client: CloudFormationClient, StackName: string): Promise<FailedResource[]> {
  const failed = new Map<string, FailedResource>();
  for await (const { StackEvents = [] } of paginateDescribeStackEvents({ client }, { StackName })) {
    for (const event of StackEvents) {
      const { LogicalResourceId: id = "", ResourceStatus: status, ResourceStatusReason: reason = "" } = event;
      if (isOf(event, StackName) && status === "UPDATE_ROLLBACK_IN_PROGRESS") return [...failed.values()];
      if (status !== "UPDATE_FAILED" || isOf(event, StackName) || failed.has(id)) continue;
      failed.set(id, { id, reason, isSkipped: event.ResourceType === MIGRATION });
    }
  }
  return [...failed.values()];
}

const isOf = ({ LogicalResourceId, ResourceType }: StackEvent, StackName: string): boolean =>
  LogicalResourceId === StackName && ResourceType === "AWS::CloudFormation::Stack";

/** Returns what `recover` would do with a stack, as a person reads it. */
export const recoveryText = ({ region, name, failed }: StuckStack): string =>
  [
    `${name} in ${region} is stuck between two releases (UPDATE_ROLLBACK_FAILED):`,
    ...failed.map(
      ({ id, reason, isSkipped }) => `  ${isSkipped ? "leaves as it is" : "tries again"}: ${id}, ${reason.trim()}`,
    ),
  ].join("\n");

/**
 * Brings a stuck stack back to its last whole release (UPDATE_ROLLBACK_COMPLETE), from where it can be deployed.
 * @throws RecoveryError when something fails to go back once more.
 */
export async function recover({ region, name, failed }: StuckStack): Promise<void> {
  const client = new CloudFormationClient({ region });
  try {
    const ResourcesToSkip = failed.filter(({ isSkipped }) => isSkipped).map(({ id }) => id);
    await client.send(new ContinueUpdateRollbackCommand({ StackName: name, ResourcesToSkip }));
    await pause(BEGINS_MS);
    await waitUntilStackRollbackComplete(
      { client, maxWaitTime: MOST_SECONDS, minDelay: 2, maxDelay: 15 },
      { StackName: name },
    );
  } catch (cause) {
    const left = (await failedResources(client, name)).map(({ id, reason }) => `${id}: ${reason.trim()}`);
    if (left.length === 0) throw cause;
    throw new RecoveryError(
      `${name} did not go back: ${left.join("; ")}. Repair what that says in the account, then run this again`,
      { cause },
    );
  } finally {
    client.destroy();
  }
}
