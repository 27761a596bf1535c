import { describe, expect, test } from "vitest";
import { allResources, aTarget, flat, type Resource, synthesise } from "#testing/synthesise";
import type { Target } from "./target.ts";

// What a target file asks for beside its stage and its database, and what is not there where it does not.
const PLAIN = { stage: "dev", database: "external" } as const;

function made(fields: Partial<Target> & Pick<Target, "stage" | "database">) {
  const synthesised = synthesise(aTarget(fields));
  const all = [...allResources(synthesised).values()];
  const outputs = [...synthesised.templates.values()].flatMap(({ Outputs }) => Object.entries(Outputs ?? {}));
  return {
    stacks: [...synthesised.stacks.keys()],
    ofType: (type: string): Resource[] => all.filter(({ Type }) => Type === type),
    functions: all.filter(({ Type, Properties }) => Type === "AWS::Lambda::Function" && Properties.FunctionName),
    outputs: outputs.filter(([name]) => name.startsWith("EgressAddress")),
  };
}
const inNetwork = (functions: readonly Resource[]): string[] =>
  functions.filter(({ Properties }) => Properties.VpcConfig).map(({ Properties }) => String(Properties.FunctionName));

describe("staticEgress", () => {
  test("has what talks to the exchange, and nothing else, stand behind one address, which an output says", () => {
    const { ofType, functions, outputs, stacks } = made({ ...PLAIN, staticEgress: true });
    expect(stacks).toContain("egress");
    expect(ofType("AWS::EC2::NatGateway")).toHaveLength(1);
    expect(ofType("AWS::EC2::EIP")).toHaveLength(1);
    expect(inNetwork(functions).toSorted()).toEqual([
      "dev-spyhop-plan-order",
      "dev-spyhop-protect-position",
      "dev-spyhop-reconcile-orders",
      "dev-spyhop-submit-order",
    ]);
    expect(outputs).toHaveLength(1);
    expect(flat((outputs[0]![1] as { Value: unknown }).Value)).toMatch(/^<VpcnatSubnet1EIP\w+>$/);
    for (const { Properties } of ofType("AWS::IAM::Role"))
      if (JSON.stringify(Properties).includes("ec2:CreateNetworkInterface"))
        expect(JSON.stringify(Properties)).toContain("lambda:SourceFunctionArn");
  });

  test("is not there unless it is asked for; Aurora's network says its addresses, one a gateway", () => {
    const plain = made(PLAIN);
    expect([plain.stacks.includes("egress"), plain.outputs.length, inNetwork(plain.functions)]).toEqual([false, 0, []]);
    expect(plain.ofType("AWS::EC2::NatGateway")).toEqual([]);
    const live = made({ stage: "live", database: "aurora", staticEgress: true });
    expect(live.stacks).not.toContain("egress");
    expect(live.outputs.map(([name]) => name)).toEqual(["EgressAddress1", "EgressAddress2"]);
  });
});

test("a firewall logs every request for as long as the target says, and not what would let somebody in", () => {
  const { ofType } = made({ ...PLAIN, firewall: "waf", logDays: 90 });
  const [logging] = ofType("AWS::WAFv2::LoggingConfiguration");
  expect(flat(logging?.Properties.LogDestinationConfigs)).toMatch(/:log-group:<Requests\w+>$/);
  expect(logging?.Properties.RedactedFields).toEqual([
    { SingleHeader: { Name: "authorization" } },
    { SingleHeader: { Name: "cookie" } },
  ]);
  const kept = (name: string): unknown =>
    ofType("AWS::Logs::LogGroup").find(({ Properties }) => Properties.LogGroupName === name)?.Properties
      .RetentionInDays;
  expect([kept("aws-waf-logs-dev-spyhop-firewall"), kept("/spyhop/dev/api")]).toEqual([90, 90]);
});

test("without a firewall a function at the edge lets in the viewers alone, and live and demo keep the firewall", () => {
  const { ofType, stacks } = made({ ...PLAIN, firewall: "function", viewers: ["203.0.113.7/32"] });
  expect(stacks).not.toContain("firewall");
  expect(ofType("AWS::WAFv2::WebACL")).toEqual([]);
  const [guard] = ofType("AWS::CloudFront::Function");
  expect(guard?.Properties.FunctionCode).toMatch(/^var VIEWERS = \[\[\[203,0,113,7\],32\]\];/);
  expect(guard?.Properties.AutoPublish).toBe(true);
  const [distribution] = ofType("AWS::CloudFront::Distribution");
  const { DefaultCacheBehavior, WebACLId } = distribution!.Properties.DistributionConfig as Record<string, unknown>;
  expect(WebACLId).toBeUndefined();
  const { FunctionAssociations } = DefaultCacheBehavior as { FunctionAssociations: { EventType: string }[] };
  expect(FunctionAssociations.map(({ EventType }) => EventType)).toEqual(["viewer-request"]);
  const walled = made({ ...PLAIN, stage: "demo" });
  expect([walled.ofType("AWS::WAFv2::WebACL").length, walled.ofType("AWS::CloudFront::Function").length]).toEqual([
    1, 0,
  ]);
});

test("a budget tells the alarms' address at 80 and 100 % and of a forecast; without one there is none", () => {
  const { ofType } = made({ ...PLAIN, budgetUsd: 60, alarmEmail: "desk@example.com" });
  const [budget] = ofType("AWS::Budgets::Budget");
  expect(budget?.Properties.Budget).toEqual({
    BudgetName: "dev-spyhop-budget",
    BudgetType: "COST",
    TimeUnit: "MONTHLY",
    BudgetLimit: { Amount: 60, Unit: "USD" },
  });
  const told = budget?.Properties.NotificationsWithSubscribers as {
    Notification: { NotificationType: string; Threshold: number };
    Subscribers: unknown;
  }[];
  expect(told.map(({ Notification: { NotificationType, Threshold } }) => [NotificationType, Threshold])).toEqual([
    ["ACTUAL", 80],
    ["ACTUAL", 100],
    ["FORECASTED", 100],
  ]);
  for (const { Subscribers } of told)
    expect(Subscribers).toEqual([{ SubscriptionType: "EMAIL", Address: "desk@example.com" }]);
  expect(made(PLAIN).ofType("AWS::Budgets::Budget")).toEqual([]);
});

test("an emulator is spared what it cannot take", () => {
  const { ofType } = made({
    ...PLAIN,
    emulator: true,
    firewall: "function",
    budgetUsd: 60,
    alarmEmail: "a@example.com",
  });
  for (const type of ["AWS::Budgets::Budget", "AWS::CloudFront::Function", "AWS::WAFv2::LoggingConfiguration"])
    expect(ofType(type), type).toEqual([]);
});
