import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { type Arguments, type Command, runCommand } from "#host/cli";
import { listen } from "#host/http";
import { readTarget } from "../stacks/read-target.ts";
import { regionsOf } from "../stacks/site.ts";
import { run } from "./cloud/run.ts";

const command: Command = {
  usage: "npm run equal-stacks --",
  summary: "Proves that the CDK and SST make the same resources: cdk synth against sst build, without an account.",
  options: { stage: { value: "STAGE", says: "compare these", many: true, default: "dev,demo,live" } },
};

/** The two hosts' templates differ. The message names each stack and resource. */
class UnequalStacksError extends Error {
  override name = "UnequalStacksError";
  constructor(stage: string, differences: readonly string[]) {
    super(`${stage}: cdk synth and sst build differ in ${differences.slice(0, 20).join(", ")}`);
  }
}

type Resources = Readonly<Record<string, unknown>>;

// SST asks who it is before it builds; any account will do. Source: STS API, GetCallerIdentity.
const IDENTITY = `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::000000000000:user/nobody</Arn><UserId>NOBODY</UserId><Account>000000000000</Account>
</GetCallerIdentityResult><ResponseMetadata><RequestId>0</RequestId></ResponseMetadata></GetCallerIdentityResponse>`;

const NODE = ["--disable-warning=ExperimentalWarning"];

/** Writes a stage's target with the one thing that only its owner knows, and returns where. */
async function completed(stage: string, scratch: string): Promise<string> {
  const shipped = JSON.parse(await readFile(join("stacks", "targets", `${stage}.json`), "utf8")) as object;
  const file = join(scratch, `${stage}.json`);
  await writeFile(file, JSON.stringify({ ...shipped, alarmEmail: "desk@example.com" }));
  return file;
}

async function synthesised(stage: string, target: string, folder: string): Promise<void> {
  const of = ["-c", `stage=${stage}`, "-c", `target=${target}`];
  const args = ["node_modules/aws-cdk/bin/cdk", "synth", "-q", ...of, "--output", folder];
  await run(process.execPath, [...NODE, ...args]);
}

interface Build {
  readonly stage: string;
  readonly target: string;
  readonly sts: string;
}

async function built({ stage, target, sts }: Build, region: string, folder: string): Promise<void> {
  const sst = ["node_modules/sst/cli/sst.js", "build", "--stage", stage, "--region", region, "--to", folder];
  await run(process.execPath, [...NODE, ...sst], {
    env: {
      AWS_ENDPOINT_URL_STS: sts,
      AWS_ACCESS_KEY_ID: "nobody",
      AWS_SECRET_ACCESS_KEY: "nobody",
      AWS_EC2_METADATA_DISABLED: "true",
      SST_TELEMETRY_DISABLED: "1",
      SPYHOP_TARGET: target,
      CI: "true",
    },
  });
}

/** Returns the resources of every template of a folder, by "stack/logical id". */
async function resourcesIn(folder: string): Promise<Resources> {
  const files = (await readdir(folder)).filter((name) => name.endsWith(".template.json"));
  const entries = files.map(async (name) => {
    const { Resources } = JSON.parse(await readFile(join(folder, name), "utf8")) as { Resources: Resources };
    return Object.entries(Resources).map(([id, one]) => [`${name.replace(".template.json", "")}/${id}`, one] as const);
  });
  return Object.fromEntries((await Promise.all(entries)).flat());
}

/** Returns how many resources a stage has. @throws UnequalStacksError */
async function compare(stage: string, sts: string, scratch: string): Promise<number> {
  const target = await completed(stage, scratch);
  const left = join(scratch, stage, "cdk");
  await synthesised(stage, target, left);
  const cdk = await resourcesIn(left);
  let sst: Resources = {};
  for (const region of regionsOf(readTarget(stage, target))) {
    const right = join(scratch, stage, "sst", region);
    await built({ stage, target, sts }, region, right);
    sst = { ...sst, ...(await resourcesIn(right)) };
  }
  const ids = [...new Set([...Object.keys(cdk), ...Object.keys(sst)])];
  const unequal = ids.filter((id) => !isDeepStrictEqual(cdk[id], sst[id]));
  if (ids.length === 0 || unequal.length > 0) throw new UnequalStacksError(stage, unequal);
  return ids.length;
}

async function main(given: Arguments): Promise<void> {
  if (!existsSync("dist/functions")) await run(process.execPath, [...NODE, "scripts/bundle.ts"]);
  const scratch = await mkdtemp(join(tmpdir(), "spyhop-stacks-"));
  const sts = await listen((_, response) => response.writeHead(200, { "content-type": "text/xml" }).end(IDENTITY));
  try {
    for (const stage of given.texts("stage")) {
      const count = await compare(stage, sts.url, resolve(scratch));
      process.stdout.write(`${stage}: ${count} resources, the same from cdk synth and sst build\n`);
    }
  } finally {
    await sts.close();
    await rm(scratch, { recursive: true, force: true });
  }
}

await runCommand(command, main);
