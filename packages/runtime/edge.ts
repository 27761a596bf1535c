import middy, { type MiddyfiedHandler } from "@middy/core";
import type { Context as LambdaContext } from "aws-lambda";
import { databaseFault } from "#db/server/faults";
import { functionName } from "#topology/functions";
import type { Job } from "#topology/job";
import { withinBudget } from "./budget.ts";
import { type Context, contextOf } from "./context.ts";
import { errorFields, log, logInvocation } from "./log.ts";
import { beginMetrics, flushMetrics, measure } from "./metrics.ts";
import { renew } from "./services.ts";
import { type Trace, traced } from "./trace.ts";

type Entry = Pick<Job, "consumer" | "needs"> & Partial<Pick<Job, "sends" | "publishes">>;

/**
 * Turns the body of a function into its Lambda handler: names the invocation in the log and the metrics, and writes the
 * metrics when it is over, however it ends.
 */
export function edge<E, R>(
  { consumer }: Entry,
  run: (event: E, context: LambdaContext) => Promise<R>,
): MiddyfiedHandler<E, R> {
  const job = functionName(consumer);
  return middy<E, R>({ timeoutEarlyInMillis: 0 })
    .use({
      before: ({ context }) => {
        logInvocation(context);
        beginMetrics(job);
      },
      after: flushMetrics,
      onError: flushMetrics,
    })
    .handler(run);
}

/** One piece of an invocation: a message, a tick, a request. */
export interface Piece {
  readonly entry: Entry;
  readonly lambda: Pick<LambdaContext, "getRemainingTimeInMillis">;
  readonly trace: Trace;
  /** What the log says failed: "blocks: message". */
  readonly what: string;
  /** More for the log when it fails. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** What a job of an entry is handed. */
type Given<J extends Pick<Job, "needs" | "sends" | "publishes">> = Context<J>;

/**
 * Runs a job on one piece of work, within the time that is left and under its trace. Every job is idempotent, so one that
 * met a lost connection, or a database that refused credentials which have changed since, is run once more.
 * @throws what the job threw, once it is logged and counted; TimeBudgetError when the time was over.
 */
export async function runPiece<J extends Pick<Job, "needs" | "sends" | "publishes">, T>(
  { entry, lambda, trace, what, fields }: Piece,
  job: (context: Given<J>) => Promise<T>,
): Promise<T> {
  return traced(trace, async () => {
    try {
      return await withinBudget(functionName(entry.consumer), lambda, () => onceMore<J, T>(entry, what, job));
    } catch (error) {
      measure("MessagesFailed", 1);
      log({ level: "error", message: `${what} failed`, ...fields, ...errorFields(error) });
      throw error;
    }
  });
}

async function onceMore<J extends Pick<Job, "needs" | "sends" | "publishes">, T>(
  entry: Entry,
  what: string,
  job: (context: Given<J>) => Promise<T>,
): Promise<T> {
  const context = await contextOf<J>(entry);
  try {
    return await job(context);
  } catch (error) {
    const fault = databaseFault(error);
    if (fault === null) throw error;
    if (fault === "refused" && !(await renew("database", (context as { database?: unknown }).database))) throw error;
    const { name, message } = error as Error; // a fault is read from an error
    log({ level: "warn", message: `${what} is tried once more: ${fault} connection`, error: name, reason: message });
    return job(await contextOf<J>(entry));
  }
}
