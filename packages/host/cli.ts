import { readFile } from "node:fs/promises";
import { isAbsolute, relative } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { awsSentence } from "./aws-errors.ts";

/** An option of a command. `value` names what it takes; without it the option is a flag. */
export interface Option {
  readonly value?: string;
  readonly says: string;
  /** It may be given several times. */
  readonly many?: boolean;
  /** Taken when it is not given; shown in the help. */
  readonly default?: string;
  readonly required?: boolean;
}

export interface Command {
  /** As the user types it: "npm run record --". */
  readonly usage: string;
  readonly summary: string;
  /** What is given without a name, as QUEUE in "npm run redrive -- QUEUE". Without it the command takes none. */
  readonly operand?: { readonly value: string; readonly says: string; readonly many?: boolean };
  readonly options: Readonly<Record<string, Option>>;
  /** Lines below the options: examples, where to read on. */
  readonly notes?: readonly string[];
}

/** A command line that says something the command does not know. Exit code 2. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** Raised by a command when its signal was aborted by Ctrl-C. Exit code 130. */
export class InterruptedError extends Error {
  override name = "InterruptedError";
}

/** What was given on the command line. Asking for an option that the command has not is a mistake of the program. */
export interface Arguments {
  /** Returns the operand, or undefined. */
  readonly operand: () => string | undefined;
  /** Returns all that was given without a name, in order. */
  readonly operands: () => readonly string[];
  /** Returns whether a flag was given. */
  readonly flag: (name: string) => boolean;
  /** Returns the option's value, its default, or undefined. */
  readonly text: (name: string) => string | undefined;
  /** Returns the values of an option that may be given several times; a comma separates values too. */
  readonly texts: (name: string) => readonly string[];
  /** Returns a whole number that is not negative, or undefined. @throws UsageError for any other text */
  readonly count: (name: string) => number | undefined;
  /** Returns a value that must be there. @throws UsageError */
  readonly need: (name: string) => string;
  /** Returns the text and the path of the file that an option names. @throws UsageError when it cannot be read */
  readonly file: (name: string) => Promise<NamedFile>;
}

/** A file that was named on the command line. */
export interface NamedFile {
  readonly path: string;
  readonly text: string;
}

/** A path as a person would type it here: where the program stands on this machine is no part of its help. */
const near = (standard: string): string => (isAbsolute(standard) ? relative("", standard) : standard);

/** Returns the help of a command as text. */
export function helpOf(command: Command): string {
  const options = { ...command.options, help: { says: "show this and exit" } } satisfies Command["options"];
  const lines = Object.entries<Option>(options).map(([name, { value, says, many, default: standard, required }]) => {
    const left = `  --${name}${value ? ` ${value}` : ""}`;
    const extra = [required ? "required" : "", many ? "repeatable" : "", standard ? `default ${near(standard)}` : ""];
    const right = [says, extra.filter(Boolean).join(", ")].filter(Boolean);
    return `${left.padEnd(26)} ${right[0]}${right[1] ? ` (${right[1]})` : ""}`;
  });
  const notes = command.notes ? ["", ...command.notes] : [];
  const { operand } = command;
  const usage = `Usage: ${command.usage}${operand ? ` ${operandOf(operand)}` : ""} [options]`;
  const first = operand ? [`  ${operand.value.padEnd(24)} ${operand.says}`] : [];
  return [command.summary, "", usage, "", ...first, ...lines, ...notes, ""].join("\n");
}

/** Returns the arguments in `argv` (without node and script). @throws UsageError naming the option that is wrong */
export function readArguments(command: Command, argv: readonly string[]): Arguments {
  const options = Object.fromEntries(
    Object.entries(command.options).map(([name, { value, many }]) => [
      name,
      { type: value ? ("string" as const) : ("boolean" as const), multiple: many ?? false },
    ]),
  );
  const { values, positionals } = parsed(options, argv, command.operand !== undefined);
  if (positionals.length > 1 && command.operand?.many !== true)
    throw new UsageError(`"${positionals[1]}" is one word too many`);
  const known = (name: string): Option => {
    const option = command.options[name];
    if (!option) throw new RangeError(`the command has no option ${name}`);
    return option;
  };
  const text = (name: string): string | undefined => {
    const value = values[name];
    return typeof value === "string" ? value : known(name).default;
  };
  const texts = (name: string): string[] => {
    const value = values[name];
    const given = Array.isArray(value) ? value.map(String) : [text(name) ?? ""];
    return given.flatMap((one) => one.split(",")).filter((one) => one !== "");
  };
  for (const [name, { required }] of Object.entries(command.options)) {
    if (required && texts(name).length === 0) throw new UsageError(`--${name} is missing`);
  }
  const count = (name: string): number | undefined => {
    const value = text(name);
    if (value === undefined) return undefined;
    if (!/^\d{1,15}$/.test(value))
      throw new UsageError(`--${name} takes a whole number, not "${value}"${decimal(value)}`);
    return Number(value);
  };
  const need = (name: string): string => {
    const value = text(name);
    if (value === undefined) throw new UsageError(`--${name} is missing`);
    return value;
  };
  const file = async (name: string): Promise<NamedFile> => {
    const path = need(name);
    return { path, text: await textOf(name, path) };
  };
  const flag = (name: string): boolean => values[known(name) ? name : ""] === true;
  return { operand: () => positionals[0], operands: () => positionals, flag, text, texts, count, need, file };
}

