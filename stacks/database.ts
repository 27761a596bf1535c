import { type App, Duration, Fn, Stack } from "aws-cdk-lib";
import { type ISecurityGroup, SecurityGroup } from "aws-cdk-lib/aws-ec2";
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import {
  AuroraPostgresEngineVersion,
  ClusterInstance,
  Credentials,
  DatabaseCluster,
  DatabaseClusterEngine,
  DatabaseProxy,
  DefaultAuthScheme,
  ParameterGroup,
  ProxyTarget,
} from "aws-cdk-lib/aws-rds";
import { named } from "#topology/names";
import { acknowledge } from "./acknowledged.ts";
import type { NetworkStack } from "./network.ts";
import { type AuroraSite, removalOf, type Site, stackProps, tag } from "./site.ts";

const NAME = "spyhop";
/** Owns the tables; RDS keeps its password and changes it every week. */
const OWNER = "spyhop_owner";
/** What the functions are: reads and writes, owns nothing, has no password. */
const USER = "spyhop_desk";

/**
 * Aurora PostgreSQL Serverless v2 and the proxy in front of it. Functions reach the proxy, over TLS, with IAM tokens in
 * place of a password; the proxy reaches the cluster the same way, so that no password of a function exists.
 * Source: RDS user guide, "Configuring IAM authentication for RDS Proxy" (end-to-end).
 */
export class DatabaseStack extends Stack {
  readonly aurora: AuroraSite;

  constructor(app: App, { target }: Site, network: NetworkStack) {
    super(app, named(target.stage, "database"), stackProps(target, "Spyhop: Aurora PostgreSQL behind RDS Proxy"));
    tag(this, target);
    const cluster = this.#addCluster(target, network);
    const proxy = this.#addProxy(target, network, cluster);
    this.aurora = {
      places: network.places,
      name: NAME,
      user: USER,
      host: proxy.endpoint,
      ownerHost: cluster.clusterEndpoint.hostname,
      ownerSecretArn: cluster.secret?.secretArn ?? "",
      // "arn:aws:rds:REGION:ACCOUNT:db-proxy:prx-…"
      proxyId: Fn.select(6, Fn.split(":", proxy.dbProxyArn)),
    };
  }

  /** The network's stack says who reaches whom; CDK would add rules of its own, and with them a cycle of stacks. */
  #closed(id: string, { securityGroupId }: ISecurityGroup): ISecurityGroup {
    return SecurityGroup.fromSecurityGroupId(this, id, securityGroupId, { mutable: false });
  }

  #addCluster(target: Site["target"], network: NetworkStack): DatabaseCluster {
    const live = target.stage === "live";
    const engine = DatabaseClusterEngine.auroraPostgres({ version: AuroraPostgresEngineVersion.VER_17_7 });
    const clusterIdentifier = named(target.stage, "database");
    const logGroup = new LogGroup(this, "Log", {
      logGroupName: `/aws/rds/cluster/${clusterIdentifier}/postgresql`, // where RDS writes it
      retention: live ? RetentionDays.SIX_MONTHS : RetentionDays.TWO_WEEKS,
      removalPolicy: removalOf(target),
    });
    const cluster = new DatabaseCluster(this, "Cluster", {
      clusterIdentifier,
      engine,
      parameterGroup: new ParameterGroup(this, "Parameters", {
        engine,
        description: "TLS only; slow statements logged, none of their values",
        parameters: { "rds.force_ssl": "1", log_min_duration_statement: "1000", log_parameter_max_length: "0" },
      }),
      defaultDatabaseName: NAME,
      credentials: Credentials.fromUsername(OWNER),
      manageMasterUserPassword: true,
      iamAuthentication: true,
      writer: ClusterInstance.serverlessV2("writer", { enablePerformanceInsights: true }),
      readers: live
        ? [ClusterInstance.serverlessV2("standby", { scaleWithWriter: true, enablePerformanceInsights: true })]
        : [],
      serverlessV2MinCapacity: 0.5,
      serverlessV2MaxCapacity: live ? 8 : 2,
      vpc: network.places.vpc,
      vpcSubnets: { subnetGroupName: "database" },
      securityGroups: [this.#closed("DatabaseGroup", network.databaseGroup)],
      storageEncrypted: true,
      backup: { retention: Duration.days(live ? 35 : 7) },
      cloudwatchLogsExports: ["postgresql"],
      copyTagsToSnapshot: true,
      deletionProtection: live,
      removalPolicy: removalOf(target),
    });
    cluster.node.addDependency(logGroup); // else RDS makes it first, to be kept for ever
    acknowledge(cluster, "postgresPort");
    if (!live) acknowledge(cluster, "deletable");
    return cluster;
  }

  #addProxy(target: Site["target"], network: NetworkStack, cluster: DatabaseCluster): DatabaseProxy {
    const asUser = this.formatArn({
      service: "rds-db",
      resource: `dbuser:${cluster.clusterResourceIdentifier}/${USER}`,
    });
    const role = new Role(this, "ProxyRole", {
      assumedBy: new ServicePrincipal("rds.amazonaws.com"),
      inlinePolicies: {
        connect: new PolicyDocument({
          statements: [new PolicyStatement({ actions: ["rds-db:connect"], resources: [asUser] })],
        }),
      },
    });
    return new DatabaseProxy(this, "Proxy", {
      dbProxyName: named(target.stage, "proxy"),
      proxyTarget: ProxyTarget.fromCluster(cluster),
      vpc: network.places.vpc,
      vpcSubnets: { subnetGroupName: "database" },
      securityGroups: [this.#closed("ProxyGroup", network.proxyGroup)],
      role,
      defaultAuthScheme: DefaultAuthScheme.IAM_AUTH,
      requireTLS: true,
      // A function waits for a session at most as long as it waits for a connection.
      borrowTimeout: Duration.seconds(5),
      idleClientTimeout: Duration.minutes(10),
    });
  }
}
