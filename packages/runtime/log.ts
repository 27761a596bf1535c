import { Logger } from "@aws-lambda-powertools/logger";
import type { Context } from "aws-lambda";
import { readPlace } from "./config.ts";
import { scrubber } from "./scrub.ts";
import { traceFields } from "./trace.ts";

/** One line of the log: a message for a person and fields for a machine. No secrets, no raw on-chain text. */
export interface LogLine {
  readonly level: "info" | "warn" | "error";
  readonly message: string;
  readonly [field: string]: unknown;
}

type Sink = (line: LogLine) => void;

const { stage, inLambda } = readPlace();
// Powertools adds the time, the function, its request, its memory, a cold start and Lambda's own trace to each line.
const logger = inLambda ? new Logger({ serviceName: "spyhop", persistentKeys: { stage } }) : null;
const toStderr: Sink = (line) => process.stderr.write(`${JSON.stringify(line)}\n`);
const standard: Sink = logger ? ({ level, message, ...fields }) => logger[level](message, fields) : toStderr;
let sink: Sink = standard;

/** Sends log lines elsewhere; null restores the standard place. The laptop writes them to a file, tests collect them. */
export const useSink = (next: Sink | null): void => {
  sink = next ?? standard;
};

const hidden = new Set<string>();
let scrub = scrubber([]);

/** Keeps texts out of every line from now on: an error's message may quote what a node said. */
export function hideInLog(secrets: readonly string[]): void {
  for (const secret of secrets) hidden.add(secret);
  scrub = scrubber([...hidden].sort((a, b) => b.length - a.length));
}

/** Returns a field with every text in it scrubbed. */
function scrubbed(field: unknown): unknown {
  if (typeof field === "string") return scrub(field);
  if (Array.isArray(field)) return field.map(scrubbed);
  if (typeof field !== "object" || field === null || Object.getPrototypeOf(field) !== Object.prototype) return field;
  return Object.fromEntries(Object.entries(field).map(([name, value]) => [name, scrubbed(value)]));
}

/** Writes one line, with the trace of the work in hand. */
export const log = (line: LogLine): void => {
  const fields = { ...line, ...traceFields() };
  sink(hidden.size === 0 ? fields : (scrubbed(fields) as LogLine));
};

/** Tells the log of the invocation that begins. Outside of Lambda there is nothing to tell. */
export const logInvocation = (context: Context): void => logger?.addContext(context);

/** Returns the fields of an error that are safe to log: name, message, code, stack and the same of its cause. */
export function errorFields(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { error: String(error) };
  const { name, message, stack } = error;
  const code = "code" in error ? error.code : undefined;
  return { error: name, reason: message, code, stack, cause: error.cause ? errorFields(error.cause) : undefined };
}
