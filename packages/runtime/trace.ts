import { AsyncLocalStorage } from "node:async_hooks";
import type { SQSRecord } from "aws-lambda";
import { rootOf, xrayRoot } from "./config.ts";

/** Where a piece of work began. It goes with every message and fact that follows from it, and is in every log line. */
export interface Trace {
  /** The id of what began it: a schedule's event, or an API request. */
  readonly correlationId: string;
  /** The root of the X-Ray trace of that first invocation, or null outside of AWS. */
  readonly traceId: string | null;
}

/** The message attributes of SQS that carry a trace. Not in the body: the body's hash is the deduplication id. */
const CORRELATION = "correlationId";
const TRACE = "traceId";

const current = new AsyncLocalStorage<Trace>();

/** Runs `work` so that what it logs, sends and publishes carries `trace`. */
export const traced = <T>(trace: Trace, work: () => Promise<T>): Promise<T> => current.run(trace, work);

/** Returns the trace that begins with this invocation. */
export const newTrace = (correlationId: string): Trace => ({ correlationId, traceId: xrayRoot() });

/** Returns the fields that carry the trace in hand in a fact or a log line; none outside of any. */
export function traceFields(): { correlationId?: string; traceId?: string } {
  const trace = current.getStore();
  if (!trace) return {};
  const { correlationId, traceId } = trace;
  return traceId === null ? { correlationId } : { correlationId, traceId };
}

/** Returns the message attributes that carry the trace in hand, or undefined outside of any. */
export function traceAttributes(): Record<string, { DataType: "String"; StringValue: string }> | undefined {
  const fields = Object.entries(traceFields());
  if (fields.length === 0) return undefined;
  return Object.fromEntries(fields.map(([name, StringValue]) => [name, { DataType: "String" as const, StringValue }]));
}

/**
 * Returns the trace that a record carries: in the fact that it is, in its attributes, or, when it was sent by hand, one
 * that begins with it.
 */
export function traceOf(
  record: Pick<SQSRecord, "messageId"> & Partial<Pick<SQSRecord, "messageAttributes" | "attributes">>,
  fact: { readonly correlationId?: string | undefined; readonly traceId?: string | undefined },
): Trace {
  const attribute = (name: string): string | undefined => record.messageAttributes?.[name]?.stringValue;
  const correlationId = fact.correlationId ?? attribute(CORRELATION);
  if (correlationId !== undefined) return { correlationId, traceId: fact.traceId ?? attribute(TRACE) ?? null };
  return { correlationId: record.messageId, traceId: rootOf(record.attributes?.AWSTraceHeader) ?? xrayRoot() };
}
