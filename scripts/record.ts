import { type Arguments, type Command, InterruptedError, runCommand, UsageError } from "#host/cli";
import { RecordingError } from "#recording/error";
import { recordChain } from "#recording/make/record-chain";
import { parseLabels, parseWatchlist } from "#recording/tables";
import { httpRpc } from "#runtime/node/rpc";
import { ChainIdError, RpcError } from "#runtime/node/rpc-error";
import { VenueError } from "#runtime/okx/errors";
import { okxMarket } from "#runtime/okx/market";
import type { Market } from "#trading/venue";

const command: Command = {
  usage: "npm run record --",
  summary: "Records blocks with their receipts from an Ethereum node, with candles, for replays (docs/recordings.md).",
  options: {
    rpc: { value: "URL", says: "JSON-RPC endpoint, best first", many: true, required: true },
    from: { value: "N", says: "first block", required: true },
    to: { value: "N", says: "last block", required: true },
    out: { value: "DIR", says: "folder of the recording; it must not exist", required: true },
    watchlist: { value: "FILE", says: "address,label,tags" },
    labels: { value: "FILE", says: "address,kind,name,source,date" },
    candles: { value: "okx|none", says: "where candles come from", default: "okx" },
    "okx-url": { value: "URL", says: "OKX's API, or a loopback double of it", default: "https://www.okx.com" },
    instruments: {
      value: "IDS",
      says: "USDT swaps, comma-separated",
      default: "ETH-USDT-SWAP,BTC-USDT-SWAP",
      many: true,
    },
    bar: { value: "SECONDS", says: "width of a candle", default: "60" },
    "chain-id": { value: "N", says: "the chain that the node must be on", default: "1" },
    "safe-lag": { value: "N", says: "blocks between newest and safe in the replay", default: "32" },
    "finalized-lag": { value: "N", says: "blocks between newest and finalized in the replay", default: "64" },
    generated: { says: "the chain is a test chain: the recording says so wherever it is shown" },
    fresh: { says: "start over instead of carrying on with an interrupted run" },
  },
  notes: [
    "Interrupted or failed, it leaves DIR.partial; the same command carries on from there.",
    "Example: npm run record -- --rpc http://127.0.0.1:8545 --from 21000000 --to 21000099 --out recordings/mine --watchlist mine.csv",
  ],
};

const NO_PRICES =
  "Check the network; where www.okx.com is not served, try --okx-url https://eea.okx.com. --candles none records without " +
  "prices. What was fetched is kept, and the same command carries on";
const NO_BLOCKS =
  "Check that the node runs, has these blocks with their receipts, and takes this key; or name another one with a further " +
  "--rpc. What was fetched is kept, and the same command carries on";

/** Returns an error of a node or of OKX with what to do about it; any other as it is. */
function withRemedy(error: unknown, given: Arguments): unknown {
  if (error instanceof VenueError) {
    const { host } = new URL(given.need("okx-url"));
    return new RecordingError(`no prices from ${host}`, error.message, NO_PRICES, error);
  }
  if (error instanceof RpcError) {
    return new RecordingError("no blocks from the node", `${error.provider}: ${error.problem}`, NO_BLOCKS, error);
  }
  if (error instanceof ChainIdError) {
    const remedy = "Name a node of that chain with --rpc, or the chain that you mean with --chain-id";
    return new RecordingError("no blocks from the node", error.message, remedy, error);
  }
  return error;
}

async function table<R>(given: Arguments, name: string, parse: (file: string, text: string) => R[]): Promise<R[]> {
  if (given.text(name) === undefined) return [];
  const { path, text } = await given.file(name);
  return parse(path, text);
}

function marketOf(given: Arguments): Market | null {
  const source = given.need("candles");
  if (source === "none") return null;
  if (source !== "okx") throw new UsageError(`--candles takes okx or none, not "${source}"`);
  const url = given.need("okx-url");
  if (!URL.canParse(url)) throw new UsageError("--okx-url takes a URL");
  const local = ["127.0.0.1", "localhost"].includes(new URL(url).hostname);
  return okxMarket({ venue: local ? "paper" : "okx", mode: "demo", url, rateLimit: !local });
}

function progressLine(): (done: number, total: number) => void {
  let shown = -1;
  return (done, total) => {
    const share = Math.floor((done / total) * 20) * 5;
    if (share === shown) return;
    shown = share;
    console.error(`${String(share).padStart(3)} %  ${done} of ${total} blocks`);
  };
}

async function main(given: Arguments, signal: AbortSignal): Promise<void> {
  const [from, to] = [given.count("from") ?? 0, given.count("to") ?? 0];
  if (from > to) throw new UsageError(`--from ${from} is after --to ${to}`);
  const urls = given.texts("rpc");
  if (!urls.every((url) => URL.canParse(url) && /^https?:/.test(url))) {
    throw new UsageError("--rpc takes http or https URLs");
  }
  const barSeconds = given.count("bar") ?? 60;
  if (![60, 300, 900, 3600].includes(barSeconds)) throw new UsageError("--bar takes 60, 300, 900 or 3600");
  const [safeLag, finalizedLag] = [given.count("safe-lag") ?? 32, given.count("finalized-lag") ?? 64];
  if (safeLag > finalizedLag) throw new UsageError("--safe-lag must not be above --finalized-lag");
  const chainId = given.count("chain-id") ?? 1;
  const out = given.need("out");
  const watchlist = await table(given, "watchlist", parseWatchlist);
  if (watchlist.length === 0) console.error("no --watchlist: the recording watches nobody until you add some");
  try {
    const manifest = await recordChain({
      rpc: httpRpc(urls, { chainId, unsigned: given.flag("generated") }),
      out,
      from,
      to,
      chainId,
      kind: given.flag("generated") ? "generated" : "recorded",
      explorer: chainId === 1 && !given.flag("generated") ? "https://etherscan.io" : null,
      finality: { safeLag, finalizedLag },
      watchlist,
      labels: await table(given, "labels", parseLabels),
      market: marketOf(given),
      instruments: given.texts("instruments"),
      barSeconds,
      fresh: given.flag("fresh"),
      signal,
      progress: progressLine(),
    });
    console.log(`${out}: blocks ${manifest.fromBlock} to ${manifest.toBlock}. ${manifest.note}`);
    console.log(`Replay it: npm start -- --recording ${out}`);
  } catch (error) {
    if (signal.aborted) throw new InterruptedError(`${out}.partial holds what was fetched; run again to carry on`);
    throw withRemedy(error, given);
  }
}

await runCommand(command, main);
