import type { Stack } from "aws-cdk-lib";
import { Effect, PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { IBucket } from "aws-cdk-lib/aws-s3";
import type { Job, Need } from "#topology/job";
import { busName, HEAD_KEYS, HEADS, queueName, type SecretName, SOURCE, type Stage, secretId } from "#topology/names";
import type { Topology } from "./jobs.ts";
import type { Target } from "./target.ts";

/** Aurora as a function sees it. */
export interface Aurora {
  /** The proxy's id, as in the ARN of its users: "prx-0123…". */
  readonly proxyId: string;
  readonly user: string;
  /** The secret of the owner of the tables, which RDS keeps. */
  readonly ownerSecretArn: string;
}

export interface GrantScope {
  readonly stack: Stack;
  readonly target: Target;
  readonly topology: Topology;
  /** Null where the database is external. */
  readonly aurora: Aurora | null;
  /** Null where no head of the records is kept elsewhere. */
  readonly recordBucket: Pick<IBucket, "bucketArn"> | null;
}

/** A job and what beside its needs calls for a grant. */
export interface Granted extends Pick<Job, "needs" | "sends" | "publishes"> {
  /** The queue whose messages it takes. */
  readonly takes: string | null;
  /** It stands behind CloudFront, and compares the origin's secret. */
  readonly behindOrigin: boolean;
}

const allow = (actions: string[], resources: string[]): PolicyStatement => new PolicyStatement({ actions, resources });

/** Returns what the function of a job may do, and nothing that it need not: one statement per reason. */
export function grantsOf(job: Granted, scope: GrantScope): PolicyStatement[] {
  const { needs, sends, publishes, takes } = job;
  return [
    ...(takes === null ? [] : [allow(takeActions(scope.target), [queueArn(takes, scope)])]),
    ...sends.map((to) => allow(sendActions(scope.target), [queueArn(to, scope)])),
    ...(publishes.length === 0 ? [] : [mayPublish(publishes, scope)]),
    ...needs.flatMap((need) => NEEDS[need](scope)),
    ...(job.behindOrigin ? [mayRead("origin", scope)] : []),
  ];
}

/** What a need calls for. A need that is added to the topology does not compile until it is answered here. */
const NEEDS: { readonly [N in Need]: (scope: GrantScope) => PolicyStatement[] } = {
  database: (scope) => [scope.aurora === null ? mayRead("database", scope) : mayConnect(scope.aurora, scope)],
  books: () => [],
  schema: (scope) => [
    scope.aurora === null
      ? mayRead("database", scope)
      : allow(["secretsmanager:GetSecretValue"], [scope.aurora.ownerSecretArn]),
  ],
  rpc: (scope) => [mayRead("rpc", scope)],
  market: () => [],
  exchange: (scope) => [mayRead("exchange", scope)],
  control: (scope) => [mayRead("control", scope), mayWrite("control", scope)],
  copy: ({ recordBucket }) => (recordBucket === null ? [] : mayKeep(recordBucket)),
};

/** To write heads, never over one that is there (the bucket's own policy), and to read each version of them; not to remove. */
const mayKeep = ({ bucketArn }: Pick<IBucket, "bucketArn">): PolicyStatement[] => [
  allow(["s3:PutObject", "s3:GetObject", "s3:GetObjectVersion"], [`${bucketArn}/${HEAD_KEYS}`]),
  new PolicyStatement({
    actions: ["s3:ListBucketVersions"],
    resources: [bucketArn],
    conditions: { StringEquals: { "s3:prefix": HEADS } },
  }),
];

// The first three are the event source's; the last is the function's own, which has what failed delivered again soon.
// Source: Lambda developer guide, "Execution role permissions" of SQS event sources.
const takeActions = ({ emulator }: Target): string[] => [
  "sqs:ReceiveMessage",
  "sqs:DeleteMessage",
  "sqs:GetQueueAttributes",
  "sqs:ChangeMessageVisibility",
  ...(emulator ? ["sqs:ChangeMessageVisibilityBatch"] : []),
];

// AWS checks a batch as sqs:SendMessage; the emulator checks an action that AWS does not have.
const sendActions = ({ emulator }: Target): string[] => [
  "sqs:SendMessage",
  ...(emulator ? ["sqs:SendMessageBatch"] : []),
];

function mayPublish(facts: readonly string[], { stack, target }: GrantScope): PolicyStatement {
  return new PolicyStatement({
    actions: ["events:PutEvents"],
    resources: [stack.formatArn({ service: "events", resource: "event-bus", resourceName: busName(target.stage) })],
    // The emulator knows no condition of EventBridge's, and refuses what has one.
    ...(target.emulator
      ? {}
      : { conditions: { StringEquals: { "events:source": SOURCE, "events:detail-type": [...facts] } } }),
  });
}

/** By name: Secrets Manager ends an ARN in a dash and six characters of its own. */
const mayRead = (name: SecretName, { stack, target }: GrantScope): PolicyStatement =>
  allow(["secretsmanager:GetSecretValue"], [secretArn(stack, target.stage, name)]);

/** To give it a new value: not to make one, to remove one or to say who may read it. */
const mayWrite = (name: SecretName, { stack, target }: GrantScope): PolicyStatement =>
  allow(["secretsmanager:PutSecretValue"], [secretArn(stack, target.stage, name)]);

/** Returns the ARN of a stage's secret as a policy names it, with the six characters that AWS adds left open. */
export const secretArn = (stack: Stack, stage: Stage, name: SecretName): string =>
  stack.formatArn({
    service: "secretsmanager",
    resource: `secret:${secretId(stage, name)}-??????`,
  });

function mayConnect({ proxyId, user }: Aurora, { stack }: GrantScope): PolicyStatement {
  const arn = stack.formatArn({
    service: "rds-db",
    resource: `dbuser:${proxyId}/${user}`,
  });
  return allow(["rds-db:connect"], [arn]);
}

function queueArn(name: string, { stack, target, topology }: GrantScope): string {
  const ordered = topology.queues[name]?.groupBy !== undefined;
  return stack.formatArn({ service: "sqs", resource: queueName(target.stage, name, ordered) });
}

/**
 * Returns what Lambda itself does with the role of a function in a network. These calls take no narrower resource.
 * The second statement keeps the function's own code from making them.
 * Source: Lambda developer guide, "Giving Lambda functions access to resources in an Amazon VPC".
 */
export function networkGrants(functionArn: string): PolicyStatement[] {
  const actions = [
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
  ];
  return [
    allow(actions, ["*"]),
    new PolicyStatement({
      effect: Effect.DENY,
      actions,
      resources: ["*"],
      conditions: { ArnEquals: { "lambda:SourceFunctionArn": functionArn } },
    }),
  ];
}
