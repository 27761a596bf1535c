import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { CostMeasures, usageOf } from "#operations/cost/measures";
import { ASSUMED, costLines, costTable } from "#operations/cost/model";
import { pricesOf } from "#operations/cost/prices";
import { allResources, aTarget, synthesise } from "#testing/synthesise";
import { alarmsOf } from "./alarm-list.ts";
import { theTopology } from "./jobs.ts";

// What `npm run cost` counts is what the stacks have, on either database.
test.each([aTarget({ stage: "dev", database: "external" }), aTarget({ stage: "live", database: "aurora" })])(
  "the bill's alarms, rules, dashboards and secrets are those of the templates: $stage on $database",
  (target) => {
    const all = [...allResources(synthesise(target)).values()];
    const ofType = (type: string) => all.filter(({ Type }) => Type === type);
    expect(ofType("AWS::CloudWatch::Alarm")).toHaveLength(alarmsOf({ target, topology: theTopology() }).length);
    const [acl] = ofType("AWS::WAFv2::WebACL");
    expect(acl?.Properties.Rules).toHaveLength(ASSUMED.wafRules);
    expect(ofType("AWS::CloudWatch::Dashboard")).toHaveLength(1);
    expect(ofType("AWS::EC2::NatGateway")).toHaveLength(target.database === "external" ? 0 : 2);
    // The origin's, and of its owner: nodes, venue, and the database's, which RDS keeps where it is Aurora.
    expect(ofType("AWS::SecretsManager::Secret").length + 3).toBe(ASSUMED.secrets);
  },
);

test("docs/cost.md has the bill as it is (node scripts/cost.ts), and the sums that it names", () => {
  const measures = CostMeasures.parse(JSON.parse(readFileSync("docs/cost-measures.json", "utf8")));
  const document = readFileSync("docs/cost.md", "utf8");
  const billOf = (fields: Parameters<typeof aTarget>[0], idle = false) => {
    const target = aTarget(fields);
    const { stage, database, firewall, staticEgress } = target;
    const alarms = alarmsOf({ target, topology: theTopology() }).length;
    const deployment = { database, live: stage === "live", firewall, staticEgress, alarms, idle };
    return costLines(usageOf(measures, idle), pricesOf(target.region), deployment);
  };
  const sum = (...asked: Parameters<typeof billOf>) =>
    Math.round(billOf(...asked).reduce((all, { perMonth }) => all + perMonth, 0));
  const region = "us-east-1";
  const dev = { stage: "dev", database: "external", region: "eu-central-1", firewall: "function" } as const;
  expect(document).toContain(costTable(billOf({ stage: "demo", database: "aurora", region })));
  expect(document).toContain(`**${sum({ stage: "demo", database: "external", region })} USD a month**`);
  expect(document).toContain(`**${sum({ stage: "live", database: "aurora", region })} USD a month**`);
  expect(document).toContain(`**${sum(dev)} USD a month**, idle **${sum(dev, true)}**`);
});

// Work measured once (docs/cost-measures.json) times list prices that are remembered: what may not grow unseen.
test.each([
  ["us-east-1", "function", 22],
  ["eu-central-1", "function", 22],
  ["us-east-1", "waf", 32],
  ["eu-central-1", "waf", 32],
] as const)(
  "an idle dev stage without a database, in %s with a %s in front, is at most %s dollars a month",
  (region, firewall, most) => {
    const target = aTarget({ stage: "dev", database: "external", region, firewall });
    const measures = CostMeasures.parse(JSON.parse(readFileSync("docs/cost-measures.json", "utf8")));
    const alarms = alarmsOf({ target, topology: theTopology() }).length;
    const deployment = {
      database: "external",
      live: false,
      staticEgress: false,
      idle: true,
      firewall,
      alarms,
    } as const;
    const sum = costLines(usageOf(measures, true), pricesOf(region), deployment).reduce(
      (all, { perMonth }) => all + perMonth,
      0,
    );
    expect(sum).toBeLessThanOrEqual(most);
    expect(sum).toBeGreaterThan(most / 2);
  },
);
