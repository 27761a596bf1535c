import { resolve } from "node:path";
import type { App } from "aws-cdk-lib";
import { Code } from "aws-cdk-lib/aws-lambda";
import { AlarmsStack } from "./alarms.ts";
import { ApiStack } from "./api.ts";
import { DatabaseStack } from "./database.ts";
import { EgressStack } from "./egress.ts";
import { FirewallStack } from "./firewall.ts";
import { checkTopology, type Topology, theTopology } from "./jobs.ts";
import { NetworkStack } from "./network.ts";
import { PipelineStack } from "./pipeline.ts";
import { RecordsStack } from "./records.ts";
import { ReleaseStack } from "./release.ts";
import { SecretsStack } from "./secrets.ts";
import { CLOUDFRONT_REGION, hasFirewall, regionsOf, type Site } from "./site.ts";
import { type Target, TargetError } from "./target.ts";

export interface BuildOptions {
  /** The topology, unless a test has another. */
  readonly topology?: Topology;
  /** Returns a job's code; `npm run bundle` puts it where it is looked for. */
  readonly codeOf?: Site["codeOf"];
  /** Of every region that the target has stacks in, these alone: a host may deploy to one only. */
  readonly region?: string;
}

// From the working directory: SST runs these files out of a bundle of its own.
const bundled = (job: string): Code => Code.fromAsset(resolve("dist", "functions", job));

/**
 * Adds every stack of a target to `app`, in the order in which they deploy. SST, the CDK and the tests all call this one.
 * @throws TopologyError, or TargetError for a region in which the target has no stacks, before anything is added.
 */
export function buildStacks(app: App, target: Target, options: BuildOptions = {}): void {
  const base = { target, topology: options.topology ?? theTopology(), codeOf: options.codeOf ?? bundled };
  checkTopology(base.topology);
  const regions = options.region === undefined ? regionsOf(target) : [options.region];
  const stray = regions.find((region) => !regionsOf(target).includes(region));
  if (stray !== undefined)
    throw new TargetError(`${target.stage} has no stacks in ${stray}; it has some in ${regionsOf(target).join(", ")}`);
  // CloudFormation's own schema of every resource is checked while the templates are made.
  app.node.setContext("@aws-cdk/core:validateAgainstDefaultRules", true);
  // A stack cannot drop what another one still uses.
  app.node.setContext("@aws-cdk/core:defaultCrossStackReferences", "strong");
  const firewall = regions.includes(CLOUDFRONT_REGION) && hasFirewall(target) ? new FirewallStack(app, base) : null;
  if (!regions.includes(target.region)) return;
  const isAlone = target.staticEgress && target.database === "external"; // Aurora's network has an address of its own
  const recordBucket = target.auditCopy === null ? null : new RecordsStack(app, target).bucket;
  const site: Site = { ...base, recordBucket, egress: isAlone ? new EgressStack(app, base).egress : null };
  const { origin } = new SecretsStack(app, site);
  const aurora = target.database === "aurora" ? new DatabaseStack(app, site, new NetworkStack(app, site)).aurora : null;
  const release = new ReleaseStack(app, site, aurora);
  const pipeline = new PipelineStack(app, site, aurora);
  const { queueUrl } = pipeline;
  const api = new ApiStack(app, { site, aurora, origin, queueUrl });
  for (const stack of [pipeline, api]) stack.addStackDependency(release);
  if (firewall !== null) api.addStackDependency(firewall); // it reads the firewall's ARN while it deploys
  new AlarmsStack(app, site);
}
