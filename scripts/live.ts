import { readFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Verify } from "#chain/integrity";
import { type Arguments, type Command, runCommand, UsageError } from "#host/cli";
import { wallClock } from "#host/clock";
import { gitSha } from "#host/git";
import { listen } from "#host/http";
import { POLICY_FILE, readPolicy } from "#host/policy-file";
import { startApi } from "#local/api-server";
import { type Live, type LiveOptions, startLive } from "#local/live/live";
import { liveDisplay } from "#local/live/live-status";
import { playRecording, type RecordedMarket } from "#local/live/recorded-market";
import { recordingAt } from "#recording/at";
import { policyOn } from "#recording/policy";
import type { Recording } from "#recording/recording";
import { parseLabels, parseWatchlist } from "#recording/tables";
import { readEnv } from "#runtime/config";
import { hostOf } from "#runtime/node/rpc-provider";
import { instant } from "#units/time";

// Keyless and public; each serves receipts by block. ETH_RPC_URL or --rpc replaces them.
const PUBLIC_NODES = "https://ethereum-rpc.publicnode.com,https://eth.drpc.org,https://eth.llamarpc.com";
const STARTER = "packages/local/live/starter";
const OKX = "https://www.okx.com";

const command: Command = {
  usage: "npm run live --",
  summary: "Follows Ethereum mainnet as it grows and trades on paper. It carries on from where it stopped.",
  options: {
    rpc: { value: "URL", says: "a node, best first; default ETH_RPC_URL, then public nodes", many: true },
    okx: { value: "URL", says: "where candles come from", default: OKX },
    recording: { value: "DIR", says: "plays a recording as if it happened now, without any network (docs/live.md)" },
    watchlist: { value: "FILE", says: `whom to watch; default ${join(STARTER, "watchlist.csv")}, or the recording's` },
    labels: { value: "FILE", says: `who is who; default ${join(STARTER, "labels.csv")}, or the recording's` },
    instruments: { value: "IDS", says: "OKX swaps to trade", many: true, default: "ETH-USDT-SWAP,BTC-USDT-SWAP" },
    "warmup-hours": { value: "N", says: "of candles to load for a new desk", default: "48" },
    verify: {
      value: "full|linked",
      says: "how blocks far behind the head are proven (docs/live.md)",
      default: "linked",
    },
    "chain-id": { value: "N", says: "of the chain that the nodes must serve", default: "1" },
    policy: {
      value: "FILE",
      says: "limits that differ; default policy.toml, or the practice policy on generated input",
    },
    port: { value: "N", says: "of the HTTP API, on 127.0.0.1", default: "8787" },
    data: { value: "DIR", says: "where all is kept; default .spyhop/live, or .spyhop/live-NAME of a recording" },
  },
  notes: [
    "Trading is on paper: orders go to a venue on this machine that fills at OKX's candles.",
    "DATABASE_URL names a PostgreSQL server to use instead of the embedded database; it must be empty or this desk's own.",
    "AWS_ENDPOINT_URL names an emulator of AWS whose queues and bus are used instead of this process's (docs/compose.md).",
    "ETH_RPC_URL and --rpc take several nodes, separated by commas; the next one is asked when one fails or hangs behind.",
  ],
};

function verifyOf(text: string): Verify {
  if (text !== "full" && text !== "linked") throw new UsageError(`--verify takes full or linked, not ${text}`);
  return text;
}

/** What a desk follows: nodes, a market, a clock, and who is watched there unless files say otherwise. */
type Source = Pick<
  LiveOptions,
  | "rpcUrls"
  | "okxUrl"
  | "chainId"
  | "barSeconds"
  | "explorerUrl"
  | "input"
  | "clock"
  | "watchlist"
  | "labels"
  | "policy"
>;

/** @throws UsageError naming the option whose text cannot be used. */
async function networkOf(given: Arguments): Promise<Source> {
  const nodes = given.texts("rpc");
  const rpcUrls =
    nodes.length > 0 ? nodes : (readEnv("ETH_RPC_URL") ?? PUBLIC_NODES).split(",").map((url) => url.trim());
  const okxUrl = given.need("okx");
  // A node's URL may hold a key, so only its host is ever shown.
  const bad = rpcUrls.findIndex((url) => hostOf(url) === "?" || !/^https?:/.test(url));
  if (bad >= 0) throw new UsageError(`node ${bad + 1} of ${rpcUrls.length} is no http(s) URL (--rpc or ETH_RPC_URL)`);
  if (!URL.canParse(okxUrl)) throw new UsageError(`--okx takes a URL, ${OKX}`);
  const starter = (name: string): Promise<string> => readFile(join(STARTER, name), "utf8");
  return {
    ...{ rpcUrls, okxUrl, chainId: given.count("chain-id") ?? 1, barSeconds: 60, policy: readPolicy(POLICY_FILE) },
    ...{ explorerUrl: "https://etherscan.io", input: { name: "live", generated: false }, clock: wallClock },
    watchlist: parseWatchlist("watchlist.csv", await starter("watchlist.csv")),
    labels: parseLabels("labels.csv", await starter("labels.csv")),
  };
}

