import { beforeAll, expect, test } from "vitest";
import { allResources, aTarget, flat, type Resource, type Synthesised, synthesise } from "#testing/synthesise";

let made: Synthesised;
let all: readonly Resource[];
beforeAll(() => {
  made = synthesise(aTarget({ stage: "live", database: "aurora", auditCopy: { retentionDays: 400 } }));
  all = [...allResources(made).values()];
});
const ofType = (type: string): Resource[] => all.filter((resource) => resource.Type === type);

test("the copy is one bucket under a lock that nobody can shorten, and it outlives its stack", () => {
  const [bucket, ...others] = ofType("AWS::S3::Bucket");
  expect(others).toEqual([]);
  expect(bucket?.Properties).toMatchObject({
    ObjectLockEnabled: true,
    ObjectLockConfiguration: { Rule: { DefaultRetention: { Days: 400, Mode: "COMPLIANCE" } } },
    VersioningConfiguration: { Status: "Enabled" },
    PublicAccessBlockConfiguration: { BlockPublicAcls: true, RestrictPublicBuckets: true },
  });
  expect(bucket?.Properties.BucketName).toBeUndefined(); // the next deployment's is another
  expect(bucket?.DeletionPolicy).toBe("Retain");
  const [policy] = ofType("AWS::S3::BucketPolicy");
  expect(policy?.Properties.PolicyDocument).toHaveProperty(
    "Statement",
    expect.arrayContaining([
      expect.objectContaining({
        ...{ Effect: "Deny", Action: "s3:PutObject", Principal: { AWS: "*" } },
        Condition: { Null: { "s3:if-none-match": "true" } },
      }),
    ]),
  );
});

test("the daily job knows the bucket, alone, and reaches it from subnets without a way out", () => {
  const knowing = ofType("AWS::Lambda::Function").filter(({ Properties }) =>
    JSON.stringify(Properties.Environment ?? {}).includes("RECORD_BUCKET"),
  );
  expect(knowing.map(({ Properties }) => Properties.FunctionName)).toEqual(["live-spyhop-maintain-storage"]);
  const gateways = ofType("AWS::EC2::VPCEndpoint").filter(({ Properties }) => Properties.VpcEndpointType === "Gateway");
  expect(gateways.map(({ Properties }) => flat(Properties.ServiceName))).toEqual(["com.amazonaws.<AWS::Region>.s3"]);
  const policies = JSON.stringify(gateways.map(({ Properties }) => Properties.PolicyDocument));
  expect(policies.match(/"Fn::ImportValue":"live-spyhop-records:[^"]*Heads[^"]*"/g)).toHaveLength(2); // it, and what is in it
  expect(policies).not.toContain('"Resource":"*"');
});

test("a target without a copy has no bucket, and its job none to write to", () => {
  const without = [...allResources(synthesise(aTarget({ stage: "dev", database: "external" }))).values()];
  expect(without.filter(({ Type }) => Type.startsWith("AWS::S3"))).toEqual([]);
  expect(JSON.stringify(without)).not.toContain("RECORD_BUCKET");
});
