import { mkdir, readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { run } from "./run.ts";

// Where most stages are: not CloudFront's own region, so that a deploy is one to two.
const REGION = "eu-central-1";

/** An emulator of AWS on loopback (MiniStack). Its account is 000000000000. */
export interface Emulator {
  readonly endpoint: string;
  /** Of the desk, and of whoever names none. It keeps the others apart. */
  readonly region: string;
  /** What an SDK, the CDK and SST need to find it. Give it to child processes, or to this one with `setEnv`. */
  readonly env: Readonly<Record<string, string>>;
  /** Its own log, and a temporary folder per function. */
  readonly directory: string;
  /** Stops it with every function process that it started. */
  down(): Promise<void>;
}

/** Returns what an SDK client needs to call the emulator. */
export const clientOf = ({ endpoint, region }: Pick<Emulator, "endpoint" | "region">) => ({
  endpoint,
  region,
  credentials: { accessKeyId: "test", secretAccessKey: "test" },
});

const script = resolve("scripts/ministack.sh");

/**
 * Installs MiniStack into `directory` if it is not there, and starts it on a free port. It enforces the roles of the
 * functions; they run under the Node of this process.
 * @throws ProgramError with its last lines when it does not start.
 */
export async function startEmulator(directory: string): Promise<Emulator> {
  const dir = resolve(directory);
  await mkdir(dir, { recursive: true });
  await run("bash", [script, "up", dir, "0"], {
    env: { AUTH: "true", REGION, NODE_BIN: dirname(process.execPath), NODE_PATH: resolve("node_modules") },
  });
  const port = (await readFile(join(dir, "port"), "utf8")).trim();
  const endpoint = `http://127.0.0.1:${port}`;
  return {
    endpoint,
    region: REGION,
    directory: dir,
    env: {
      AWS_ENDPOINT_URL: endpoint,
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      AWS_REGION: REGION,
      AWS_DEFAULT_REGION: REGION,
      SST_TELEMETRY_DISABLED: "1",
    },
    down: async () => void (await run("bash", [script, "down", dir])),
  };
}
