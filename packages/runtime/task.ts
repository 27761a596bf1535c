import type { AtRunTime, Task } from "#topology/job";
import { type TaskName, type Tasks, tasks } from "#topology/tasks";
import type { Context } from "./context.ts";
import { edge, runPiece } from "./edge.ts";
import { newTrace } from "./trace.ts";

/**
 * Turns one job into the Lambda handler of a task: invoked directly, with an input that it must check itself.
 * What the job returns is the invocation's reply; what it throws is the invocation's error, so that who waits for it stops.
 */
export function task<T extends TaskName, R>(name: T, job: (context: Context<Tasks[T]>, input: unknown) => Promise<R>) {
  const entry: AtRunTime<Task> = tasks[name];
  return edge<unknown, R>(entry, (input, lambda) => {
    const piece = { entry, lambda, trace: newTrace(lambda.awsRequestId), what: `${name}: task` };
    return runPiece<Tasks[T], R>(piece, (context) => job(context, input));
  });
}
