import type { Context } from "aws-lambda";
import { dispatch } from "#runtime/dispatch";
import type { Answer } from "#runtime/route";
import type { ApiName } from "#topology/api";
import { functionName } from "#topology/functions";
import type { Job } from "#topology/job";
import { API_FUNCTIONS, ROUTES, topology } from "#topology/topology";

/** A Lambda handler, as this runtime calls it. */
export type Handler = (event: unknown, context: Context) => Promise<unknown>;

const root = new URL("../../../", import.meta.url);

/** A function's file is missing or exports no `handler`. */
export class MissingHandlerError extends Error {
  override name = "MissingHandlerError";
}

/** Loads the handler of a topology entry from `functions/`, the same module that the cloud bundles. */
export async function loadHandler({ consumer }: Pick<Job, "consumer">): Promise<Handler> {
  const file = consumer.replace(/\.handler$/, ".ts");
  const module: { handler?: unknown } = await import(new URL(file, root).href);
  if (typeof module.handler !== "function") throw new MissingHandlerError(`${file} exports no handler`);
  return module.handler as Handler;
}

/** Loads the handler of a function of the API: the answers of its routes put together, as its bundle does (stacks/bundle/bundle.ts). */
async function loadApi(name: ApiName): Promise<Handler> {
  const own = ROUTES.map((route) => topology.routes[route]).filter((route) => route.in === name);
  const answers = own.map(async ({ file }) => {
    const module: { answer?: Answer } = await import(new URL(`functions/api/${file}.ts`, root).href);
    if (module.answer === undefined) throw new MissingHandlerError(`functions/api/${file}.ts exports no answer`);
    return module.answer;
  });
  // Its event is API Gateway's, which a laptop makes itself; a job's handler takes whatever comes.
  return dispatch(name, await Promise.all(answers)) as unknown as Handler;
}

/** Loads every handler once, keyed by consumer. */
export async function loadHandlers(): Promise<ReadonlyMap<string, Handler>> {
  const entries = [
    ...Object.values(topology.schedules),
    ...Object.values(topology.queues),
    ...Object.values(topology.tasks),
  ];
  return new Map(
    await Promise.all([
      ...entries.map(async (entry) => [entry.consumer, await loadHandler(entry)] as const),
      ...API_FUNCTIONS.map(async (name) => [topology.api[name].consumer, await loadApi(name)] as const),
    ]),
  );
}

/** Returns the job's name of a consumer: "functions/watch-head.handler" → "watch-head". */
export const jobOf = (consumer: Job["consumer"]): string => functionName(consumer);

// A laptop may be slow or busy, and a replay must not come out differently for it.
const PATIENCE = 10;

/** Returns when an invocation that begins now must have ended: ten times as late as in Lambda. Milliseconds since the epoch. */
export const deadlineOf = ({ timeoutSeconds }: Pick<Job, "timeoutSeconds">): number =>
  Date.now() + timeoutSeconds * 1000 * PATIENCE;

/** The context of one invocation that must have ended at `deadline` (milliseconds since the epoch): what a handler may read of it is its name and the time it has left. */
export function lambdaContext({ consumer }: Pick<Job, "consumer">, deadline: number): Context {
  const name = jobOf(consumer);
  return {
    callbackWaitsForEmptyEventLoop: false,
    functionName: name,
    functionVersion: "$LATEST",
    invokedFunctionArn: `arn:aws:lambda:local:000000000000:function:${name}`,
    memoryLimitInMB: "512",
    awsRequestId: "local",
    logGroupName: "local",
    logStreamName: "local",
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
    done: () => undefined,
    fail: () => undefined,
    succeed: () => undefined,
  };
}
