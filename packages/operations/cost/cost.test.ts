import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { QUEUES, SCHEDULES, schedule } from "#topology/topology";
import { CostMeasures, runsPerDay, usageOf } from "./measures.ts";
import { costLines, costTable, type Deployment } from "./model.ts";
import { pricesOf, UnknownRegionError } from "./prices.ts";

// 100 blocks in half a day: what follows blocks counts times 72, what follows the clock times two.
const MEASURED: CostMeasures = {
  ...{ recording: "test", machine: "none", measuredOn: "2026-01-01", blocks: 100, days: 0.5 },
  jobs: [
    { job: "ingest-block", runs: 100, totalMs: 2000 },
    { job: "plan-order", runs: 50, totalMs: 500 },
    { job: "sync-prices", runs: 3, totalMs: 30 },
  ],
  messages: { blocks: 100, plans: 50 },
};
const of = (job: string) => usageOf(MEASURED).find((one) => one.job === job);
const priceOf = (lines: ReturnType<typeof costLines>, component: string) =>
  lines.find((line) => line.component === component)?.perMonth ?? Number.NaN;
const PRICES = pricesOf("us-east-1");
const aurora = {
  ...{ database: "aurora", live: false, firewall: "waf", staticEgress: false, alarms: 60, idle: false },
} as const satisfies Deployment;

test("every schedule's rate is understood, and another is refused", () => {
  for (const name of SCHEDULES) expect(runsPerDay(schedule(name).every)).toBeGreaterThan(0);
  expect([runsPerDay("rate(5 minutes)"), runsPerDay("rate(1 day)"), runsPerDay("cron(0 0/4 * * ? *)")]).toEqual([
    288, 1, 6,
  ]);
  expect(() => runsPerDay("cron(0 0 ? * MON *)")).toThrow(RangeError);
});

test("blocks scale to mainnet's day, the clock's jobs to a day, schedules to the topology", () => {
  expect(usageOf(MEASURED)).toHaveLength(SCHEDULES.length + QUEUES.length);
  expect(of("ingest-block")).toMatchObject({ invocations: 7200, meanMs: 20, messages: 7200, ordered: true });
  expect(of("plan-order")).toMatchObject({ invocations: 100, meanMs: 10, messages: 100 });
  expect(of("sync-prices")).toMatchObject({ invocations: 1440, meanMs: 10, queue: null });
  expect(of("watch-head")).toMatchObject({ invocations: 1440, waitMs: 150 });
  expect(of("look-at-head")).toMatchObject({
    invocations: 1440 * 14,
    messages: 1440 * 14,
    waitMs: 150,
    ordered: false,
  });
});

test("a function's price is its memory times its time, and its requests", () => {
  const lines = costLines(usageOf(MEASURED), PRICES, aurora);
  // ingest-block: 20 ms, three times slower; three calls to a node that stands elsewhere; 1 GB
  const gbSeconds = 7200 * (0.02 * 3 + 3 * 0.15);
  const perDay = gbSeconds * PRICES.lambdaGbSecond + (7200 / 1e6) * PRICES.lambdaMillionRequests;
  expect(priceOf(lines, "Lambda ingest-block")).toBeCloseTo(perDay * 30.4, 6);
});

test("a database of one's own needs no network of ours; live pays for two zones", () => {
  const components = (deployment: Parameters<typeof costLines>[2]) =>
    costLines(usageOf(MEASURED), PRICES, deployment).map(({ component }) => component);
  for (const name of ["RDS Proxy", "NAT gateway", "Aurora compute", "interface endpoints"]) {
    expect(components(aurora)).toContain(name);
    expect(components({ ...aurora, database: "external" })).not.toContain(name);
  }
  const nat = (live: boolean) => priceOf(costLines(usageOf(MEASURED), PRICES, { ...aurora, live }), "NAT gateway");
  expect(nat(true) - nat(false)).toBeCloseTo(24 * 30.4 * (PRICES.natHour + PRICES.ipv4Hour), 6);
});

test("what a target asks for has its line, and what it does not has none", () => {
  const of = (fields: Partial<Deployment>) => costLines(usageOf(MEASURED), PRICES, { ...aurora, ...fields });
  const external = { database: "external" } as const;
  expect(priceOf(of({ ...external, staticEgress: true }), "NAT gateway")).toBeCloseTo(24 * 30.4 * 0.05, 6);
  expect(priceOf(of(external), "NAT gateway")).toBeNaN();
  expect(priceOf(of({}), "WAF")).toBeGreaterThan(9);
  expect(priceOf(of({ firewall: "function" }), "WAF")).toBeNaN();
  expect(priceOf(of({ firewall: "function" }), "CloudFront Function")).toBeLessThan(0.1);
  const watched = "CloudWatch alarms, metrics, dashboard";
  expect(priceOf(of({ alarms: 70 }), watched) - priceOf(of({}), watched)).toBeCloseTo(1, 6);
});

test("an idle desk reads every block and pays for its clock; nothing is analyzed, scored, traded or looked at", () => {
  const idle = new Map(usageOf(MEASURED, true).map((one) => [one.job, one.invocations]));
  expect([idle.get("ingest-block"), idle.get("watch-head"), idle.get("plan-order")]).toEqual([7200, 1440, 100]);
  for (const job of ["analyze-event", "score-wallet", "submit-order", "write-audit"]) expect(idle.get(job)).toBe(0);
  const lines = costLines(usageOf(MEASURED, true), PRICES, { ...aurora, idle: true });
  expect(priceOf(lines, "API Gateway, CloudFront")).toBe(0);
});

test("each region has its own prices, none below us-east-1's; one that is not written down is refused by name", () => {
  for (const region of ["eu-west-1", "eu-central-1", "ap-southeast-1", "ap-northeast-1"]) {
    const prices = pricesOf(region);
    expect(prices.region).toBe(region);
    for (const [name, price] of Object.entries(prices))
      if (typeof price === "number") expect(price, name).toBeGreaterThanOrEqual(PRICES[name as "natHour"]);
  }
  expect(() => pricesOf("eu-central-9")).toThrow(UnknownRegionError);
  expect(() => pricesOf("toString")).toThrow(/no prices of toString here, only of us-east-1, .*--region/);
});

test("the table adds up, and twice the work costs no less", () => {
  const lines = costLines(usageOf(MEASURED), PRICES, aurora);
  const sum = lines.reduce((total, { perMonth }) => total + perMonth, 0);
  expect(costTable(lines)).toContain(`**${sum.toFixed(2)}**`);
  const double = {
    ...MEASURED,
    jobs: MEASURED.jobs.map((job) => ({ ...job, runs: job.runs * 2, totalMs: job.totalMs * 2 })),
  };
  for (const [i, { perMonth }] of costLines(usageOf(double), PRICES, aurora).entries())
    expect(perMonth).toBeGreaterThanOrEqual(lines[i]!.perMonth);
});

test("the measures that ship are whole", async () => {
  const file = new URL("../../../docs/cost-measures.json", import.meta.url);
  const measures = CostMeasures.parse(JSON.parse(await readFile(file, "utf8")));
  expect(usageOf(measures).filter(({ invocations, job }) => invocations === 0 && job === "ingest-block")).toEqual([]);
});
