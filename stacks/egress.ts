import { type App, CfnOutput, Stack } from "aws-cdk-lib";
import {
  type CfnEIP,
  FlowLogDestination,
  FlowLogTrafficType,
  IpAddresses,
  type ISubnet,
  type IVpc,
  SecurityGroup,
  type SubnetConfiguration,
  SubnetType,
  Vpc,
} from "aws-cdk-lib/aws-ec2";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import type { Construct } from "constructs";
import { named } from "#topology/names";
import { type Egress, removalOf, type Site, stackProps, tag } from "./site.ts";

/** NAT gateways stand in public subnets of their own, the functions in private ones behind them. */
const BEHIND_NAT: readonly SubnetConfiguration[] = [
  { name: "nat", subnetType: SubnetType.PUBLIC, cidrMask: 26, mapPublicIpOnLaunch: false },
  { name: "internet", subnetType: SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 22 },
];

/**
 * Adds a network with a way out through NAT, what it refuses logged. Each NAT gateway has an address that stays, and an
 * output `EgressAddress…` says it: what the exchange's key list takes. One gateway, in live one a zone.
 */
export function addNetwork(
  stack: Stack,
  target: Site["target"],
  cidr: string,
  more: readonly SubnetConfiguration[] = [],
): IVpc {
  const natGateways = target.stage === "live" ? 2 : 1;
  const vpc = new Vpc(stack, "Vpc", {
    vpcName: stack.stackName,
    ipAddresses: IpAddresses.cidr(cidr),
    maxAzs: 2,
    natGateways,
    subnetConfiguration: [...BEHIND_NAT, ...more],
  });
  const logGroup = new LogGroup(stack, "Refused", {
    retention: RetentionDays.TWO_WEEKS,
    removalPolicy: removalOf(target),
  });
  vpc.addFlowLog("Refused", {
    destination: FlowLogDestination.toCloudWatchLogs(logGroup),
    trafficType: FlowLogTrafficType.REJECT,
  });
  for (const [i, subnet] of vpc.publicSubnets.slice(0, natGateways).entries())
    new CfnOutput(stack, `EgressAddress${i + 1}`, {
      value: addressOf(subnet),
      description: "Requests to the exchange come from here: bind its API key to it",
    });
  return vpc as IVpc; // CDK's classes and interfaces disagree under exactOptionalPropertyTypes
}

/** CDK keeps the address of a subnet's NAT gateway under this name, and `Ref` of one is the address itself. */
const addressOf = (subnet: ISubnet): string => ((subnet as Construct & ISubnet).node.findChild("EIP") as CfnEIP).ref;

/**
 * A network for the functions that talk to the exchange, where the database is external and so has none: their requests then
 * come from one address. They reach AWS and the database through it as well.
 */
export class EgressStack extends Stack {
  readonly egress: Egress;

  constructor(app: App, { target }: Pick<Site, "target">) {
    super(app, named(target.stage, "egress"), stackProps(target, "Spyhop: the address that the exchange sees"));
    tag(this, target);
    const vpc = addNetwork(this, target, "10.21.0.0/20");
    const securityGroup = new SecurityGroup(this, "Internet", {
      vpc,
      description: "functions that talk to the exchange",
      allowAllOutbound: true, // the external database's port is anybody's choice
    });
    this.egress = { vpc, place: { subnets: { subnetGroupName: "internet" }, securityGroup } };
  }
}
