import { expect, test } from "vitest";
import { ASSUMED } from "#operations/cost/model";
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
