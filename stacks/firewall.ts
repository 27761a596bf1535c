import { type App, Arn, ArnFormat, Stack } from "aws-cdk-lib";
import { LogGroup, type RetentionDays } from "aws-cdk-lib/aws-logs";
import { StringParameter } from "aws-cdk-lib/aws-ssm";
import { CfnIPSet, CfnLoggingConfiguration, CfnWebACL } from "aws-cdk-lib/aws-wafv2";
import { AwsCustomResource, AwsCustomResourcePolicy, PhysicalResourceId } from "aws-cdk-lib/custom-resources";
import { named, type Stage } from "#topology/names";
import { acknowledge } from "./acknowledged.ts";
import { CLOUDFRONT_REGION, inAccount, removalOf, type Site, stackProps, tag } from "./site.ts";
import type { Target } from "./target.ts";

/** Requests of one address in five minutes; a person with a dashboard makes a tenth. */
const REQUESTS = 600;

type Rule = Omit<CfnWebACL.RuleProperty, "priority" | "visibilityConfig">;

const MANAGED = ["AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet"];

const allowing = (sets: readonly CfnIPSet[]): Rule => ({
  name: "viewers",
  action: { allow: {} },
  statement: { orStatement: { statements: sets.map((set) => ({ ipSetReferenceStatement: { arn: set.attrArn } })) } },
});

const aclName = (stage: Stage): string => named(stage, "firewall");

/** Where the firewall says its ARN, in its own region. It bears the firewall's name, so that one of another name is read anew. */
const parameterName = (stage: Stage): string => `/spyhop/firewalls/${aclName(stage)}`;

/**
 * Returns the ARN of the stage's firewall as `stack`, in any region, reads it while it deploys: the firewall's stack must
 * stand. AWS makes the ARN up, and an export of CloudFormation ends at its region.
 */
export function webAclArnIn(stack: Stack, target: Target): string {
  const Name = parameterName(target.stage);
  const parameter = { service: "ssm", region: CLOUDFRONT_REGION, resource: "parameter", resourceName: Name.slice(1) };
  const read = new AwsCustomResource(stack, "FirewallArn", {
    onUpdate: {
      service: "SSM",
      action: "getParameter",
      parameters: { Name },
      region: CLOUDFRONT_REGION,
      outputPaths: ["Parameter.Value"],
      physicalResourceId: PhysicalResourceId.of(Name),
    },
    policy: AwsCustomResourcePolicy.fromSdkCalls({ resources: [Arn.format(parameter, stack)] }),
    installLatestAwsSdk: false,
    logGroup: new LogGroup(stack, "FirewallArnLog", {
      logGroupName: `/spyhop/${target.stage}/firewall-arn`,
      retention: target.logDays satisfies RetentionDays,
      removalPolicy: removalOf(target),
    }),
  });
  const provider = stack.node.tryFindChild(`AWS${AwsCustomResource.PROVIDER_FUNCTION_UUID.replaceAll("-", "")}`);
  if (provider) acknowledge(provider, "firewallArn");
  return read.getResponseField("Parameter.Value");
}

/** The firewall in front of the API. It lets in the target's `viewers` and nobody else: the routes have no login. */
export class FirewallStack extends Stack {
  constructor(app: App, { target }: Pick<Site, "target">) {
    super(app, named(target.stage, "firewall"), {
      ...stackProps(target, "Spyhop: the firewall in front of the API"),
      env: inAccount(CLOUDFRONT_REGION),
    });
    tag(this, target);
    const measured = (metricName: string): CfnWebACL.VisibilityConfigProperty => ({
      metricName,
      cloudWatchMetricsEnabled: true,
      sampledRequestsEnabled: true,
    });
    // The emulator has no sets of addresses; nobody gets past its firewall.
    const viewers = target.emulator ? [] : [this.#addViewers(target, "IPV4"), this.#addViewers(target, "IPV6")];
    const rules: Rule[] = [
      {
        name: "rate",
        action: { block: {} },
        statement: { rateBasedStatement: { limit: REQUESTS, aggregateKeyType: "IP" } },
      },
      ...MANAGED.map((name) => ({
        name,
        overrideAction: { none: {} },
        statement: { managedRuleGroupStatement: { vendorName: "AWS", name } },
      })),
      ...(viewers.length === 0 ? [] : [allowing(viewers)]),
    ];
    const acl = new CfnWebACL(this, "WebAcl", {
      name: aclName(target.stage),
      scope: "CLOUDFRONT",
      defaultAction: { block: {} },
      visibilityConfig: measured(aclName(target.stage)),
      rules: rules.map((rule, priority) => ({
        ...rule,
        priority,
        visibilityConfig: measured(named(target.stage, rule.name)),
      })),
    });
    if (!target.emulator) this.#addLog(target, acl); // which has no such thing
    new StringParameter(this, "Arn", { parameterName: parameterName(target.stage), stringValue: acl.attrArn });
  }

  /** Every request, let in or not, without what would let somebody in. AWS takes a log of no other name. */
  #addLog(target: Site["target"], acl: CfnWebACL): void {
    const { logGroupName } = new LogGroup(this, "Requests", {
      logGroupName: `aws-waf-logs-${named(target.stage, "firewall")}`,
      retention: target.logDays satisfies RetentionDays,
      removalPolicy: removalOf(target),
    });
    new CfnLoggingConfiguration(this, "Logging", {
      resourceArn: acl.attrArn,
      logDestinationConfigs: [
        this.formatArn({
          service: "logs",
          resource: "log-group",
          resourceName: logGroupName,
          arnFormat: ArnFormat.COLON_RESOURCE_NAME,
        }),
      ],
      redactedFields: ["authorization", "cookie"].map((Name) => ({ singleHeader: { Name } })),
    });
  }

  #addViewers({ stage, viewers }: Site["target"], version: "IPV4" | "IPV6"): CfnIPSet {
    return new CfnIPSet(this, `Viewers-${version}`, {
      name: named(stage, `viewers-${version.toLowerCase()}`),
      scope: "CLOUDFRONT",
      ipAddressVersion: version,
      addresses: viewers.filter((cidr) => cidr.includes(":") === (version === "IPV6")),
    });
  }
}
