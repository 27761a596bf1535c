import { type Handler, lambdaContext } from "#local/aws/jobs";
import { type FunctionName, functionName } from "#topology/functions";
import { deployedName, secretId } from "#topology/names";
import { API_FUNCTIONS, QUEUES, queue, SCHEDULES, schedule, TASKS, task, topology } from "#topology/topology";
import { bundleDirectory, bundledJobs, bundleHandlers } from "../../stacks/bundle/bundle.ts";
import { environmentOf } from "../../stacks/environment.ts";
import { parseTarget } from "../../stacks/target.ts";
import { type StartedFunction, startFunction } from "./started-function.ts";

/** Where the parts are that the functions talk to. */
export interface Surroundings {
  /** The runtime client's entry. */
  readonly client: string;
  readonly sqsEndpoint: string;
  /** Of EventBridge and Secrets Manager. */
  readonly awsEndpoint: string;
  readonly queueUrl: (name: string) => string;
  /** Settings of the target file, as a stage's would be. */
  readonly settings: Readonly<Record<string, string>>;
}

/** A function refused an event, with what it wrote. */
export class InvocationError extends Error {
  override name = "InvocationError";
}

/** Every function of the topology as its bundle under the runtime client; each process starts with its first event. */
export interface BundledFunctions {
  /** The bundles in the shape of Lambda handlers, by consumer, as the laptop's parts take them. */
  readonly handlers: ReadonlyMap<string, Handler>;
  /** Events that each function has answered so far. */
  readonly answered: ReadonlyMap<FunctionName, number>;
  /** What a function has written, for a message about it. */
  log(job: FunctionName): string;
  close(): Promise<void>;
}

/** The secrets' ids that the functions are given, for whoever keeps the secrets. */
export const secretIdOf = (name: "database" | "rpc" | "exchange" | "control"): string => secretId("dev", name);

const entries = [
  ...SCHEDULES.map(schedule),
  ...QUEUES.map(queue),
  ...TASKS.map(task),
  ...API_FUNCTIONS.map((name) => topology.api[name]),
];

/** Bundles every handler into `dist/functions` and returns them, ready to be invoked. */
export async function bundledFunctions(around: Surroundings): Promise<BundledFunctions> {
  await bundleHandlers();
  const target = parseTarget(
    JSON.stringify({
      stage: "dev",
      database: "external",
      region: "us-east-1",
      emulator: true,
      settings: around.settings,
    }),
    "dev",
    "the settings of this run",
  );
  const jobs = new Map(bundledJobs().map((entry) => [entry.job, entry]));
  const started = new Map<FunctionName, Promise<StartedFunction>>();
  const logs = new Map<FunctionName, StartedFunction>();
  const answered = new Map<FunctionName, number>();
  const start = async (entry: (typeof entries)[number], job: FunctionName): Promise<StartedFunction> => {
    const { needs = [], sends = [], publishes = [] } = jobs.get(job) ?? {};
    // No CloudFront stands before these routes, so there is no origin to prove.
    const granted = { needs, sends, publishes, takes: null, behindOrigin: false };
    const fn = await startFunction({
      ...{ client: around.client, name: deployedName("dev", job), directory: bundleDirectory(job) },
      env: {
        ...environmentOf(granted, target, null, around.queueUrl),
        ...{ AWS_ACCESS_KEY_ID: "local", AWS_SECRET_ACCESS_KEY: "local", AWS_SESSION_TOKEN: "local" },
        AWS_ENDPOINT_URL_SQS: around.sqsEndpoint,
        AWS_ENDPOINT_URL_EVENTBRIDGE: around.awsEndpoint,
        AWS_ENDPOINT_URL_SECRETS_MANAGER: around.awsEndpoint,
      },
      ...{ timeoutSeconds: entry.timeoutSeconds, memoryMb: entry.memoryMb },
    });
    logs.set(job, fn);
    return fn;
  };
  const handlers = entries.map((entry): [string, Handler] => {
    const job = functionName(entry.consumer);
    const invoke = async (event: unknown): Promise<unknown> => {
      const running = started.get(job) ?? start(entry, job);
      started.set(job, running);
      const fn = await running;
      const outcome = await fn.invoke(event);
      if (outcome.kind === "error")
        throw new InvocationError(`${job}: ${outcome.type}: ${outcome.message}\n${fn.log().slice(-2000)}`);
      answered.set(job, (answered.get(job) ?? 0) + 1);
      return JSON.parse(outcome.body) as unknown;
    };
    return [entry.consumer, invoke];
  });
  return {
    handlers: new Map(handlers),
    answered,
    log: (job) => logs.get(job)?.log() ?? "",
    close: async () => {
      for (const running of started.values()) await (await running.catch(() => null))?.close();
    },
  };
}

/** The context that the laptop's parts hand to a handler; under the runtime client a function has its own. */
export const contextFor = (entry: { consumer: `functions/${string}.handler`; timeoutSeconds: number }) =>
  lambdaContext(entry, Date.now() + entry.timeoutSeconds * 1000);
