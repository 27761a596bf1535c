import { join, relative, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Verify } from "#chain/integrity";
import { type Arguments, type Command, runCommand, UsageError } from "#host/cli";
import { wallClock } from "#host/clock";
import { gitSha } from "#host/git";
import { listen } from "#host/http";
import { startApi } from "#local/api-server";
import { type Live, startLive } from "#local/live/live";
import { liveDisplay } from "#local/live/live-status";
import { parseLabels, parseWatchlist } from "#recording/tables";
import { readEnv } from "#runtime/config";
import { hostOf } from "#runtime/node/rpc-provider";

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
    watchlist: { value: "FILE", says: "whom to watch", default: join(STARTER, "watchlist.csv") },
    labels: { value: "FILE", says: "who is who", default: join(STARTER, "labels.csv") },
    instruments: { value: "IDS", says: "OKX swaps to trade", many: true, default: "ETH-USDT-SWAP,BTC-USDT-SWAP" },
    "warmup-hours": { value: "N", says: "of candles to load for a new desk", default: "48" },
    verify: {
      value: "full|linked",
      says: "how blocks far behind the head are proven (docs/live.md)",
      default: "linked",
    },
    "chain-id": { value: "N", says: "of the chain that the nodes must serve", default: "1" },
    port: { value: "N", says: "of the HTTP API, on 127.0.0.1", default: "8787" },
    data: { value: "DIR", says: "where the database, the account and the log are kept", default: ".spyhop/live" },
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

/** @throws UsageError naming the option whose file or text cannot be used. */
async function optionsOf(given: Arguments) {
  const nodes = given.texts("rpc");
  const rpcUrls =
    nodes.length > 0 ? nodes : (readEnv("ETH_RPC_URL") ?? PUBLIC_NODES).split(",").map((url) => url.trim());
  const okxUrl = given.need("okx");
  // A node's URL may hold a key, so only its host is ever shown.
  const bad = rpcUrls.findIndex((url) => hostOf(url) === "?" || !/^https?:/.test(url));
  if (bad >= 0) throw new UsageError(`node ${bad + 1} of ${rpcUrls.length} is no http(s) URL (--rpc or ETH_RPC_URL)`);
  if (!URL.canParse(okxUrl)) throw new UsageError(`--okx takes a URL, ${OKX}`);
  const [watchFile, labelFile] = [await given.file("watchlist"), await given.file("labels")];
  return {
    rpcUrls,
    okxUrl,
    chainId: given.count("chain-id") ?? 1,
    verify: verifyOf(given.need("verify")),
    instruments: given.texts("instruments"),
    warmupHours: Math.max(1, given.count("warmup-hours") ?? 48),
    watchlist: parseWatchlist(watchFile.path, watchFile.text),
    labels: parseLabels(labelFile.path, labelFile.text),
  };
}

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
  const directory = resolve(given.need("data"));
  const port = given.count("port") ?? 0;
  if (port > 65_535) throw new UsageError("--port takes a number up to 65535");
  const options = await optionsOf(given);
  await (await listen(() => undefined, port)).close(); // a taken port shows before anything is asked or written
  const live = await startLive({
    ...options,
    directory,
    databaseUrl: readEnv("DATABASE_URL") ?? undefined,
    awsEndpoint: readEnv("AWS_ENDPOINT_URL") ?? undefined,
    barSeconds: 60,
    explorerUrl: "https://etherscan.io",
    gitSha: gitSha(),
    clock: wallClock,
    say: (text) => void process.stdout.write(`${text}\n`),
  });
  try {
    const api = await startApi(live.desk.handlers, port);
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
