import { type Stack, Validations } from "aws-cdk-lib";
import { Queue } from "aws-cdk-lib/aws-sqs";
import { AwsSolutionsChecks } from "cdk-nag";
import { expect, test } from "vitest";
import { aTarget, synthesise } from "#testing/synthesise";
import type { Target } from "./target.ts";

const withNag = (target: Target, plant?: (stack: Stack) => void) =>
  synthesise(target, undefined, (app) => {
    if (plant) plant(app.node.findChild(`${target.stage}-spyhop-pipeline`) as Stack);
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  });

test.each([
  aTarget({ stage: "dev", database: "external" }),
  aTarget({ stage: "demo", database: "aurora" }),
  aTarget({ stage: "live", database: "aurora", alarmEmail: "desk@example.com", auditCopy: { retentionDays: 400 } }),
])("AwsSolutions finds nothing that is not explained: $stage, $database", (target) => {
  expect(() => withNag(target)).not.toThrow();
});

test("a queue without dead letters and without TLS is found", () => {
  const plant = (stack: Stack): void => void new Queue(stack, "planted");
  expect(() => withNag(aTarget({ stage: "dev", database: "external" }), plant)).toThrow(/planted/);
});