const operandOf = ({ value, many }: NonNullable<Command["operand"]>): string => (many ? `[${value} ...]` : value);

/** What to write instead of a number that was copied from a node, in its hexadecimal digits. */
const decimal = (text: string): string => (/^0x[0-9a-f]{1,12}$/i.test(text) ? `; write ${Number(text)}` : "");

const UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  ENOTDIR: "there is no such file",
  EISDIR: "it is a folder",
  EACCES: "access was denied",
};

/** @throws UsageError for a file that cannot be read. */
async function textOf(name: string, path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const problem = error instanceof Error && "code" in error ? UNREADABLE[String(error.code)] : undefined;
    if (problem === undefined) throw error;
    throw new UsageError(`--${name}: ${path} cannot be read: ${problem}. Give the path of a file`);
  }
}

interface Parsed {
  readonly values: Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;
  readonly positionals: readonly string[];
}

function parsed(
  options: Record<string, { type: "string" | "boolean"; multiple: boolean }>,
  argv: readonly string[],
  allowPositionals: boolean,
): Parsed {
  try {
    return parseArgs({ args: withNegatives(options, argv), options, strict: true, allowPositionals });
  } catch (error) {
    if (!(error instanceof TypeError && "code" in error)) throw error;
    if (error.code !== "ERR_PARSE_ARGS_INVALID_OPTION_VALUE")
      throw new UsageError(error.message.split(". To specify")[0]);
    const name = /--([\w-]+)/.exec(error.message)?.[1] ?? "";
    throw new UsageError(options[name]?.type === "boolean" ? `--${name} takes no value` : `--${name} needs a value`);
  }
}

/** A number below 0 is the value of the option before it, and judged as that: parseArgs takes its dash for an option's. */
function withNegatives(
  options: Readonly<Record<string, { type: "string" | "boolean" }>>,
  argv: readonly string[],
): string[] {
  const args: string[] = [];
  for (const arg of argv) {
    const last = args.at(-1) ?? "";
    const isValue = /^-\d/.test(arg) && last.startsWith("--") && options[last.slice(2)]?.type === "string";
    if (isValue) args[args.length - 1] = `${last}=${arg}`;
    else args.push(arg);
  }
  return args;
}

/** What to do about an error of the operating system, by its code. */
const SYSTEM_ERRORS: Readonly<Record<string, string>> = {
  ENOSPC: "The disk is full. Free some space and run the command again.",
  EADDRINUSE: "The port is taken. Stop what uses it, or give another port.",
  EACCES: "Access was denied. Give a folder that you may write to.",
  EPERM: "Access was denied. Give a folder that you may write to.",
  ENOTDIR: "Part of that path is a file. Give the path of a folder.",
  EEXIST: "There is a file of that name. Give the path of a folder.",
  EROFS: "That folder cannot be written to. Give another one.",
  ENOENT: "There is no such file or folder. Give a path that exists.",
  EISDIR: "That is a folder. Give the path of a file.",
  EMFILE: "Too many files are open. Raise the limit (ulimit -n) and run the command again.",
};

const UNNAMED = new Set(["Error", "TypeError", "RangeError", "SyntaxError", "ReferenceError", "AggregateError"]);

/** Returns what a person reads of an error: a named one by its message, any other with its stack, since it is a bug. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return `unexpected: ${JSON.stringify(error)}`;
  const sentence = awsSentence(error);
  if (sentence) return sentence;
  const remedy = "code" in error ? SYSTEM_ERRORS[String(error.code)] : undefined;
  if (remedy) return `${error.message}\n${remedy}`;
  if (UNNAMED.has(error.name)) return `unexpected: ${error.stack ?? error.message}`;
  return error.name === "UsageError" ? error.message : `${error.name}: ${error.message}`;
}

/** Where a command writes and how it ends: the process, or a test's own. */
export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

const terminal: Terminal = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
};

/** Returns the exit code of a command: 0 done, 1 a named error or a bug, 2 wrong usage, 130 interrupted. */
export async function exitCodeOf(
  command: Command,
  argv: readonly string[],
  main: (given: Arguments, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
  { out, err }: Terminal = terminal,
): Promise<number> {
  if (argv.includes("--help") || argv.includes("-h")) {
    out(helpOf(command));
    return 0;
  }
  try {
    await main(readArguments(command, argv), signal);
    return 0;
  } catch (error) {
    if (signal.aborted) {
      err(
        `\nstopped: ${error instanceof InterruptedError && error.message ? error.message : "nothing half-written"}\n`,
      );
      return 130;
    }
    err(`${messageOf(error)}\n`);
    if (!(error instanceof UsageError)) return 1;
    err(`See: ${command.usage} --help\n`);
    return 2;
  }
}

/** Returns once the signal is aborted. It keeps the process alive meanwhile, which a listener alone does not. */
export async function untilAborted(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) await pause(60_000, undefined, { signal }).catch(() => undefined); // aborted: the loop ends
}

/**
 * Runs a command and sets the exit code. The first Ctrl-C (or SIGTERM) aborts the signal, so that the command can end
 * whole; a second one ends the process at once.
 */
export async function runCommand(
  command: Command,
  main: (given: Arguments, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const abort = new AbortController();
  const stop = () => {
    if (abort.signal.aborted) process.exit(130);
    abort.abort();
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  process.exitCode = await exitCodeOf(command, process.argv.slice(2), main, abort.signal);
  process.off("SIGINT", stop);
  process.off("SIGTERM", stop);
}
