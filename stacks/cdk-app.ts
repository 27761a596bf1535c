import { App } from "aws-cdk-lib";
import { buildStacks } from "./index.ts";
import { readTarget } from "./read-target.ts";

// cdk -c stage=dev [-c target=FILE]
const app = new App();
const context = (name: string): string | undefined => app.node.tryGetContext(name) as string | undefined;
buildStacks(app, readTarget(context("stage"), context("target") ?? null));
app.synth();
