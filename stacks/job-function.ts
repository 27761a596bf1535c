import { Duration, Stack } from "aws-cdk-lib";
import type { IVpc } from "aws-cdk-lib/aws-ec2";
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Architecture, Function as LambdaFunction, Runtime } from "aws-cdk-lib/aws-lambda";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import { functionName } from "#topology/functions";
import type { Job, Need } from "#topology/job";
import { deployedName } from "#topology/names";
import { acknowledge } from "./acknowledged.ts";
import { environmentOf } from "./environment.ts";
import { type Granted, grantsOf, networkGrants } from "./grants.ts";
import { type AuroraSite, type Place, removalOf, type Site } from "./site.ts";

/** A job, and how its function is reached. */
export interface FunctionOf extends Granted, Pick<Job, "consumer" | "timeoutSeconds" | "memoryMb"> {}

export interface JobFunctionProps {
  readonly site: Site;
  readonly aurora: AuroraSite | null;
  readonly job: FunctionOf;
  /** Returns the URL of a queue that the job sends to. */
  readonly queueUrl: (name: string) => string;
}

/** A place and its network. */
interface Standing extends Place {
  readonly vpc: IVpc;
}

const ONLINE: readonly Need[] = ["rpc", "market", "exchange"];
const STORED: readonly Need[] = ["database", "schema"];

/** Where a job's function stands: outside of any network unless Aurora is in one, or the exchange wants one address. */
function placeOf({ needs }: Granted, aurora: AuroraSite | null, { egress }: Site): Standing | null {
  if (aurora === null)
    return egress !== null && needs.includes("exchange") ? { vpc: egress.vpc, ...egress.place } : null;
  if (!needs.some((need) => STORED.includes(need))) return null;
  const { vpc, internet, isolated } = aurora.places;
  return { vpc, ...(needs.some((need) => ONLINE.includes(need)) ? internet : isolated) };
}

/** One job as one Lambda function, with a role, a log group and an environment of its own. */
export class JobFunction extends Construct {
  readonly lambda: LambdaFunction;

  constructor(scope: Construct, id: string, { site, aurora, job, queueUrl }: JobFunctionProps) {
    super(scope, id);
    const { target, recordBucket = null } = site;
    const jobName = functionName(job.consumer);
    const name = deployedName(target.stage, jobName);
    const place = placeOf(job, aurora, site);
    const logGroup = new LogGroup(this, "Log", {
      logGroupName: `/aws/lambda/${name}`,
      retention: target.stage === "live" ? RetentionDays.SIX_MONTHS : RetentionDays.TWO_WEEKS,
      removalPolicy: removalOf(target),
    });
    const functionArn = Stack.of(this).formatArn({ service: "lambda", resource: `function:${name}` });
    const role = new Role(this, "Role", {
      assumedBy: new ServicePrincipal("lambda.amazonaws.com"),
      inlinePolicies: {
        grants: new PolicyDocument({
          statements: [
            new PolicyStatement({
              actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
              resources: [logGroup.logGroupArn],
            }),
            ...grantsOf(job, { stack: Stack.of(this), target, topology: site.topology, aurora, recordBucket }),
            ...(place === null ? [] : networkGrants(functionArn)),
          ],
        }),
      },
    });
    if (place !== null) acknowledge(role, "networkInterfaces");
    this.lambda = new LambdaFunction(this, "Function", {
      functionName: name,
      description: `spyhop ${target.stage}: ${jobName}`,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      handler: "index.handler",
      code: site.codeOf(jobName),
      memorySize: job.memoryMb,
      timeout: Duration.seconds(job.timeoutSeconds),
      environment: {
        ...environmentOf(job, target, aurora, queueUrl),
        ...(job.needs.includes("copy") && recordBucket !== null ? { RECORD_BUCKET: recordBucket.bucketName } : {}),
      },
      role,
      logGroup,
      ...(place === null ? {} : { vpc: place.vpc, vpcSubnets: place.subnets, securityGroups: [place.securityGroup] }),
    });
  }
}
