import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Target } from "../../stacks/target.ts";

/** Who deploys: the CDK's own command, or SST as its host. They make the same resources. */
export type Host = "cdk" | "sst";

/** Set where the target was checked and the bundles are made: `sst.config.ts` does both for a person who calls SST. */
export const PREPARED = "SPYHOP_PREPARED";

const PROGRAMS = { cdk: "node_modules/aws-cdk/bin/cdk", sst: "node_modules/sst/cli/sst.js" };
const VERBS = {
  cdk: { deploy: ["deploy", "--all"], diff: ["diff"], remove: ["destroy", "--all"] },
  sst: { deploy: ["deploy"], diff: ["diff"], remove: ["remove"] },
} as const;

/** One call of a host: arguments of node, and what is set in its environment. */
export interface HostCall {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface HostFiles {
  /** The target's own file, as `writeTarget` left it. */
  readonly target: string;
  /** Where the CDK makes its templates. */
  readonly assembly: string;
}

/** Writes a target where both hosts read it, and returns the files of its deployment. */
export async function writeTarget(directory: string, target: Partial<Target>): Promise<HostFiles> {
  await mkdir(directory, { recursive: true });
  const files = { target: join(directory, "target.json"), assembly: join(directory, "cdk.out") };
  await writeFile(files.target, `${JSON.stringify(target, null, 2)}\n`);
  return files;
}

/** Returns the call that deploys, compares or removes every stack of a stage. `more` goes to the host as it is. */
export function hostCall(
  host: Host,
  verb: keyof (typeof VERBS)["cdk"],
  stage: string,
  files: HostFiles,
  more: readonly string[] = [],
): HostCall {
  const own = host === "cdk" ? contextOf(stage, files) : ["--stage", stage];
  return callOf(host, [...VERBS[host][verb], ...own, ...more], files);
}

/** Returns the call that prepares the account's regions for the CDK. SST prepares its own. */
export const bootstrapCall = (stage: string, files: HostFiles, more: readonly string[] = []): HostCall =>
  callOf("cdk", ["bootstrap", ...contextOf(stage, files), ...more], files);

const contextOf = (stage: string, { target, assembly }: HostFiles): string[] => [
  ...["-c", `stage=${stage}`, "-c", `target=${target}`],
  ...["--output", assembly],
];

const callOf = (host: Host, args: readonly string[], { target }: HostFiles): HostCall => ({
  args: ["--disable-warning=ExperimentalWarning", PROGRAMS[host], ...args],
  env: { SPYHOP_TARGET: target, [PREPARED]: "true", SST_TELEMETRY_DISABLED: "1" },
});
