import { type App, Tags } from "aws-cdk-lib";
import type { SSTConfig } from "sst";
import { VisibleError } from "sst/error.js";
import { readEnv } from "#runtime/config";
import { isForPeople, prepareByHand, throughRegions } from "./scripts/cloud/by-hand.ts";
import { buildStacks } from "./stacks/index.ts";
import { readTarget } from "./stacks/read-target.ts";

// A thin host: nothing else knows SST, and leaving it means `cdk deploy`.
// SPYHOP_TARGET names another target file than the stage's own.
const targetOf = (stage: string | undefined) => readTarget(stage, readEnv("SPYHOP_TARGET"));

/** What SST parsed of the command line. Its types leave out the command, and what follows it. */
interface CommandLine {
  readonly _?: readonly string[];
  readonly filter?: string;
  readonly from?: string;
}

type Globals = Parameters<SSTConfig["config"]>[0];

/** Returns the region that is left to this run of SST, once what comes before it is done. */
async function regionOf(globals: Globals): Promise<string> {
  const { _: [command] = [], filter, from } = globals as CommandLine;
  await prepareByHand(command, globals.stage);
  const target = targetOf(globals.stage);
  // Who names a region, some stacks or a folder of templates wants these and no more.
  const isWhole = (globals.region ?? filter ?? from) === undefined;
  return isWhole ? throughRegions(command, target) : (globals.region ?? target.region);
}

export default {
  config: async (globals) => {
    try {
      return { name: "spyhop", region: await regionOf(globals), outputs: "dist/sst-outputs.json" };
    } catch (error) {
      throw isForPeople(error) ? new VisibleError(error.message) : error; // which SST shows without a stack
    }
  },
  stacks: (sst) => {
    const app = sst as unknown as App; // SST's App is CDK's, typed by its own copy
    buildStacks(app, targetOf(sst.stage), { region: sst.region });
    // SST's own tags would change every resource when the host changes.
    for (const tag of ["sst:app", "sst:stage"]) Tags.of(app).remove(tag);
  },
} satisfies SSTConfig;
