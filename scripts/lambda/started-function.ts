import { type ChildProcess, spawn } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { type Invoked, startRuntimeApi } from "./runtime-api.ts";

export interface FunctionOptions {
  /** The runtime client's entry. */
  readonly client: string;
  readonly name: string;
  /** The unpacked zip: it has index.mjs. */
  readonly directory: string;
  /** Beside what Lambda itself sets. Nothing else of this process's environment is seen. */
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
}

/** A function in a process of its own, initialised. */
export interface StartedFunction {
  /** From the start of the process until it asked for its first event. */
  readonly readyMs: number;
  /** CPU time until then, of all its threads; null where the system does not tell. */
  readonly readyCpuMs: number | null;
  invoke(event: unknown): Promise<Invoked>;
  /** What it wrote so far, to stdout and stderr. */
  log(): string;
  close(): Promise<void>;
}

/** Returns the CPU time of a process's threads that live, in milliseconds. Source: Linux, Documentation/scheduler/sched-stats. */
async function cpuMsOf(pid: number): Promise<number | null> {
  try {
    const threads = await readdir(`/proc/${pid}/task`);
    const texts = await Promise.all(threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/schedstat`, "utf8")));
    return texts.reduce((sum, text) => sum + Number(text.split(" ")[0]) / 1e6, 0);
  } catch {
    return null; // no /proc, or a kernel without the statistics
  }
}

/** What Lambda sets for every function. Source: Lambda developer guide, "Defined runtime environment variables". */
const lambdaEnvironment = ({ name, directory, memoryMb }: FunctionOptions, api: string): Record<string, string> => ({
  AWS_LAMBDA_RUNTIME_API: api,
  LAMBDA_TASK_ROOT: directory,
  _HANDLER: "index.handler",
  AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x",
  AWS_LAMBDA_FUNCTION_NAME: name,
  AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMb),
  AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
  AWS_LAMBDA_LOG_STREAM_NAME: "local",
  AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
  AWS_REGION: "us-east-1",
  AWS_DEFAULT_REGION: "us-east-1",
  TZ: ":UTC",
  PATH: "/usr/local/bin:/usr/bin:/bin",
});

/**
 * Starts a function's bundle under AWS's runtime client, as Lambda does, and returns once it is initialised.
 * @throws InitError when it never is, with what the function wrote.
 */
export async function startFunction(options: FunctionOptions): Promise<StartedFunction> {
  const api = await startRuntimeApi(options.name);
  const began = performance.now();
  const child = spawn(process.execPath, [options.client, "index.handler"], {
    cwd: options.directory,
    env: { ...lambdaEnvironment(options, api.address), ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (part) => (log += part));
  child.once("close", (code) => api.fail(`the process ended with ${code}: ${log.slice(-2000)}`));
  const close = async (): Promise<void> => {
    await stop(child);
    await api.close();
  };
  try {
    await api.ready;
  } catch (error) {
    await close();
    throw error;
  }
  const readyMs = performance.now() - began;
  const readyCpuMs = await cpuMsOf(child.pid ?? 0);
  const invoke = (event: unknown): Promise<Invoked> => api.invoke(event, options.timeoutSeconds);
  return { readyMs, readyCpuMs, invoke, log: () => log, close };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("close", resolve));
  child.kill("SIGKILL"); // as Lambda ends a process that has no extension
  await gone;
}
