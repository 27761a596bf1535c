import { type App, Tags } from "aws-cdk-lib";
import type { SSTConfig } from "sst";
import { readEnv } from "#runtime/config";
import { buildStacks } from "./stacks/index.ts";
import { readTarget } from "./stacks/read-target.ts";

// A thin host: nothing else knows SST, and leaving it means `cdk deploy`.
// SPYHOP_TARGET names another target file than the stage's own.
const targetOf = (stage: string | undefined) => readTarget(stage, readEnv("SPYHOP_TARGET"));

export default {
  config: ({ stage }) => ({ name: "spyhop", region: targetOf(stage).region, outputs: "dist/sst-outputs.json" }),
  stacks: (sst) => {
    const app = sst as unknown as App; // SST's App is CDK's, typed by its own copy
    buildStacks(app, targetOf(sst.stage));
    // SST's own tags would change every resource when the host changes.
    for (const tag of ["sst:app", "sst:stage"]) Tags.of(app).remove(tag);
  },
} satisfies SSTConfig;
