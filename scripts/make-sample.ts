import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Arguments, type Command, InterruptedError, runCommand, UsageError } from "#host/cli";
import { checkSample, checkTable } from "#recording/sample/check";
import { generateSample } from "#recording/sample/generate";
import { sampleContent } from "#recording/sample/sample-recording";
import { refuseForeignFolder, writeRecording } from "#recording/writer";
import { instant } from "#units/time";

const BAR_MS = 300_000;
const command: Command = {
  usage: "npm run make-sample --",
  summary: "Generates the sample recording: a local EVM node, a simulated market, and wallets of which some know it.",
  options: {
    seed: { value: "TEXT", says: "what everything is drawn from", default: "1" },
    slots: { value: "N", says: "12 s slots", default: "1800" },
    start: {
      value: "TIME",
      says: "time of the first slot, a multiple of 5 minutes",
      default: "2026-03-02T22:30:00.000Z",
    },
    out: { value: "DIR", says: "folder of the recording", default: "recordings/sample" },
  },
  notes: ["The same options give the same bytes. It needs no network; the node (anvil) comes with npm install."],
};

const sizeOf = (dir: string): number =>
  readdirSync(dir, { recursive: true, encoding: "utf8" })
    .map((file) => statSync(join(dir, file)))
    .reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0);

function startOf(given: Arguments): number {
  const startMs = Date.parse(given.need("start"));
  if (Number.isNaN(startMs) || startMs % BAR_MS !== 0)
    throw new UsageError("--start takes a time on a bar of 5 minutes");
  return startMs;
}

async function main(given: Arguments, signal: AbortSignal): Promise<void> {
  const began = performance.now();
  const [seed, out] = [given.need("seed"), given.need("out")];
  const slots = given.count("slots") ?? 0;
  if (slots < 1) throw new UsageError("--slots takes a number above 0");
  if (!/^[\w.-]{1,40}$/.test(seed)) throw new UsageError("--seed takes letters, digits, dot, dash and underscore");
  refuseForeignFolder(out);
  const progress = (slot: number, transactions: number) => {
    if (signal.aborted) throw new InterruptedError();
    if (slot % 100 === 0) console.log(`slot ${slot} of ${slots}, ${transactions} transactions`);
  };
  const sample = await generateSample({ seed, slots, startMs: startOf(given), progress });
  const manifest = await writeRecording(out, sampleContent(sample, seed));
  const { blocks, transactions, failed, bets, cast, market } = sample;
  const bars = [market.fromMs, market.toMs].map((ms) => instant(ms).slice(0, 16)).join(" to ");
  console.log(`
${out}: blocks ${manifest.fromBlock} to ${manifest.toBlock} (${blocks.length}), ${transactions} transactions, ${failed} failed
${bets.length} bets of ${cast.watchlist.length} watched wallets; bars from ${bars}
${(sizeOf(out) / 1e6).toFixed(2)} MB, ${((performance.now() - began) / 1000).toFixed(0)} s

${checkTable(checkSample(cast.whales, bets, market))}`);
}

await runCommand(command, main);
