import { resolve } from "node:path";
import { type Arguments, type Option, UsageError } from "#host/cli";
import { isStage, STAGES } from "#topology/names";
import type { SiteOptions } from "./site.ts";

/** How a command names the desk to look at. */
export const SITE_OPTIONS: Readonly<Record<"stage" | "directory", Option>> = {
  stage: { value: "STAGE", says: `a deployed stage: ${STAGES.join(", ")}` },
  directory: { value: "DIR", says: "the folder of a desk of this machine, as .spyhop/live" },
};

/** What the help of a command that needs a desk's queues says below its options. */
export const SITE_NOTES: readonly string[] = [
  "A folder's desk must be stopped. With neither, the desk is where AWS_ENDPOINT_URL and DATABASE_URL say.",
  "A stage's queues are found by name in the account and region of the AWS credentials; its database is asked at",
  "DATABASE_URL where that is set, else through the stage's function operate.",
];

/** What the help of a command that needs a desk's books alone says below its options. */
export const BOOKS_NOTES: readonly string[] = [
  "A folder's desk may be running. With neither, the desk is the one at DATABASE_URL, running or not.",
  "A stage's database is asked at DATABASE_URL where that is set, else through the stage's function operate.",
];

/** Returns which desk a command line names. @throws UsageError for an unknown stage, or for two answers. */
export function siteOf(given: Arguments): SiteOptions {
  const stage = given.text("stage");
  const directory = given.text("directory");
  if (stage !== undefined && directory !== undefined) throw new UsageError("give --stage or --directory, not both");
  if (stage !== undefined && !isStage(stage))
    throw new UsageError(`--stage takes ${STAGES.join(", ")}, not "${stage}"`);
  return { stage, directory: directory === undefined ? undefined : resolve(directory) };
}