/** Plays a recording in place of the network. */
function recordedSource({ manifest, watchlist, labels }: Recording, market: RecordedMarket): Source {
  const policy = policyOn(manifest);
  const { name, kind, chainId, barSeconds, explorer } = manifest;
  return {
    ...{ rpcUrls: [market.rpcUrl], okxUrl: market.okxUrl, clock: market.clock, chainId, barSeconds },
    ...{ explorerUrl: explorer ?? "", input: { name, generated: kind === "generated" }, watchlist, labels, policy },
  };
}

/** Returns what the files that were named replace. @throws UsageError naming the option */
async function filesOf(given: Arguments): Promise<Partial<Source>> {
  const watchFile = given.text("watchlist") === undefined ? null : await given.file("watchlist");
  const policyFile = given.text("policy");
  const labelFile = given.text("labels") === undefined ? null : await given.file("labels");
  return {
    ...(policyFile !== undefined && { policy: readPolicy(policyFile) }),
    ...(watchFile && { watchlist: parseWatchlist(watchFile.path, watchFile.text) }),
    ...(labelFile && { labels: parseLabels(labelFile.path, labelFile.text) }),
  };
}

const settingsOf = (given: Arguments) => ({
  verify: verifyOf(given.need("verify")),
  instruments: given.texts("instruments"),
  warmupHours: Math.max(1, given.count("warmup-hours") ?? 48),
});

const SHOW_MS = 5000;

/** Shows the desk's status until the signal. */
async function follow(live: Live, signal: AbortSignal): Promise<void> {
  const display = liveDisplay(process.stdout, await live.status());
  while (!signal.aborted) {
    display.show(await live.status());
    await pause(SHOW_MS, undefined, { signal }).catch(() => undefined); // aborted: the loop's condition ends it
  }
  display.done();
}

async function main(given: Arguments, signal: AbortSignal): Promise<void> {
  const dir = given.text("recording");
  if (dir !== undefined && given.texts("rpc").length > 0) throw new UsageError("give --recording or --rpc, not both");
  const recording = dir === undefined ? null : await recordingAt(dir, ".spyhop");
  const directory = resolve(
    given.text("data") ?? join(".spyhop", recording === null ? "live" : `live-${recording.manifest.name}`),
  );
  const port = given.count("port") ?? 0;
  if (port > 65_535) throw new UsageError("--port takes a number up to 65535");
  const files = await filesOf(given);
  const network = recording === null ? await networkOf(given) : null;
  const settings = settingsOf(given);
  await (await listen(() => undefined, port)).close(); // a taken port shows before anything is asked or written
  const market = recording === null ? null : await playRecording(recording, directory);
  try {
    const source = network ?? (recording && market && recordedSource(recording, market));
    if (source === null) throw new TypeError("a desk follows the network or a recording");
    if (recording && market)
      say(`playing ${recording.manifest.name} (${recording.manifest.kind}) until ${clockText(market.endsAt)}`);
    await runDesk({ ...source, ...files, ...settings }, directory, port, signal);
  } finally {
    await market?.close();
  }
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const clockText = (ms: number): string => `${instant(ms).slice(11, 16)} UTC`;

/** Runs the desk until the signal. */
async function runDesk(
  options: Source & ReturnType<typeof settingsOf>,
  directory: string,
  port: number,
  signal: AbortSignal,
): Promise<void> {
  const live = await startLive({
    ...options,
    directory,
    databaseUrl: readEnv("DATABASE_URL") ?? undefined,
    awsEndpoint: readEnv("AWS_ENDPOINT_URL") ?? undefined,
    gitSha: gitSha(),
    say,
  });
  try {
    const api = await startApi(live.desk.handlers, port, options.clock.now);
    process.stdout.write(
      `following ${options.watchlist.length} wallets, trading ${options.instruments.join(", ")} on paper.\n` +
        `HTTP API: ${api.url}   log: ${relative(process.cwd(), join(directory, "log.ndjson"))}   Ctrl-C ends it.\n`,
    );
    await follow(live, signal);
    process.stdout.write("stopping after the work in hand (Ctrl-C again ends at once) ...\n");
    await api.close();
  } finally {
    await live.stop();
  }
  process.stdout.write("stopped; the same command carries on from here.\n");
}

await runCommand(command, main);
