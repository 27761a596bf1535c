import type { Consumer } from "./job.ts";
import type { Queues } from "./queues.ts";
import type { Routes } from "./routes.ts";
import type { Schedules } from "./schedules.ts";
import type { Tasks } from "./tasks.ts";

type JobOf<C> = C extends `functions/${infer Name}.handler` ? Name : never;
type Entries = Schedules[keyof Schedules] | Queues[keyof Queues] | Tasks[keyof Tasks] | Routes[keyof Routes];
/** The name of a function: its file's, "ingest-block", "api/health". */
export type FunctionName = JobOf<Entries["consumer"]>;

/** Returns the name of a consumer's function: "functions/watch-head.handler" → "watch-head". */
export const functionName = (consumer: Consumer): FunctionName =>
  consumer.replace(/^functions\//, "").replace(/\.handler$/, "") as FunctionName;
