/** One line of the log: a message for a person and fields for a machine. No secrets, no raw on-chain text. */
export interface LogLine {
  readonly level: "info" | "warn" | "error";
  readonly message: string;
  readonly [field: string]: unknown;
}

type Sink = (line: LogLine) => void;

// CloudWatch reads JSON lines from stderr.
const toStderr: Sink = (line) => process.stderr.write(`${JSON.stringify(line)}\n`);
let sink: Sink = toStderr;

/** Sends log lines elsewhere; null restores stderr. The laptop writes them to a file, tests collect them. */
export const useSink = (next: Sink | null): void => {
  sink = next ?? toStderr;
};

/** Writes one line. */
export const log = (line: LogLine): void => sink(line);

/** Returns the fields of an error that are safe to log: name, message, code, stack and the same of its cause. */
export function errorFields(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { error: String(error) };
  const { name, message, stack } = error;
  const code = "code" in error ? error.code : undefined;
  return { error: name, reason: message, code, stack, cause: error.cause ? errorFields(error.cause) : undefined };
}
