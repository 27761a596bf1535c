import { type App, CfnOutput, Duration, RemovalPolicy, Stack } from "aws-cdk-lib";
import { AnyPrincipal, Effect, PolicyStatement } from "aws-cdk-lib/aws-iam";
import { BlockPublicAccess, Bucket, BucketEncryption, type IBucket, ObjectLockRetention } from "aws-cdk-lib/aws-s3";
import { HEADS, named } from "#topology/names";
import { acknowledge } from "./acknowledged.ts";
import { stackProps, tag } from "./site.ts";
import type { Target } from "./target.ts";

/**
 * Where heads of the records are kept out of everybody's reach: object lock in compliance mode, which the account's root
 * cannot shorten. So the bucket outlives its stack, and its name is CloudFormation's, for the next deployment has another.
 */
export class RecordsStack extends Stack {
  readonly bucket: IBucket;

  constructor(app: App, target: Target) {
    super(app, named(target.stage, "records"), stackProps(target, "Spyhop: heads of the records, under a lock"));
    tag(this, target);
    const days = target.auditCopy?.retentionDays ?? 1;
    const bucket = new Bucket(this, "Heads", {
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      versioned: true,
      objectLockEnabled: true,
      objectLockDefaultRetention: ObjectLockRetention.compliance(Duration.days(days)),
      lifecycleRules: [{ expiration: Duration.days(days + 1), noncurrentVersionExpiration: Duration.days(1) }],
      removalPolicy: RemovalPolicy.RETAIN,
    });
    // A head is written once. Source: S3 user guide, "Enforce conditional writes on Amazon S3 buckets".
    bucket.addToResourcePolicy(
      new PolicyStatement({
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions: ["s3:PutObject"],
        resources: [bucket.arnForObjects(`${HEADS}*`)],
        conditions: { Null: { "s3:if-none-match": "true" } },
      }),
    );
    acknowledge(bucket, "heads");
    new CfnOutput(this, "RecordBucket", { value: bucket.bucketName });
    this.bucket = bucket as IBucket; // CDK's classes and interfaces disagree under exactOptionalPropertyTypes
  }
}
