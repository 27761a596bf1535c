import { Validations } from "aws-cdk-lib";
import type { IConstruct } from "constructs";

interface Finding {
  readonly id: string;
  readonly reason: string;
}

const finding = (id: string, reason: string): Finding => ({ id: `AwsSolutions-${id}`, reason });

/** Findings of cdk-nag that stay, each with the reason. Any other fails the tests. */
const FINDINGS = {
  networkInterfaces: [
    finding(
      "IAM5[Resource::*]",
      "Lambda attaches network interfaces with these calls, which take no narrower resource; the function's own code is denied them.",
    ),
  ],
  trigger: [
    finding(
      "IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]",
      "CDK's own provider, which invokes the migration during a deploy, writes its log with it.",
    ),
    finding("L1", "CDK's own provider; its runtime is the one that this version of CDK chose."),
  ],
  firewallArn: [
    finding(
      "IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]",
      "CDK's own provider, which reads the firewall's ARN during a deploy, writes its log with it.",
    ),
    finding("L1", "CDK's own provider; its runtime is the one that this version of CDK chose."),
  ],
  postgresPort: [finding("RDS11", "The port is closed by security groups; another number would hide nothing.")],
  deletable: [finding("RDS10", "Only live is kept against deletion; the other stages are meant to be removed.")],
  originSecret: [
    finding(
      "SMG4",
      "CloudFront holds a copy that only a deploy can change. To change it: put a new value, then deploy within a day (docs/runbook.md).",
    ),
  ],
  controlObject: [
    finding("SMG4", "It holds no credential: it is a second kill switch, and a new value of it is a change of that."),
  ],
  heads: [
    finding(
      "S1",
      "One object a day, by one function; who read or wrote it is in CloudTrail where the account has that.",
    ),
  ],
  noLogin: [
    finding(
      "APIG4",
      "The routes have no login yet: the firewall, or a function in its place, lets in the target's viewers only, and a route answers CloudFront only.",
    ),
  ],
  distribution: [
    finding("CFR1", "Who may look is said by address, not by country."),
    finding("CFR3", "The firewall's log holds every request, the API's access log each that was let in."),
    finding(
      "CFR4",
      "The domain is CloudFront's own, whose certificate cannot name a TLS version; a domain of one's own can.",
    ),
  ],
} as const satisfies Record<string, readonly Finding[]>;

/** Accepts the findings of one kind at a construct and what it holds. */
export function acknowledge(construct: IConstruct, kind: keyof typeof FINDINGS): void {
  Validations.of(construct).acknowledge(...FINDINGS[kind]);
}
