import { type App, Stack } from "aws-cdk-lib";
import {
  GatewayVpcEndpointAwsService,
  InterfaceVpcEndpoint,
  InterfaceVpcEndpointAwsService,
  type ISecurityGroup,
  type IVpc,
  Peer,
  Port,
  SecurityGroup,
  type SubnetConfiguration,
  SubnetType,
} from "aws-cdk-lib/aws-ec2";
import { AnyPrincipal, PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { IBucket } from "aws-cdk-lib/aws-s3";
import { named } from "#topology/names";
import { addNetwork } from "./egress.ts";
import { type Places, type Site, stackProps, tag } from "./site.ts";

/** The AWS services that functions without internet call: through endpoints inside the network. */
const SERVICES = {
  sqs: InterfaceVpcEndpointAwsService.SQS,
  events: InterfaceVpcEndpointAwsService.EVENTBRIDGE,
  secrets: InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
};

const POSTGRES = Port.tcp(5432);
const HTTPS = Port.tcp(443);

const WITHOUT_A_WAY_OUT: readonly SubnetConfiguration[] = [
  { name: "isolated", subnetType: SubnetType.PRIVATE_ISOLATED, cidrMask: 22 },
  { name: "database", subnetType: SubnetType.PRIVATE_ISOLATED, cidrMask: 26 },
];

/**
 * The network of Aurora. Functions that only store and send stand in subnets without a way out; those that talk to
 * nodes or to the venue stand in subnets behind NAT; the database stands in its own.
 * Why so, and what it costs: docs/decisions/0008-network-and-hosts.md.
 */
export class NetworkStack extends Stack {
  readonly places: Places;
  readonly proxyGroup: ISecurityGroup;
  readonly databaseGroup: ISecurityGroup;

  constructor(app: App, { target, recordBucket }: Site) {
    super(app, named(target.stage, "network"), stackProps(target, "Spyhop: the network of the database"));
    tag(this, target);
    const vpc = addNetwork(this, target, "10.20.0.0/16", WITHOUT_A_WAY_OUT);
    const group = (name: string, description: string): SecurityGroup =>
      new SecurityGroup(this, name, { vpc, description, allowAllOutbound: false });
    const isolated = group("Isolated", "functions without internet");
    const internet = group("Internet", "functions that talk to nodes or to the venue");
    const endpoints = group("Endpoints", "endpoints of AWS services");
    const proxy = group("Proxy", "the pooler in front of the database");
    const database = group("Database", "the database");
    internet.addEgressRule(Peer.anyIpv4(), HTTPS, "nodes and the venue");
    for (const functions of [isolated, internet]) {
      open(functions, endpoints, HTTPS, "AWS services");
      open(functions, proxy, POSTGRES, "queries");
    }
    open(proxy, database, POSTGRES, "pooled queries");
    open(isolated, database, POSTGRES, "migrations, past the pooler");
    this.#addEndpoints(vpc, endpoints, target.stage === "live");
    if (recordBucket) {
      this.#addBucketEndpoint(vpc, recordBucket);
      // By address S3 is anywhere; from these subnets no other way leads out.
      isolated.addEgressRule(Peer.anyIpv4(), HTTPS, "the copy of the records");
    }
    this.places = {
      vpc,
      isolated: { subnets: { subnetGroupName: "isolated" }, securityGroup: isolated },
      internet: { subnets: { subnetGroupName: "internet" }, securityGroup: internet },
    };
    this.proxyGroup = proxy;
    this.databaseGroup = database;
  }

  /** A way to one bucket of S3, which costs nothing. */
  #addBucketEndpoint(vpc: IVpc, bucket: IBucket): void {
    const endpoint = vpc.addGatewayEndpoint("Endpoint-s3", {
      service: GatewayVpcEndpointAwsService.S3,
      subnets: [{ subnetGroupName: "isolated" }],
    });
    endpoint.addToPolicy(
      new PolicyStatement({
        principals: [new AnyPrincipal()],
        actions: ["s3:PutObject", "s3:GetObject", "s3:GetObjectVersion", "s3:ListBucketVersions"],
        resources: [bucket.bucketArn, bucket.arnForObjects("*")],
      }),
    );
  }

  /** In live one per zone; elsewhere one, which the other zone reaches too: each costs by the hour. */
  #addEndpoints(vpc: IVpc, securityGroup: ISecurityGroup, live: boolean): void {
    const { subnets } = vpc.selectSubnets({ subnetGroupName: "isolated" });
    for (const [name, service] of Object.entries(SERVICES)) {
      new InterfaceVpcEndpoint(this, `Endpoint-${name}`, {
        vpc,
        service,
        subnets: { subnets: live ? subnets : subnets.slice(0, 1) },
        securityGroups: [securityGroup],
        privateDnsEnabled: true,
        open: false,
      });
    }
  }
}

function open(from: SecurityGroup, to: SecurityGroup, port: Port, why: string): void {
  to.addIngressRule(from, port, why);
  from.addEgressRule(to, port, why);
}
