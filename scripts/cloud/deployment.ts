import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { deployedName, named, type OwnersSecret, type SecretName, secretId } from "#topology/names";
import type { QueueName } from "#topology/queues";
import type { Target } from "../../stacks/target.ts";
import { clientOf, type Emulator } from "./emulator.ts";
import { bootstrapCall, type Host, type HostCall, type HostFiles, hostCall, writeTarget } from "./host.ts";
import { run } from "./run.ts";

export interface DeploymentOptions {
  readonly emulator: Emulator;
  readonly host: Host;
  /** Files of the deployment: its target, its outputs. */
  readonly directory: string;
  /** The stage's own secrets, put before the deploy: `database` {url, directUrl?}, `rpc` {urls}, `exchange` {mode, …}. */
  readonly secrets: Readonly<Record<OwnersSecret, unknown>>;
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
  /** The HTTP API itself, behind what would be CloudFront: it refuses a request without the origin's secret. */
  readonly apiUrl: string;
  /** Asks the API for a path ("/api/health") as CloudFront would. */
  get(path: string): Promise<Response>;
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
type Outputs = Readonly<Record<string, Readonly<Record<string, string>>>>;

/**
 * Deploys the bundles in `dist/functions` (npm run bundle) to an emulator, external database and all, migrations run.
 * @throws ProgramError with the last lines of the host when it fails.
 */
export async function deployTo(options: DeploymentOptions): Promise<Deployment> {
  const { emulator, host, directory } = options;
  await putSecrets(emulator, options.secrets);
  const files = await writeTarget(directory, targetOf(options, options.settings));
  const call = ({ args, env }: HostCall): Promise<string> =>
    run(process.execPath, args, {
      env: { ...env, ...emulator.env, CI: "true", NO_COLOR: "1" },
      ...(options.say === undefined ? {} : { say: options.say }),
    });
  const outputsFile = host === "cdk" ? join(directory, "outputs.json") : "dist/sst-outputs.json";
  const deploy = (): Promise<string> => call(hostCall(host, "deploy", STAGE, files, UNATTENDED[host](outputsFile)));
  // SST would do it too, with a bucket that refuses the emulator; what is there it leaves alone.
  await bootstrap(call, files, directory);
  await deploy();
  const outputs = JSON.parse(await readFile(outputsFile, "utf8")) as Outputs;
  const apiUrl = `${emulator.endpoint}/_aws/execute-api/${outputOf(outputs, "api", "ApiId")}/$default`;
  return {
    queueUrl: (name) => outputOf(outputs, "pipeline", `QueueUrl${name}`),
    functionName: (job) => deployedName(STAGE, job),
    invoke: (job, event) => invoke(emulator, job, event),
    apiUrl,
    get: async (path) => fetch(`${apiUrl}${path}`, { headers: { "x-origin-secret": await originSecret(emulator) } }),
    update: async (settings = options.settings) => {
      await writeTarget(directory, targetOf(options, settings));
      await deploy();
    },
    remove: async () => void (await call(hostCall(host, "remove", STAGE, files, host === "cdk" ? ["--force"] : []))),
  };
}

/** Nobody is there to answer questions. */
const UNATTENDED = {
  cdk: (outputs: string) => ["--require-approval", "never", "--concurrency", "4", "--outputs-file", outputs],
  sst: () => [],
};

function outputOf(outputs: Outputs, stack: string, key: string): string {
  const value = outputs[named(STAGE, stack)]?.[key];
  if (value === undefined) throw new RangeError(`the deployment has no output ${key} of the stack ${stack}`);
  return value;
}

const targetOf = (
  { emulator, schedules, gitSha }: DeploymentOptions,
  settings: Readonly<Record<string, string>>,
): Partial<Target> => ({
  stage: STAGE,
  database: "external",
  region: emulator.region,
  emulator: true,
  schedules,
  settings,
  ...(gitSha === undefined ? {} : { gitSha }),
});

/**
 * Makes the CDK's bucket, without its policy that refuses plain http: the emulator is reached over nothing else, and a
 * deploy would wait for ever.
 */
async function bootstrap(
  call: (call: HostCall) => Promise<string>,
  files: HostFiles,
  directory: string,
): Promise<void> {
  const shown = await call(bootstrapCall(STAGE, files, ["--show-template"]));
  const template = join(directory, "bootstrap.yaml");
  await writeFile(template, shown.replace(/^ {2}StagingBucketPolicy:\n(?: {3,}.*\n|\n)*/m, ""));
  await call(bootstrapCall(STAGE, files, ["--template", template]));
}

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

async function originSecret(emulator: Emulator): Promise<string> {
  const client = new SecretsManagerClient(clientOf(emulator));
  const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: secretId(STAGE, "origin") }));
  client.destroy();
  return (JSON.parse(SecretString ?? "{}") as { value: string }).value;
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
