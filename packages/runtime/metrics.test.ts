import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { METRICS_NAMESPACE, type MetricName, metrics } from "#topology/metrics";
import { environment } from "./config.ts";

// A process of its own, as Lambda starts one: whether values are written is decided when the module is loaded.
const PROGRAM = `
import { lambdaContext } from "#local/aws/jobs";
import { measure } from "#runtime/metrics";
import { schedule } from "#runtime/schedule";
import { provide } from "#runtime/services";
import { schedule as entryOf } from "#topology/topology";

for (const need of ["database", "exchange", "control"]) provide(need, {}); // no job below touches them
let values;
const handler = schedule("reconcile-orders", async () => {
  for (const [name, list] of Object.entries(values)) for (const value of list) measure(name, value);
  if ("MessagesFailed" in values) throw new Error("planned");
});
for (values of JSON.parse(process.argv[1])) {
  const context = lambdaContext(entryOf("reconcile-orders"), Date.now() + 10_000);
  const outcome = await handler({ time: "2026-03-02T00:00:00Z" }, context).then(() => "done", (error) => error.message);
  process.stdout.write(outcome + "\\n");
}`;

type Values = Partial<Record<MetricName, number[]>>;

/** Runs a scheduled job that measures `values[n]` in its n-th invocation, and returns what each wrote and how it ended. */
function invocations(values: readonly Values[], env: Readonly<Record<string, string>>) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--input-type=module", "--eval", PROGRAM, JSON.stringify(values)],
    { cwd: join(import.meta.dirname, "../.."), env: environment(env), encoding: "utf8" },
  );
  expect(status, stderr).toBe(0);
  const found: { metrics: Record<string, unknown>[]; outcome: string }[] = [];
  let written: Record<string, unknown>[] = [];
  for (const line of stdout.trimEnd().split("\n")) {
    if (line.startsWith("{")) written.push(JSON.parse(line));
    else {
      found.push({ metrics: written, outcome: line });
      written = [];
    }
  }
  return { found, stderr };
}

const IN_LAMBDA = { AWS_LAMBDA_FUNCTION_NAME: "dev-spyhop-reconcile-orders", STAGE: "dev" };

/** The line of these values, as CloudWatch reads it. Source: CloudWatch user guide, "Embedded metric format". */
const lineOf = (values: Readonly<Values>) => ({
  _aws: {
    Timestamp: expect.any(Number),
    CloudWatchMetrics: [
      {
        Namespace: METRICS_NAMESPACE,
        Dimensions: [["stage", "job"]],
        Metrics: Object.keys(values).map((Name) => ({ Name, Unit: metrics[Name as MetricName].unit })),
      },
    ],
  },
  stage: "dev",
  job: "reconcile-orders",
  ...Object.fromEntries(Object.entries(values).map(([name, list]) => [name, list.length === 1 ? list[0] : list])),
});

test("an invocation writes its values as one line, also when it fails; nothing where nothing was measured", () => {
  const began = Date.now();
  const { found, stderr } = invocations(
    [{ OrdersUnknown: [0] }, {}, { IngestLagSeconds: [12, 3.5], OrdersUnknown: [2] }, { MessagesFailed: [] }, {}],
    IN_LAMBDA,
  );
  expect(found.map(({ outcome }) => outcome)).toEqual(["done", "done", "done", "planned", "done"]);
  expect(found.map((one) => one.metrics)).toEqual([
    [lineOf({ OrdersUnknown: [0] })],
    [],
    [lineOf({ IngestLagSeconds: [12, 3.5], OrdersUnknown: [2] })],
    [lineOf({ MessagesFailed: [1] })],
    [],
  ]);
  for (const line of found.flatMap((one) => one.metrics)) {
    const { Timestamp } = line._aws as { Timestamp: number };
    expect(Timestamp).toBeGreaterThanOrEqual(began);
    expect(Timestamp).toBeLessThanOrEqual(Date.now());
  }
  const others = stderr.trimEnd().split("\n"); // Powertools would warn here; there is only the log of what failed
  expect(others.map((line) => JSON.parse(line).message)).toEqual(["reconcile-orders: run failed"]);
});

test("every metric of the topology is written under its name, with its unit", () => {
  const names = (Object.keys(metrics) as MetricName[]).filter((name) => name !== "MessagesFailed");
  const values = Object.fromEntries(names.map((name, n) => [name, [n]]));
  const { found } = invocations([values], IN_LAMBDA);
  expect(found[0]?.metrics).toEqual([lineOf(values)]);
});

test("of more than a hundred values none is lost: a metric has at most a hundred in a line", () => {
  const many = Array.from({ length: 120 }, (_, n) => n);
  const { found, stderr } = invocations([{}, { OrdersUnknown: many }], IN_LAMBDA);
  expect(found[1]?.metrics).toEqual([
    lineOf({ OrdersUnknown: many.slice(0, 100) }),
    lineOf({ OrdersUnknown: many.slice(100) }),
  ]);
  expect(stderr).toBe("");
});

test("outside of Lambda nothing is written", () => {
  const { found } = invocations([{ OrdersUnknown: [1] }], { AWS_LAMBDA_FUNCTION_NAME: "" });
  expect(found).toEqual([{ metrics: [], outcome: "done" }]);
});
