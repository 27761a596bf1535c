import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { FACTS } from "./facts.ts";
import { functionName } from "./functions.ts";
import { messages } from "./messages.ts";
import { METRICS_NAMESPACE, type Metric, type MetricName, metrics } from "./metrics.ts";
import { API_FUNCTIONS, QUEUES, queue, ROUTES, SCHEDULES, schedule, TASKS, task, topology } from "./topology.ts";

const fileOf = (consumer: string): string => consumer.replace(/\.handler$/, ".ts");
const files = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory()
      ? files(`${folder}/${entry.name}`)
      : entry.name.endsWith(".ts") && !entry.name.endsWith(".test.ts")
        ? [`${folder}/${entry.name}`]
        : [],
  );
const jobs = [...SCHEDULES.map(schedule), ...QUEUES.map(queue), ...TASKS.map(task)];

test("every handler file is wired exactly once, and every consumer has its file", () => {
  const wired = jobs.map((job) => fileOf(job.consumer));
  const answers = ROUTES.map((name) => `functions/api/${topology.routes[name].file}.ts`);
  expect([...wired, ...answers].toSorted()).toEqual(files("functions").toSorted());
});

test("every function of the API has routes, and is not a file that one of them takes", () => {
  for (const name of API_FUNCTIONS) {
    expect(ROUTES.filter((route) => topology.routes[route].in === name)).not.toEqual([]);
    expect(topology.api[name].consumer).toBe(`functions/api/${name}.handler`);
  }
  expect(ROUTES.map((name): string => topology.routes[name].file)).not.toEqual(
    expect.arrayContaining([...API_FUNCTIONS]),
  );
});

test("every send goes to a queue that exists, and every fact is one of the topology's", () => {
  for (const job of jobs) {
    for (const to of job.sends) expect(QUEUES).toContain(to);
    for (const fact of job.publishes) expect(Object.keys(topology.facts)).toContain(fact);
  }
});

test("every queue is fed, and every fact is published by somebody", () => {
  const fed = new Set([...jobs.flatMap((job) => job.sends), ...Object.values(topology.facts).flat()]);
  expect(QUEUES.filter((name) => !fed.has(name))).toEqual([]);
  const published = new Set(jobs.flatMap((job) => job.publishes));
  expect(Object.keys(topology.facts).filter((fact) => !published.has(fact))).toEqual([]);
});

test("messages flow one way: to queues further down, and to a job's own queue where each message waits", () => {
  const place = (name: string): number => (QUEUES as readonly string[]).indexOf(name);
  for (const name of QUEUES) {
    const isOwn = (to: string): boolean => to === name && queue(name).delayBy !== undefined;
    const others = queue(name).sends.filter((to) => !isOwn(to));
    for (const to of others) expect(place(to), `${name} → ${to}`).toBeGreaterThan(place(name));
    for (const fact of queue(name).publishes) {
      for (const to of topology.facts[fact as keyof typeof topology.facts]) {
        expect(place(to), `${name} → ${fact} → ${to}`).toBeGreaterThan(place(name));
      }
    }
  }
});

test("an ordered queue groups by a field of its message", () => {
  for (const name of QUEUES) {
    const { groupBy, message } = queue(name);
    if (groupBy) expect(Object.keys(messages[message].shape), name).toContain(groupBy);
  }
});

test("a delay is a field of its message, on a queue without order, whose messages alone SQS delays one by one", () => {
  const delayed = QUEUES.filter((name) => queue(name).delayBy !== undefined);
  expect(delayed).toEqual(["looks", "protections"]);
  for (const name of delayed) {
    const { delayBy, message, groupBy } = queue(name);
    expect(Object.keys(messages[message!].shape), name).toContain(delayBy);
    expect(groupBy).toBeUndefined();
  }
});

test("every fact goes to the audit log, and to no queue twice", () => {
  expect(topology.queues.audits.facts.toSorted()).toEqual(FACTS.toSorted());
  for (const name of QUEUES) expect(queue(name).facts ?? [], name).toEqual([...new Set(queue(name).facts)]);
  expect(topology.facts["event.retracted"]).toEqual(["retractions", "audits"]);
});

test("a message that fails is tried at least five times, and a batch fits in SQS's ten", () => {
  for (const name of QUEUES) {
    expect(queue(name).maxReceives).toBeGreaterThanOrEqual(5);
    expect(queue(name).batchSize).toBeLessThanOrEqual(10);
  }
});

test("a metric's name is one that CloudWatch takes, and the job that writes it is the topology's", () => {
  const written = jobs.map(({ consumer }): string => functionName(consumer));
  for (const name of [METRICS_NAMESPACE, ...(Object.keys(metrics) as MetricName[])])
    expect(name).toMatch(/^[A-Za-z]+$/);
  for (const { job } of Object.values<Metric>(metrics)) if (job !== null) expect(written).toContain(job);
});
