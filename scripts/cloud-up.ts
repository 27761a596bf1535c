import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type Arguments, type Command, runCommand, UsageError, untilAborted } from "#host/cli";
import { readEnv } from "#runtime/config";
import { deployTo } from "./cloud/deployment.ts";
import { startEmulator } from "./cloud/emulator.ts";

const command: Command = {
  usage: "npm run cloud-up --",
  summary: "Deploys the desk to an AWS emulator on this machine (MiniStack, no Docker) and leaves it up until Ctrl-C.",
  options: {
    database: { value: "URL", says: "postgres://… of a real server; otherwise DATABASE_URL" },
    rpc: { value: "URL", says: "of an Ethereum node", default: "http://127.0.0.1:8545" },
    with: { value: "HOST", says: "who deploys: cdk or sst", default: "cdk" },
    clock: { says: "let the schedules follow the wall clock; otherwise nothing calls them" },
    directory: { value: "DIR", says: "where the emulator is kept", default: ".spyhop/cloud" },
  },
  notes: ["It needs Python 3.10 or newer, and the bundles: npm run bundle."],
};

async function main(given: Arguments, signal: AbortSignal): Promise<void> {
  const url = given.text("database") ?? readEnv("DATABASE_URL");
  if (url === null) throw new UsageError("name a database: --database or DATABASE_URL");
  const host = given.need("with");
  if (host !== "cdk" && host !== "sst") throw new UsageError("--with takes cdk or sst");
  const directory = resolve(given.need("directory"));
  const emulator = await startEmulator(join(directory, "ministack"));
  try {
    const deployment = await deployTo({
      emulator,
      host,
      directory: join(directory, "deployment"),
      secrets: {
        database: { url },
        rpc: { urls: [given.need("rpc")] },
        exchange: { mode: "demo", apiKey: "emulated", secret: "emulated", passphrase: "emulated" },
      },
      settings: {},
      schedules: given.flag("clock"),
      say: (text) => void process.stderr.write(text),
    });
    const exports = Object.entries(emulator.env).map(([name, value]) => `export ${name}=${value}`);
    const file = join(directory, "env");
    await writeFile(file, `${exports.join("\n")}\n`);
    process.stdout.write(
      `The API is at ${deployment.apiUrl}. It answers requests with the header x-origin-secret: the field value of the\n` +
        `secret spyhop/dev/origin. Source ${file} to point the AWS tools there. Ctrl-C ends it.\n`,
    );
    await untilAborted(signal);
  } finally {
    await emulator.down();
  }
}

await runCommand(command, main);
