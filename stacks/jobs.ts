import type { Job, Queue, Route, Schedule, Task } from "#topology/job";
import { topology } from "#topology/topology";

/** The topology with every name widened to text: what the stacks loop over, and what a test can make a wrong one of. */
export interface Topology {
  readonly schedules: Readonly<Record<string, Schedule>>;
  readonly queues: Readonly<Record<string, Queue>>;
  readonly facts: Readonly<Record<string, readonly string[]>>;
  readonly routes: Readonly<Record<string, Route>>;
  /** The functions that answer the routes. */
  readonly api: Readonly<Record<string, Job>>;
  readonly tasks: Readonly<Record<string, Task>>;
}

/** Returns the desk as its topology has it. */
export const theTopology = (): Topology => topology;

/** The topology contradicts itself. The message names each queue, fact and job that is wrong. */
export class TopologyError extends Error {
  override name = "TopologyError";
  constructor(problems: readonly string[]) {
    super(`the topology is not whole, and nothing was deployed: ${problems.join("; ")}`);
  }
}

/** Returns how many functions may run at once: of each queue as many as its mapping takes, and one of every other job and route. */
export const concurrencyOf = ({ queues, schedules, routes, tasks }: Topology): number =>
  Object.values(queues).reduce((sum, { maxConcurrency }) => sum + maxConcurrency, 0) +
  [schedules, routes, tasks].reduce((sum, kind) => sum + Object.keys(kind).length, 0);

/** Refuses a topology that the cloud would take and that cannot work. @throws TopologyError */
export function checkTopology(topology: Topology): void {
  const problems = [...consumerProblems(topology), ...flowProblems(topology), ...queueProblems(topology)];
  if (problems.length > 0) throw new TopologyError(problems);
}

/** Returns the jobs that may send and publish, by name. */
const senders = ({ schedules, queues, api, tasks }: Topology): [string, Job][] =>
  [schedules, queues, tasks, api].flatMap((kind) => Object.entries<Job>(kind));

function consumerProblems({ schedules, queues, routes, api, tasks }: Topology): string[] {
  const consumers = [schedules, queues, api, tasks].flatMap((kind) => Object.values(kind)).map((job) => job.consumer);
  const twice = [...new Set(consumers.filter((consumer, i) => consumers.indexOf(consumer) !== i))];
  return [
    ...twice.map((consumer) => `${consumer} is wired twice`),
    ...Object.entries(routes)
      .filter(([, route]) => api[route.in] === undefined)
      .map(([name, route]) => `the route ${name} is in ${route.in}, and the API has no such function`),
  ];
}

function flowProblems(topology: Topology): string[] {
  const known = (queue: string): boolean => topology.queues[queue] !== undefined;
  const jobs = senders(topology);
  const fed = new Set([...jobs.flatMap(([, { sends }]) => sends), ...Object.values(topology.facts).flat()]);
  const published = new Set(jobs.flatMap(([, { publishes }]) => publishes));
  return [
    ...jobs.flatMap(([name, { sends }]) =>
      sends.filter((to) => !known(to)).map((to) => `${name} sends to ${to}, and there is no such queue`),
    ),
    ...jobs.flatMap(([name, { publishes }]) =>
      publishes.filter((fact) => !topology.facts[fact]).map((fact) => `${name} publishes ${fact}, which is no fact`),
    ),
    ...Object.entries(topology.facts).flatMap(([fact, to]) =>
      to
        .filter((queue) => !known(queue))
        .map((queue) => `the fact ${fact} goes to ${queue}, and there is no such queue`),
    ),
    ...Object.keys(topology.facts)
      .filter((fact) => !published.has(fact))
      .map((fact) => `nobody publishes the fact ${fact}`),
    ...Object.keys(topology.queues)
      .filter((queue) => !fed.has(queue))
      .map((queue) => `the queue ${queue} is an orphan: nobody sends to it`),
  ];
}

/** Limits of SQS, Lambda and EventBridge that CloudFormation would find out half-way. Source: their quota pages. */
function queueProblems({ queues, facts, schedules, api, tasks }: Topology): string[] {
  const jobs = [schedules, queues, api, tasks].flatMap((kind): [string, { timeoutSeconds: number }][] =>
    Object.entries(kind),
  );
  return [
    ...Object.entries(queues).flatMap(([name, { batchSize, maxConcurrency }]) => [
      ...(batchSize >= 1 && batchSize <= 10 ? [] : [`the queue ${name} has batches of ${batchSize}, not of 1 to 10`]),
      ...(maxConcurrency >= 2 ? [] : [`the queue ${name} has a concurrency of ${maxConcurrency}; SQS wants 2 or more`]),
    ]),
    ...Object.entries(facts)
      .filter(([, to]) => to.length > 5)
      .map(([fact]) => `the fact ${fact} goes to more than five queues, a rule's limit`),
    ...jobs
      .filter(([, { timeoutSeconds }]) => timeoutSeconds > 900)
      .map(([name]) => `${name} may take longer than Lambda's 900 seconds`),
  ];
}
