/** Commands without an AWS that answers, as processes of their own: one sentence, what to do, exit code 1, no stack. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { runToEnd } from "#testing/command";

const folder = mkdtempSync(join(tmpdir(), "spyhop-"));
afterAll(() => rmSync(folder, { recursive: true }));
const nowhere = join(folder, "no-config");
writeFileSync(nowhere, "");

/** Nothing of this machine's own AWS. Nobody listens on port 1. */
const ALONE: Readonly<Record<string, string | undefined>> = {
  ...{ AWS_CONFIG_FILE: nowhere, AWS_SHARED_CREDENTIALS_FILE: nowhere, AWS_EC2_METADATA_DISABLED: "true" },
  ...{ AWS_PROFILE: undefined, AWS_DEFAULT_REGION: undefined, DATABASE_URL: undefined, AWS_ENDPOINT_URL: undefined },
  ...{ AWS_REGION: undefined, AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined },
};
const LOGIN = { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" };
const DOWN = { ...ALONE, ...LOGIN, AWS_REGION: "us-east-1", AWS_ENDPOINT_URL: "http://127.0.0.1:1" };
const unreachable =
  /AwsUnreachableError: no answer from AWS at 127\.0\.0\.1:1: nothing listens there\. Is .* AWS_ENDPOINT_URL/;
const stage = ["--stage", "dev"];

test.each<[script: string, args: string[], env: typeof ALONE, text: RegExp]>([
  ["operate/status.ts", stage, DOWN, unreachable],
  [
    "operate/redrive.ts",
    ["events", ...stage],
    DOWN,
    /^\w+Error: .*no answer from (AWS|Secrets Manager) .*(127\.0\.0\.1:1|ECONNREFUSED)/,
  ],
  ["watch.ts", stage, DOWN, unreachable],
  ["deploy.ts", stage, DOWN, unreachable],
  ["diff.ts", stage, DOWN, unreachable],
  ["remove.ts", stage, DOWN, unreachable],
  ["operate/status.ts", stage, { ...ALONE, ...LOGIN }, /^NoRegionError: no AWS region is set\. Set AWS_REGION/],
  [
    "operate/redrive.ts",
    ["events", ...stage],
    { ...ALONE, ...LOGIN },
    /^\w+Error: .*no AWS region is set.* AWS_REGION/,
  ],
  [
    "operate/status.ts",
    stage,
    { ...ALONE, AWS_REGION: "us-east-1" },
    /^NoCredentialsError: there are no AWS credentials\. Sign in/,
  ],
  ["deploy.ts", stage, ALONE, /^NoCredentialsError: /],
])("%s %j ends with a sentence", async (script, args, env, text) => {
  const run = await runToEnd(script, args, env);
  expect(run.text).toMatch(text);
  expect(run.text).not.toMatch(/^\s+at /m);
  expect(run.text.trimEnd().split("\n")).toHaveLength(1);
  expect(run.code).toBe(1);
});
