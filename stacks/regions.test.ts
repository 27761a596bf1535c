import { App } from "aws-cdk-lib";
import { Code } from "aws-cdk-lib/aws-lambda";
import { expect, test } from "vitest";
import { allResources, aTarget, flat, synthesise } from "#testing/synthesise";
import { buildStacks } from "./index.ts";
import { regionsOf } from "./site.ts";
import { TargetError } from "./target.ts";

const target = aTarget({ stage: "dev", database: "external" });

/** Returns the names of the stacks that a host of one region builds. */
function stacksIn(region: string, of = target): string[] {
  const app = new App({ context: { "aws:cdk:bundling-stacks": [] }, analyticsReporting: false });
  buildStacks(app, of, { region, codeOf: () => Code.fromInline("export const handler = async () => null;") });
  return app.node.children.map(({ node }) => node.id.replace("dev-spyhop-", "")).filter((id) => id !== "Tree");
}

test("the firewall's region comes before the rest's, and each builds its own stacks", () => {
  expect(regionsOf(target)).toEqual(["us-east-1", "eu-central-1"]);
  expect(stacksIn("us-east-1")).toEqual(["firewall"]);
  expect(stacksIn("eu-central-1")).toEqual(["secrets", "release", "pipeline", "api", "alarms"]);
});

test("a target in CloudFront's own region has one, and all its stacks there", () => {
  const there = aTarget({ stage: "dev", database: "external", region: "us-east-1" });
  expect(regionsOf(there)).toEqual(["us-east-1"]);
  expect(stacksIn("us-east-1", there)).toEqual(["firewall", "secrets", "release", "pipeline", "api", "alarms"]);
});

test("a target without a firewall of AWS's has one region", () => {
  const without = aTarget({ stage: "dev", database: "external", firewall: "function" });
  expect(regionsOf(without)).toEqual(["eu-central-1"]);
  expect(stacksIn("eu-central-1", without)).toEqual(["secrets", "release", "pipeline", "api", "alarms"]);
  expect(() => stacksIn("us-east-1", without)).toThrow("dev has no stacks in us-east-1; it has some in eu-central-1");
});

test("a region without stacks is refused by name", () => {
  expect(() => stacksIn("eu-west-1")).toThrow(TargetError);
  expect(() => stacksIn("eu-west-1")).toThrow("dev has no stacks in eu-west-1; it has some in us-east-1, eu-central-1");
});

test("the API's stack reads the firewall's ARN where the firewall's stack says it, may read nothing else, and comes after it", () => {
  const made = synthesise(target);
  const all = [...allResources(made)];
  const [said] = all.filter(([, { Type }]) => Type === "AWS::SSM::Parameter");
  expect(said?.[0]).toMatch(/^firewall\//);
  expect(flat(said?.[1].Properties.Value)).toMatch(/^<WebAcl\.Arn>$/);
  const [read] = all.filter(([, { Type }]) => Type === "Custom::AWS");
  expect(read?.[0]).toMatch(/^api\//);
  const call = JSON.parse(flat(read?.[1].Properties.Create ?? read?.[1].Properties.Update)) as object;
  const Name = said?.[1].Properties.Name;
  expect(call).toMatchObject({ service: "SSM", action: "getParameter", region: "us-east-1", parameters: { Name } });
  const policies = all.filter(([id, { Type }]) => Type === "AWS::IAM::Policy" && id.includes("FirewallArn"));
  expect(policies.map(([, { Properties }]) => JSON.stringify(Properties))).toEqual([
    expect.stringMatching(/"ssm:GetParameter".*:ssm:us-east-1:.*:parameter\/spyhop\/firewalls\/dev-spyhop-firewall"/),
  ]);
  expect(made.stacks.get("api")?.dependencies).toContain(made.stacks.get("firewall"));
});
