import { Metrics } from "@aws-lambda-powertools/metrics";
import type { FunctionName } from "#topology/functions";
import { METRICS_NAMESPACE, type MetricName, metrics } from "#topology/metrics";
import { type Instant, millis } from "#units/time";
import { readPlace } from "./config.ts";

const { stage, inLambda } = readPlace();
// Not on a laptop: there is nobody to alarm, and in a replay the wall clock is years off.
const written = inLambda ? new Metrics({ namespace: METRICS_NAMESPACE }) : null;

/**
 * Says whose invocation begins: what is measured from here on has the dimensions `stage` and `job`. Before the first
 * value, since Powertools writes a line by itself once a metric has 100 values.
 */
export function beginMetrics(job: FunctionName): void {
  written?.clearDefaultDimensions(); // Powertools' own is `service`, and it warns of one that is set again
  written?.setDefaultDimensions({ stage, job });
}

/** Measures one value. In Lambda it is written to the log, in the embedded metric format, when the invocation ends. */
export const measure = (name: MetricName, value: number): void =>
  void written?.addMetric(name, metrics[name].unit, value);

/** Measures how long ago `since` was, in seconds, by the machine's clock. */
export const measureAge = (name: MetricName, since: Instant): void =>
  measure(name, (Date.now() - millis(since)) / 1000);

/** Writes what was measured since the last time, as one line; nothing where nothing was. */
export function flushMetrics(): void {
  if (written?.hasStoredMetrics()) written.publishStoredMetrics(); // which warns where there is nothing
}
