import middy from "@middy/core";
import { task as lookup, type TaskName, type Tasks } from "#topology/topology";
import { type Context, contextOf } from "./context.ts";
import { errorFields, log } from "./log.ts";

/**
 * Turns one job into the Lambda handler of a task: invoked directly, its input unread. What the job returns is the
 * invocation's reply; what it throws is the invocation's error, so that the deploy that waits for it stops.
 */
export function task<T extends TaskName, R>(name: T, job: (context: Context<Tasks[T]>) => Promise<R>) {
  return middy<unknown>({ timeoutEarlyInMillis: 0 }).handler(async (): Promise<R> => {
    try {
      return await job(await contextOf<Tasks[T]>(lookup(name)));
    } catch (error) {
      log({ level: "error", message: `${name}: task failed`, ...errorFields(error) });
      throw error;
    }
  });
}
