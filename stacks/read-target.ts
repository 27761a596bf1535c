import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isStage, STAGES } from "#topology/names";
import { parseTarget, type Target, TargetError } from "./target.ts";

/**
 * Returns the target of a stage, from `path` or from the stage's own file in `stacks/targets/`.
 * @throws TargetError for an unknown stage, a missing file or a malformed one.
 */
export function readTarget(stage: string | undefined, path?: string | null): Target {
  if (stage === undefined || !isStage(stage))
    throw new TargetError(`the stage is ${stage ?? "missing"}; there are ${STAGES.join(", ")}`);
  const file = path ?? join("stacks", "targets", `${stage}.json`);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT")
      throw new TargetError(`${file} is missing; it says how ${stage} is deployed`);
    throw error;
  }
  return parseTarget(text, stage, file);
}
