import { type ApiName, api } from "./api.ts";
import { FACTS, type FactName } from "./facts.ts";
import type { Queue, Schedule, Task } from "./job.ts";
import { type QueueName, queues } from "./queues.ts";
import { type RouteName, routes } from "./routes.ts";
import { type ScheduleName, schedules } from "./schedules.ts";
import { type TaskName, tasks } from "./tasks.ts";

/** Every queue name, in order of flow. */
export const QUEUES = Object.keys(queues) as readonly QueueName[];
/** Every schedule name. */
export const SCHEDULES = Object.keys(schedules) as readonly ScheduleName[];
/** Every task name. */
export const TASKS = Object.keys(tasks) as readonly TaskName[];
/** Every route, as "METHOD /path". */
export const ROUTES = Object.keys(routes) as readonly RouteName[];
/** Every function of the HTTP API. */
export const API_FUNCTIONS = Object.keys(api) as readonly ApiName[];

/** Returns the widened entry of a queue, for code that treats all queues alike. */
export const queue = (name: QueueName): Queue => queues[name];
/** Returns the widened entry of a schedule. */
export const schedule = (name: ScheduleName): Schedule => schedules[name];
/** Returns the widened entry of a task. */
export const task = (name: TaskName): Task => tasks[name];

/** Returns the queues that a rule on the bus copies a fact to, in order of flow. */
const takersOf = (fact: FactName): readonly QueueName[] =>
  QUEUES.filter((name) => queue(name).facts?.includes(fact) ?? false);

/**
 * The whole desk as data: the stacks build the cloud from it, the local runtime the laptop. A function reads the parts,
 * of which its bundle holds its own entries (stacks/bundle/own-entries.ts).
 */
export const topology = {
  schedules,
  queues,
  /** Fact → the queues that a rule on the bus copies it to. */
  facts: Object.fromEntries(FACTS.map((fact) => [fact, takersOf(fact)])) as Record<FactName, readonly QueueName[]>,
  routes,
  api,
  tasks,
} as const;
