import { spawn } from "node:child_process";
import { environment } from "#runtime/config";

/** A program that the command needs ended badly. Its last lines are the message. */
export class ProgramError extends Error {
  override name = "ProgramError";
  constructor(program: string, code: number | null, output: string) {
    super(`${program} ended with ${code ?? "a signal"}:\n${output.split("\n").slice(-25).join("\n")}`);
  }
}

interface RunOptions {
  /** Set beside this process's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Called with each piece of what the program says; by default it is kept for the error alone. */
  readonly say?: (text: string) => void;
  readonly cwd?: string;
}

/**
 * Runs a program in this terminal, so that it may ask questions.
 * @throws ProgramError when it does not end with 0; what it said is on the screen.
 */
export function runAttended(program: string, args: readonly string[], options: RunOptions = {}): Promise<void> {
  const child = spawn(program, args, { stdio: "inherit", env: environment(options.env ?? {}) });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve();
      else reject(new ProgramError([program, ...args].slice(0, 3).join(" "), code, "see above"));
    });
  });
}

/**
 * Runs a program and returns what it wrote on stdout. The event loop goes on meanwhile.
 * @throws ProgramError when it does not end with 0.
 */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const child = spawn(program, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: environment(options.env ?? {}),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  let out = "";
  let all = "";
  child.stdout.on("data", (chunk: Buffer) => {
    out += chunk;
    all += chunk;
    options.say?.(chunk.toString());
  });
  child.stderr.on("data", (chunk: Buffer) => {
    all += chunk;
    options.say?.(chunk.toString());
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve(out);
      else reject(new ProgramError([program, ...args].slice(0, 3).join(" "), code, all));
    });
  });
}
