import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { CreateSecretCommand, PutSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { deployedName, named, type SecretName, secretId } from "#topology/names";
import type { QueueName } from "#topology/topology";
import type { Emulator } from "./emulator.ts";
import { run } from "./run.ts";

/** Who deploys: the CDK's own command, or SST as its host. They make the same resources. */
export type Host = "cdk" | "sst";

export interface DeploymentOptions {
  readonly emulator: Emulator;
  readonly host: Host;
  /** Files of the deployment: its target, its outputs. */
  readonly directory: string;
  /** The stage's own secrets, put before the deploy: `database` {url, directUrl?}, `rpc` {urls}, `exchange` {mode, …}. */
  readonly secrets: Readonly<Record<Exclude<SecretName, "origin">, unknown>>;
  /** As in a target file: INSTRUMENTS, HEAD_POLL_SECONDS, OKX_URL … */
  readonly settings: Readonly<Record<string, string>>;
  /** Rules that follow the wall clock. Off for a replay, which invokes the schedules' functions itself. */
  readonly schedules: boolean;
  readonly gitSha?: string;
  readonly say?: (text: string) => void;
}

/** The desk as it is deployed on an emulator. */
export interface Deployment {
  /** Returns where a queue is. */
  queueUrl(name: QueueName): string;
  /** Returns the name of a job's function: "watch-head" → "dev-spyhop-watch-head". */
  functionName(job: string): string;
  /** Calls a job's function with `event` and returns what it returns. @throws FunctionFailedError with its message. */
  invoke(job: string, event: unknown): Promise<unknown>;
  /** The HTTP API; add "/health". A request needs the header `x-origin-secret`. */
  readonly apiUrl: string;
  /** Deploys again, after a change of bundles or of settings. */
  update(settings?: Readonly<Record<string, string>>): Promise<void>;
  /** Removes every stack. */
  remove(): Promise<void>;
}

/** A function threw. The message is the function's own. */
export class FunctionFailedError extends Error {
  override name = "FunctionFailedError";
  readonly job: string;
  constructor(job: string, message: string) {
    super(`${job}: ${message}`);
    this.job = job;
  }
}

const STAGE = "dev";
const HOSTS = {
  cdk: "node_modules/aws-cdk/bin/cdk",
  sst: "node_modules/sst/cli/sst.js",
};

type Outputs = Readonly<Record<string, Readonly<Record<string, string>>>>;

/**
 * Deploys the bundles in `dist/functions` (npm run bundle) to an emulator, external database and all, migrations run.
 * @throws ProgramError with the last lines of the host when it fails.
 */
export async function deployTo(options: DeploymentOptions): Promise<Deployment> {
  const { emulator, host, directory } = options;
  await mkdir(directory, { recursive: true });
  await putSecrets(emulator, options.secrets);
  const target = join(directory, "target.json");
  const env = { ...emulator.env, SPYHOP_TARGET: target, CI: "true", NO_COLOR: "1" };
  const call = (args: readonly string[]): Promise<string> =>
    run(process.execPath, ["--disable-warning=ExperimentalWarning", HOSTS[host], ...args], {
      env,
      ...(options.say === undefined ? {} : { say: options.say }),
    });
  const files = { target, outputs: join(directory, "outputs.json"), assembly: join(directory, "cdk.out") };
  await writeTarget(target, options, options.settings);
  if (host === "cdk") await bootstrap(call, directory);
  await call(deployArguments(host, files));
  const outputs = JSON.parse(
    await readFile(host === "cdk" ? files.outputs : "dist/sst-outputs.json", "utf8"),
  ) as Outputs;
  return {
    queueUrl: (name) => outputOf(outputs, "pipeline", `QueueUrl${name}`),
    functionName: (job) => deployedName(STAGE, job),
    invoke: (job, event) => invoke(emulator, job, event),
    apiUrl: `${emulator.endpoint}/_aws/execute-api/${outputOf(outputs, "api", "ApiId")}/$default`,
    update: async (settings = options.settings) => {
      await writeTarget(target, options, settings);
      await call(deployArguments(host, files));
    },
    remove: async () => void (await call(removeArguments(host, files))),
  };
}

interface Files {
  readonly target: string;
  readonly outputs: string;
  readonly assembly: string;
}

const cdkContext = ({ target, assembly }: Files): string[] => [
  "-c",
  `stage=${STAGE}`,
  "-c",
  `target=${target}`,
  "--output",
  assembly,
];

const deployArguments = (host: Host, files: Files): string[] =>
  host === "sst"
    ? ["deploy", "--stage", STAGE]
    : [
        ...["deploy", "--all", "--require-approval", "never", "--concurrency", "4", "--progress", "events"],
        ...["--outputs-file", files.outputs, ...cdkContext(files)],
      ];

const removeArguments = (host: Host, files: Files): string[] =>
  host === "sst" ? ["remove", "--stage", STAGE] : ["destroy", "--all", "--force", ...cdkContext(files)];

function outputOf(outputs: Outputs, stack: string, key: string): string {
  const value = outputs[named(STAGE, stack)]?.[key];
  if (value === undefined) throw new RangeError(`the deployment has no output ${key} of the stack ${stack}`);
  return value;
}

async function writeTarget(
  path: string,
  { schedules, gitSha }: DeploymentOptions,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  const target = { stage: STAGE, database: "external", region: "us-east-1", emulator: true, schedules, settings };
  await writeFile(path, JSON.stringify(gitSha === undefined ? target : { ...target, gitSha }));
}

/**
 * Makes the CDK's bucket, without its policy that refuses plain http: the emulator is reached over nothing else, and a
 * deploy would wait for ever.
 */
async function bootstrap(call: (args: readonly string[]) => Promise<string>, directory: string): Promise<void> {
  const shown = await call(["bootstrap", "--show-template", "-c", `stage=${STAGE}`]);
  const template = join(directory, "bootstrap.yaml");
  await writeFile(template, shown.replace(/^ {2}StagingBucketPolicy:\n(?: {3,}.*\n|\n)*/m, ""));
  const environment = "aws://000000000000/us-east-1";
  await call(["bootstrap", environment, "--template", template, "-c", `stage=${STAGE}`]);
}

const clientOf = ({ endpoint }: Emulator) => ({
  endpoint,
  region: "us-east-1",
  credentials: { accessKeyId: "test", secretAccessKey: "test" },
});

async function invoke(emulator: Emulator, job: string, event: unknown): Promise<unknown> {
  // One attempt: a second one of the SDK's own would run the job twice.
  const client = new LambdaClient({ ...clientOf(emulator), maxAttempts: 1 });
  const reply = await client.send(
    new InvokeCommand({ FunctionName: deployedName(STAGE, job), Payload: JSON.stringify(event) }),
  );
  client.destroy();
  const text = new TextDecoder().decode(reply.Payload);
  if (reply.FunctionError) throw new FunctionFailedError(job, text);
  return text === "" ? null : JSON.parse(text);
}

async function putSecrets(emulator: Emulator, secrets: DeploymentOptions["secrets"]): Promise<void> {
  const client = new SecretsManagerClient(clientOf(emulator));
  for (const [name, fields] of Object.entries(secrets)) {
    const SecretString = JSON.stringify(fields);
    const Name = secretId(STAGE, name as SecretName);
    try {
      await client.send(new CreateSecretCommand({ Name, SecretString }));
    } catch (error) {
      if (!(error instanceof Error) || error.name !== "ResourceExistsException") throw error;
      await client.send(new PutSecretValueCommand({ SecretId: Name, SecretString }));
    }
  }
  client.destroy();
}
