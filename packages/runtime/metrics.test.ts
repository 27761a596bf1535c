import { expect, test } from "vitest";
import { metricsLine } from "./metrics.ts";

test("a line is one that CloudWatch reads metrics from", () => {
  const values = new Map([
    ["IngestLagSeconds", [12, 3.5]],
    ["ColdStart", [1]],
  ] as const);
  const line = metricsLine(values, { stage: "dev", job: "ingest-block" }, 1_700_000_000_000);
  expect(line).toEqual({
    _aws: {
      Timestamp: 1_700_000_000_000,
      CloudWatchMetrics: [
        {
          Namespace: "Spyhop",
          Dimensions: [["stage", "job"]],
          Metrics: [
            { Name: "IngestLagSeconds", Unit: "Seconds" },
            { Name: "ColdStart", Unit: "Count" },
          ],
        },
      ],
    },
    stage: "dev",
    job: "ingest-block",
    IngestLagSeconds: [12, 3.5],
    ColdStart: [1],
  });
});

test("a metric has at most a hundred values in a line: the newest", () => {
  const many = Array.from({ length: 120 }, (_, n) => n);
  const line = metricsLine(new Map([["MessagesFailed", many]]), { stage: "dev", job: "x" }, 0);
  expect(line.MessagesFailed).toEqual(many.slice(20));
});
