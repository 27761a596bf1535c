import type { Stack } from "aws-cdk-lib";
import { Aws, RemovalPolicy, Tags } from "aws-cdk-lib";
import type { ISecurityGroup, IVpc, SubnetSelection } from "aws-cdk-lib/aws-ec2";
import type { Code } from "aws-cdk-lib/aws-lambda";
import type { IBucket } from "aws-cdk-lib/aws-s3";
import type { Construct } from "constructs";
import type { Aurora } from "./grants.ts";
import type { Topology } from "./jobs.ts";
import type { Target } from "./target.ts";

/** What every stack of one deployment is given. */
export interface Site {
  readonly target: Target;
  readonly topology: Topology;
  /** Returns the code of a job's function: its bundle, or a test's stand-in. */
  readonly codeOf: (job: string) => Code;
  /** Where functions that talk to the exchange stand, when they have a network to themselves for its address; else null. */
  readonly egress: Egress | null;
  /** Where heads of the records are kept; null or left out where the target has none. */
  readonly recordBucket?: IBucket | null;
}

/** A network behind one address, beside an external database. */
export interface Egress {
  readonly vpc: IVpc;
  readonly place: Place;
}

/** Where a function stands in the network, by whether it talks to the internet. */
export interface Places {
  readonly vpc: IVpc;
  readonly isolated: Place;
  readonly internet: Place;
}

export interface Place {
  readonly subnets: SubnetSelection;
  readonly securityGroup: ISecurityGroup;
}

/** Aurora and its network, as a function needs to know them. */
export interface AuroraSite extends Aurora {
  readonly places: Places;
  readonly name: string;
  /** The proxy, for all but migrations. */
  readonly host: string;
  /** The cluster's writer, for migrations. */
  readonly ownerHost: string;
}

/** Keeps what holds state when its stack goes, in live; elsewhere it goes too. */
export const removalOf = ({ stage }: Target): RemovalPolicy =>
  stage === "live" ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;

/** Where CloudFront's firewalls live, whatever the region of the rest. */
export const CLOUDFRONT_REGION = "us-east-1";

/** Returns whether a firewall of AWS's stands in front of the API. */
export const hasFirewall = ({ firewall }: Target): boolean => firewall === "waf";

/** Returns the regions in which a target's stacks stand, in the order in which they deploy: the firewall's goes first. */
export const regionsOf = (target: Target): readonly string[] => [
  ...new Set([...(hasFirewall(target) ? [CLOUDFRONT_REGION] : []), target.region]),
];

/** Returns where a stack goes: whatever account deploys it, though SST would write that account's number in. */
export const inAccount = (region: string) => ({ account: Aws.ACCOUNT_ID, region });

/** Returns the properties that every stack has: its region, and in live a guard against deletion. */
export const stackProps = ({ stage, region }: Target, description: string) => ({
  description,
  env: inAccount(region),
  terminationProtection: stage === "live",
});

/** Marks a stack's resources, so that a bill can be read by stage. */
export function tag(stack: Stack, { stage }: Target): void {
  Tags.of(stack as Construct).add("project", "spyhop");
  Tags.of(stack as Construct).add("stage", stage);
}
