import { task as lookup, type TaskName, type Tasks } from "#topology/topology";
import type { Context } from "./context.ts";
import { edge, runPiece } from "./edge.ts";
import { newTrace } from "./trace.ts";

/**
 * Turns one job into the Lambda handler of a task: invoked directly, its input unread. What the job returns is the
 * invocation's reply; what it throws is the invocation's error, so that the deploy that waits for it stops.
 */
export function task<T extends TaskName, R>(name: T, job: (context: Context<Tasks[T]>) => Promise<R>) {
  const entry = lookup(name);
  return edge<unknown, R>(entry, (_, lambda) => {
    const piece = { entry, lambda, trace: newTrace(lambda.awsRequestId), what: `${name}: task` };
    return runPiece<Tasks[T], R>(piece, job);
  });
}
