import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { DeleteFunctionConcurrencyCommand, LambdaClient, PutFunctionConcurrencyCommand } from "@aws-sdk/client-lambda";
import { GetQueueAttributesCommand, SetQueueAttributesCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { randomOf } from "#recording/sample/random";
import type { DeployedTarget } from "#replay/deployed";
import type { QueueName } from "#topology/queues";
import type { ScheduleName } from "#topology/schedules";
import { QUEUES } from "#topology/topology";
import type { Deployment } from "./deployment.ts";
import { clientOf, type Emulator } from "./emulator.ts";
import { run } from "./run.ts";

export interface Disturbed {
  readonly target: DeployedTarget;
  readonly counts: { killed: number; retried: number; restarts: number; closed: number };
}

export interface DisturbOptions {
  readonly emulator: Emulator;
  readonly deployment: Deployment;
  readonly sqs: SQSClient;
  readonly seed: string;
  /** Restarts the database's server and returns when it is back. */
  readonly restart: string;
}

/** A message that failed comes again after this long; the stack's own timeouts are for functions that may take minutes. */
const VISIBILITY_SECONDS = 4;
/** How long a function is not allowed to run. */
const CLOSED_MS = 3000;
const ATTEMPTS = 4;
/** At which runs of watch-head the database restarts, and the analysis may not run. */
const RESTARTS: readonly number[] = [8, 20];
const CLOSED = 14;
/** The share of instants in which something is killed. */
const KILLS = 0.4;

/**
 * What is killed in the middle of its work, after which schedule. Never what submits an order: an order whose submission
 * was cut short is given up, so the trades would differ (docs/runbook.md, "The fault drill").
 */
const VICTIMS: Partial<Record<ScheduleName, readonly Victim[]>> = {
  "watch-head": [
    { job: "ingest-block", queue: "blocks" },
    { job: "analyze-event", queue: "events" },
  ],
  "refresh-biases": [{ job: "recompute-bias", queue: "biases" }],
};

type Counts = Disturbed["counts"];
type Victim = { readonly job: string; readonly queue: QueueName };

/** Wraps a deployed target: functions are killed mid-batch, one may not run for a while, the database restarts twice. */
export async function disturbed(target: DeployedTarget, options: DisturbOptions): Promise<Disturbed> {
  const { deployment, sqs, seed } = options;
  for (const name of QUEUES) {
    const Attributes = { VisibilityTimeout: String(VISIBILITY_SECONDS) };
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl: deployment.queueUrl(name), Attributes }));
  }
  const counts: Counts = { killed: 0, retried: 0, restarts: 0, closed: 0 };
  const random = randomOf(seed, "cloud drill");
  let heads = 0;
  // What goes on beside the work of one instant, from before its schedule is called.
  let beside: Promise<void>[] = [];
  let isOver = false;
  return {
    counts,
    target: {
      ...target,
      runSchedule: async (name, at) => {
        isOver = false;
        if (name === "watch-head") {
          heads += 1;
          if (RESTARTS.includes(heads)) beside.push(restarted(options, counts));
          if (heads === CLOSED) beside.push(closed(options, "analyze-event", counts));
        }
        const victims = VICTIMS[name] ?? [];
        if (victims.length > 0 && random.chance(KILLS))
          beside.push(hunted(options, random.pick(victims), counts, () => isOver));
        await repeated(() => target.runSchedule(name, at), counts);
      },
      drain: async () => {
        await target.drain();
        isOver = true;
        await Promise.all(beside);
        beside = [];
        await target.drain();
      },
    },
  };
}

/** A schedule's run that failed is called again at its own time. */
async function repeated(work: () => Promise<void>, counts: Counts): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      counts.retried += 1;
      await pause(500 * attempt);
    }
  }
}

async function restarted({ restart }: DisturbOptions, counts: Counts): Promise<void> {
  await run("bash", ["-c", restart]);
  counts.restarts += 1;
}

/** Kills a function's processes as soon as its queue has a message in flight; gives up when the instant is over. */
async function hunted(
  { emulator, deployment, sqs }: DisturbOptions,
  { job, queue }: Victim,
  counts: Counts,
  isOver: () => boolean,
): Promise<void> {
  const QueueUrl = deployment.queueUrl(queue);
  const processes = await processesOf(emulator, deployment.functionName(job)); // found first: a batch is done in a moment
  while (!isOver()) {
    const { Attributes = {} } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["ApproximateNumberOfMessagesNotVisible"] }),
    );
    if (Number(Attributes.ApproximateNumberOfMessagesNotVisible) === 0) continue;
    for (const pid of processes) {
      try {
        process.kill(pid, "SIGKILL");
        counts.killed += 1;
      } catch (error) {
        if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error; // it ended by itself
      }
    }
    return;
  }
}

/** Reserved concurrency 0 for a while: nothing of the function runs, and its messages wait. */
async function closed({ emulator, deployment }: DisturbOptions, job: string, counts: Counts): Promise<void> {
  const client = new LambdaClient(clientOf(emulator));
  const FunctionName = deployment.functionName(job);
  await client.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 0 }));
  await pause(CLOSED_MS);
  await client.send(new DeleteFunctionConcurrencyCommand({ FunctionName }));
  client.destroy();
  counts.closed += 1;
}

/** Returns how many batches ended with their function's process, by the emulator's own log. */
export async function batchesCutShort({ directory }: Emulator): Promise<number> {
  const log = await readFile(join(directory, "log"), "utf8");
  return log.split("\n").filter((line) => line.includes("failed processing SQS batch")).length;
}

/** Returns the processes in which the emulator runs a function: those of its own session that have the function's name. */
async function processesOf({ directory }: Emulator, name: string): Promise<number[]> {
  const session = (await readFile(join(directory, "pid"), "utf8")).trim();
  const ids = (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry));
  const found: number[] = [];
  for (const id of ids) {
    // A process may end between the listing and the reading.
    const stat = await readFile(`/proc/${id}/stat`, "utf8").catch(() => "");
    if (stat.slice(stat.lastIndexOf(")") + 2).split(" ")[3] !== session) continue;
    const variables = await readFile(`/proc/${id}/environ`, "utf8").catch(() => "");
    if (variables.split("\0").includes(`AWS_LAMBDA_FUNCTION_NAME=${name}`)) found.push(Number(id));
  }
  return found;
}
