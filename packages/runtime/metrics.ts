import { METRICS_NAMESPACE, type MetricName, metrics } from "#topology/metrics";
import type { FunctionName } from "#topology/topology";
import { type Instant, millis } from "#units/time";
import { readPlace } from "./config.ts";

const { stage, inLambda } = readPlace();
const measured = new Map<MetricName, number[]>();

/** Measures one value. In Lambda it is written to the log, in the embedded metric format, when the invocation ends. */
export function measure(name: MetricName, value: number): void {
  // Not on a laptop: there is nobody to alarm, and in a replay the wall clock is years off.
  if (inLambda) measured.set(name, [...(measured.get(name) ?? []), value]);
}

/** Measures how long ago `since` was, in seconds, by the machine's clock. */
export const measureAge = (name: MetricName, since: Instant): void =>
  measure(name, (Date.now() - millis(since)) / 1000);

/** Writes what was measured since the last time, as one line. */
export function flushMetrics(job: FunctionName): void {
  if (measured.size === 0) return;
  process.stdout.write(`${JSON.stringify(metricsLine(measured, { stage, job }, Date.now()))}\n`);
  measured.clear();
}

// A metric may hold as many values in one line. Source: as below.
const MOST_VALUES = 100;

/**
 * Returns the line that CloudWatch reads metrics from: `at` in milliseconds since the epoch; of more than 100 values of
 * one metric the last 100. Written here because Powertools' metrics are 14 KiB of a budget of 300.
 * Source: CloudWatch user guide, "Specification: Embedded metric format".
 */
export function metricsLine(
  values: ReadonlyMap<MetricName, readonly number[]>,
  dimensions: Readonly<Record<string, string>>,
  at: number,
): Record<string, unknown> {
  const Metrics = [...values.keys()].map((Name) => ({ Name, Unit: metrics[Name].unit }));
  return {
    _aws: {
      Timestamp: at,
      CloudWatchMetrics: [{ Namespace: METRICS_NAMESPACE, Dimensions: [Object.keys(dimensions)], Metrics }],
    },
    ...dimensions,
    ...Object.fromEntries([...values].map(([name, list]) => [name, list.slice(-MOST_VALUES)])),
  };
}
