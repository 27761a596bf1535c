import { type App, ArnFormat, Stack } from "aws-cdk-lib";
import { LogGroup, type RetentionDays } from "aws-cdk-lib/aws-logs";
import { CfnIPSet, CfnLoggingConfiguration, CfnWebACL } from "aws-cdk-lib/aws-wafv2";
import { named } from "#topology/names";
import { inAccount, removalOf, type Site, stackProps, tag } from "./site.ts";

/** Where CloudFront's firewalls live, whatever the region of the rest. */
const CLOUDFRONT_REGION = "us-east-1";

/** Requests of one address in five minutes; a person with a dashboard makes a tenth. */
const REQUESTS = 600;

const MANAGED = ["AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet"];

/** The firewall in front of the API. It lets in the target's `viewers` and nobody else: the routes have no login. */
export class FirewallStack extends Stack {
  readonly webAclArn: string;

  constructor(app: App, { target }: Site) {
    super(app, named(target.stage, "firewall"), {
      ...stackProps(target, "Spyhop: the firewall in front of the API"),
      env: inAccount(CLOUDFRONT_REGION),
      crossRegionReferences: target.region !== CLOUDFRONT_REGION,
    });
    tag(this, target);
    const measured = (metricName: string): CfnWebACL.VisibilityConfigProperty => ({
      metricName,
      cloudWatchMetricsEnabled: true,
      sampledRequestsEnabled: true,
    });
    const v4 = this.#addViewers(target, "IPV4");
    const v6 = this.#addViewers(target, "IPV6");
    const rules: Omit<CfnWebACL.RuleProperty, "priority" | "visibilityConfig">[] = [
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
      {
        name: "viewers",
        action: { allow: {} },
        statement: {
          orStatement: {
            statements: [v4, v6].map((set) => ({ ipSetReferenceStatement: { arn: set.attrArn } })),
          },
        },
      },
    ];
    const acl = new CfnWebACL(this, "WebAcl", {
      name: named(target.stage, "firewall"),
      scope: "CLOUDFRONT",
      defaultAction: { block: {} },
      visibilityConfig: measured(named(target.stage, "firewall")),
      rules: rules.map((rule, priority) => ({
        ...rule,
        priority,
        visibilityConfig: measured(named(target.stage, rule.name)),
      })),
    });
    this.#addLog(target, acl);
    this.webAclArn = acl.attrArn;
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
