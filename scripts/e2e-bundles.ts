import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { type Arguments, type Command, runCommand } from "#host/cli";
import { openRecording } from "#recording/recording";
import { readEnv } from "#runtime/config";
import { emptyServerDatabase } from "#testing/database";
import { bundledDesk } from "./lambda/bundled-desk.ts";
import { runtimeClient } from "./lambda/runtime-client.ts";
import { walk } from "./lambda/walk.ts";

const command: Command = {
  usage: "npm run e2e:bundles --",
  summary:
    "Starts every function's bundle under AWS's own runtime client and hands it recorded events: tasks, ticks, messages, requests. After each it looks for the effect.",
  options: {
    recording: { value: "DIR", says: "where the blocks and the candles come from", default: "recordings/sample" },
    blocks: { value: "N", says: "how many blocks are ingested", default: "120" },
  },
  notes: [
    "The database is the server of TEST_DATABASE_URL, else a PostgreSQL that scripts/postgres.sh starts (root on Debian).",
    "Where the runtime client or the database cannot be had, this says so and is skipped.",
  ],
};

const SERVER = "/var/tmp/spyhop-e2e-bundles";
const script = (...args: string[]) =>
  spawnSync("bash", [join(import.meta.dirname, "postgres.sh"), ...args, SERVER], { encoding: "utf8" });

/** Returns a server and how to stop it, or why there is none. */
function server(): { url: string; stop: () => void } | { missing: string } {
  const given = readEnv("TEST_DATABASE_URL");
  if (given !== null) return { url: given, stop: () => undefined };
  const { status, stdout, stderr } = script("up");
  if (status !== 0) return { missing: `no PostgreSQL could be started: ${stderr.trim().slice(-500)}` };
  return { url: stdout.trim(), stop: () => void script("down") };
}

async function main(given: Arguments): Promise<void> {
  const say = (line: string): void => void process.stderr.write(`e2e: ${line}\n`);
  const blocks = given.count("blocks") ?? 0;
  const recording = await openRecording(given.need("recording"));
  const client = await runtimeClient(say);
  if ("missing" in client) return say(`skipped: ${client.missing}`);
  const found = server();
  if ("missing" in found) return say(`skipped: ${found.missing}`);
  try {
    const database = await emptyServerDatabase(found.url, true);
    const desk = await bundledDesk(client.entry, recording, database.url, blocks);
    try {
      await walk(desk, blocks, (what, effect) => process.stdout.write(`${what.padEnd(20)} ${effect}\n`));
      process.stdout.write(`${desk.functions.answered.size} functions answered, each from its bundle\n`);
    } finally {
      await desk.close();
      await database.drop();
    }
  } finally {
    found.stop();
  }
}

await runCommand(command, main);
