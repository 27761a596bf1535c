import { expect, test } from "vitest";
import { aTarget } from "#testing/synthesise";
import { METRICS_NAMESPACE, metrics } from "#topology/metrics";
import { alarmsOf } from "./alarm-list.ts";
import { theTopology } from "./jobs.ts";

const alarms = alarmsOf({
  target: aTarget({ stage: "live", database: "aurora" }),
  topology: theTopology(),
});

/** The same alarm of every queue or job as one row, since it means the same for each. */
const PATTERNS: readonly (readonly [string, string])[] = [
  ["dead-letters-", "QUEUE"],
  ["oldest-", "QUEUE"],
  ["failing-api-", "GRANT"],
  ["failing-", "JOB"],
  ["silent-", "JOB"],
];

function rowOf({ name, impact, firstAction }: (typeof alarms)[number]): string {
  const [prefix, word] = PATTERNS.find(([start]) => name.startsWith(start)) ?? [name, ""];
  const own = name.slice(prefix.length);
  const general = (text: string): string => {
    if (own === "") return text;
    if (!prefix.endsWith("api-")) return text.replaceAll(own, word);
    return text.replaceAll(`api/${own}`, `api/${word}`).replaceAll(`api-${own}`, `api-${word}`); // "read" is a verb too
  };
  return `| \`${prefix}${word}\` | ${general(impact)} | ${general(firstAction)} |`;
}

test("docs/alarms.md has every alarm with its impact and the first action", async () => {
  const rows = [...new Set(alarms.map(rowOf))];
  const text = [
    "# Alarms",
    "",
    "Written by `npx vitest run stacks/alarms.test.ts -u` from `stacks/alarm-list.ts`; the same text is in each alarm's own",
    "description. Names begin with the stage: `live-spyhop-order-unknown`. Those of the database are Aurora's.",
    "",
    "| alarm | impact | first action |",
    "| --- | --- | --- |",
    ...rows,
    "",
  ].join("\n");
  expect(rows.length).toBeLessThan(26);
  await expect(text).toMatchFileSnapshot("../docs/alarms.md");
});

test("no two alarms share a name, and each watches a metric that somebody writes", () => {
  expect(new Set(alarms.map(({ name }) => name)).size).toBe(alarms.length);
  for (const { namespace, metricName, dimensions } of alarms) {
    if (namespace !== METRICS_NAMESPACE) continue;
    expect(dimensions).toEqual({ stage: "live", job: metrics[metricName as keyof typeof metrics].job });
  }
});
