import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { startApi } from "#local/api-server";
import { type Arguments, type Command, runCommand } from "#local/cli";
import { wallClock } from "#local/clock";
import { gitSha } from "#local/git";
import { startLive } from "#local/live";
import { parseLabels, parseWatchlist } from "#local/recording-tables";
import { readEnv } from "#runtime/config";

// Keyless and public; each serves receipts by block. ETH_RPC_URL or --rpc replaces them.
const PUBLIC_NODES = "https://ethereum-rpc.publicnode.com,https://eth.drpc.org,https://eth.llamarpc.com";
const STARTER = join(import.meta.dirname, "../packages/local/starter");

const command: Command = {
  usage: "npm run live --",
  summary: "Follows Ethereum mainnet as it grows and trades on paper. It carries on from where it stopped.",
  options: {
    rpc: { value: "URL", says: "a node, best first; default ETH_RPC_URL, then public nodes", many: true },
    okx: { value: "URL", says: "where candles come from", default: "https://www.okx.com" },
    watchlist: { value: "FILE", says: "whom to watch", default: join(STARTER, "watchlist.csv") },
    labels: { value: "FILE", says: "who is who", default: join(STARTER, "labels.csv") },
    instruments: { value: "IDS", says: "OKX swaps to trade", many: true, default: "ETH-USDT-SWAP,BTC-USDT-SWAP" },
    "chain-id": { value: "N", says: "of the chain that the nodes must serve", default: "1" },
    port: { value: "N", says: "of the HTTP API, on 127.0.0.1", default: "8787" },
    data: { value: "DIR", says: "where the database, the account and the log are kept", default: ".spyhop/live" },
  },
  notes: [
    "Trading is on paper: orders go to a venue on this machine that fills at OKX's candles.",
    "DATABASE_URL names a PostgreSQL server to use instead of the embedded database; it must be empty or this desk's own.",
    "AWS_ENDPOINT_URL names an emulator of AWS whose queues and bus are used instead of this process's (docs/compose.md).",
  ],
};

async function main(given: Arguments, signal: AbortSignal): Promise<void> {
  const directory = resolve(given.need("data"));
  const nodes = given.texts("rpc");
  const rpcUrls = nodes.length > 0 ? nodes : (readEnv("ETH_RPC_URL") ?? PUBLIC_NODES).split(",");
  const [watchFile, labelFile] = [given.need("watchlist"), given.need("labels")];
  const live = await startLive({
    directory,
    databaseUrl: readEnv("DATABASE_URL") ?? undefined,
    awsEndpoint: readEnv("AWS_ENDPOINT_URL") ?? undefined,
    rpcUrls,
    chainId: given.count("chain-id") ?? 1,
    okxUrl: given.need("okx"),
    instruments: given.texts("instruments"),
    barSeconds: 60,
    headPollSeconds: 4,
    warmupHours: 48,
    explorerUrl: "https://etherscan.io",
    watchlist: parseWatchlist(watchFile, await readFile(watchFile, "utf8")),
    labels: parseLabels(labelFile, await readFile(labelFile, "utf8")),
    gitSha: gitSha(),
    clock: wallClock,
  });
  try {
    const api = await startApi(live.desk.handlers, given.count("port") ?? 0);
    process.stdout.write(
      `following; the HTTP API is at ${api.url}, the log in ${join(directory, "log.ndjson")}. Ctrl-C ends it.\n`,
    );
    await new Promise<void>((done) => signal.addEventListener("abort", () => done(), { once: true }));
    await api.close();
  } finally {
    await live.stop();
  }
}

await runCommand(command, main);
