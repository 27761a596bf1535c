import type { Api } from "./api.ts";
import type { Consumer } from "./job.ts";
import type { Queues } from "./queues.ts";
import type { Schedules } from "./schedules.ts";
import type { Tasks } from "./tasks.ts";

type JobOf<C> = C extends `functions/${infer Name}.handler` ? Name : never;
type Entries = Schedules[keyof Schedules] | Queues[keyof Queues] | Tasks[keyof Tasks] | Api[keyof Api];
/** The name of a function: its file's, "ingest-block". Of the API: "api/read". */
export type FunctionName = JobOf<Entries["consumer"]>;

/** Returns the name of a consumer's function: "functions/watch-head.handler" → "watch-head". */
export const functionName = (consumer: Consumer): FunctionName =>
  consumer.replace(/^functions\//, "").replace(/\.handler$/, "") as FunctionName;
