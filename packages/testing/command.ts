import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../..");

/** A program that runs as a process of its own. */
export interface Running {
  readonly child: ChildProcess;
  /** What it wrote so far, to both streams. */
  readonly text: () => string;
  /** Resolves when it wrote what matches; rejects with what it wrote when it ends before. */
  readonly wrote: (pattern: RegExp) => Promise<void>;
  /** Resolves when it ended: its exit code, or the signal that killed it. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

/** Returns the file of a command ("e2e:cloud", "status") in scripts/, as `startCommand` takes it: it has the command's name. */
export function scriptOf(command: string): string {
  const file = `${command.replace(":", "-")}.ts`;
  return existsSync(join(ROOT, "scripts/operate", file)) ? `operate/${file}` : file;
}

/** Starts scripts/<script> under this Node, as a person would. `env` adds to the environment; undefined takes a variable away. */
export const startCommand = (
  script: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
): Running => startProgram([join(ROOT, "scripts", script), ...args], { ETH_RPC_URL: undefined, ...env });

/**
 * Returns the NODE_OPTIONS with which a program holds still once it wrote a line that matches, until there is a file at
 * `release`: however slow the machine is, it is at that place when the test acts on it. A signal that comes meanwhile is
 * handled first when it goes on. (SIGSTOP by itself would not do: a SIGCONT that comes before it is lost.)
 */
export function holdingAt(line: RegExp, release: string): string {
  const module = `import { existsSync } from "node:fs";
    import { isMainThread } from "node:worker_threads";
    const clock = new Int32Array(new SharedArrayBuffer(4));
    for (const stream of isMainThread ? [process.stdout, process.stderr] : []) {
      const { write } = stream;
      stream.write = (text, ...rest) => {
        const written = write.call(stream, text, ...rest);
        if (new RegExp(${JSON.stringify(line.source)}, "m").test(text))
          while (!existsSync(${JSON.stringify(release)})) Atomics.wait(clock, 0, 0, 20);
        return written;
      };
    }`;
  return `--import=data:text/javascript,${encodeURIComponent(module)}`;
}

/** Starts this Node with `args`, in the project's folder. */
export function startProgram(args: readonly string[], env: Readonly<Record<string, string | undefined>> = {}): Running {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ...args], {
    cwd: ROOT,
    env: { ...process.env, NO_COLOR: "1", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let written = "";
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      written += text;
      for (const listener of listeners) listener();
    });
  }
  const ended = new Promise<number | NodeJS.Signals>((resolve) => {
    child.on("close", (code, signal) => resolve(code ?? signal ?? -1));
  });
  const wrote = (pattern: RegExp): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = () => void (pattern.test(written) && resolve());
      listeners.add(look);
      look();
      void ended.then((code) => reject(new Error(`ended with ${code} before ${pattern}:\n${written}`)));
    });
  return { child, text: () => written, wrote, ended };
}

/** Runs a command to its end. Returns its exit code and what it wrote. */
export async function runToEnd(
  script: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<{ readonly code: number | NodeJS.Signals; readonly text: string }> {
  const running = startCommand(script, args, env);
  const code = await running.ended;
  return { code, text: running.text() };
}
