import { join } from "node:path";
import type { Heads } from "#chain/reorg";
import { paperKey } from "#doubles/venue/key";
import { type PaperVenue, paperVenue } from "#doubles/venue/venue";
import type { Clock } from "#host/clock";
import { liveCandles } from "#recording/candle-source";
import { httpRpc } from "#runtime/node/rpc";
import { ChainIdError, RpcError } from "#runtime/node/rpc-error";
import { hostOf } from "#runtime/node/rpc-provider";
import { VenueError, VenueGuardError } from "#runtime/okx/errors";
import { okxMarket } from "#runtime/okx/market";

/** No node of the list can be followed. The message says of each why, by its host alone. */
export class NoNodeError extends Error {
  override name = "NoNodeError";
  readonly problems: readonly string[];
  constructor(chainId: number, problems: readonly string[]) {
    const list = problems.map((problem) => `\n  ${problem}`).join("");
    super(
      `no Ethereum node to follow:${list}\nCheck the network, or name a node of chain ${chainId} that you can reach: --rpc URL, or ETH_RPC_URL.`,
    );
    this.problems = problems;
  }
}

/** The venue whose candles the desk needs gives none. */
export class NoMarketError extends Error {
  override name = "NoMarketError";
  constructor(host: string, problem: string, remedy: string) {
    super(`no prices from ${host}: ${problem}\n${remedy}`);
  }
}

/** What the nodes of a list said at the start. */
export interface ReachedNodes {
  /** Of the node that is furthest. */
  readonly heads: Heads;
  readonly answering: number;
  /** Why each of the others is not used, by host. */
  readonly problems: readonly string[];
}

/** A first look may take this long: a person waits for it. */
const FIRST_LOOK_MS = 10_000;

/**
 * Asks every node for its head, all at once. @throws NoNodeError when none of the right chain answers; RangeError for a
 * text that is no URL.
 */
export async function reachNodes(urls: readonly string[], chainId: number): Promise<ReachedNodes> {
  const asked = await Promise.all(
    urls.map(async (url) => {
      try {
        return await httpRpc([url], { chainId, timeoutMs: FIRST_LOOK_MS, pool: { rounds: 1 } }).heads();
      } catch (error) {
        if (error instanceof RpcError) return `${error.provider}: ${error.problem}`;
        if (error instanceof ChainIdError) return error.message;
        throw error;
      }
    }),
  );
  const problems = asked.filter((one) => typeof one === "string");
  const found = asked.filter((one) => typeof one !== "string");
  const [heads] = found.toSorted((a, b) => b.latest.number - a.latest.number);
  if (!heads) throw new NoNodeError(chainId, problems);
  return { heads, answering: found.length, problems };
}

/** Whether a URL is this machine's own: then it is a double, not OKX. */
export const isLoopback = (url: string): boolean => ["127.0.0.1", "localhost"].includes(new URL(url).hostname);

export interface PaperMarket {
  readonly okxUrl: string;
  readonly instruments: readonly string[];
  readonly barSeconds: number;
  readonly clock: Clock;
  readonly directory: string;
}

/**
 * Opens the paper account of a folder, filled at the candles of the market as they close.
 * @throws NoMarketError when OKX does not answer or does not list an instrument; PaperStateError for a damaged account.
 */
export async function openPaperVenue(options: PaperMarket): Promise<PaperVenue> {
  const { okxUrl, instruments, barSeconds, clock, directory } = options;
  const venue = isLoopback(okxUrl) ? "paper" : "okx";
  const host = hostOf(okxUrl);
  try {
    const market = okxMarket({ venue, mode: "demo", url: okxUrl, rateLimit: venue === "okx" });
    const source = await liveCandles(market, instruments, barSeconds, clock.now());
    const listed = new Set(source.instruments().map(({ instId }) => instId));
    const missing = instruments.filter((id) => !listed.has(id));
    if (missing.length > 0) {
      const remedy = "Give USDT swaps as OKX names them (ETH-USDT-SWAP) with --instruments.";
      throw new NoMarketError(host, `it lists no live USDT swap ${missing.join(", ")}`, remedy);
    }
    return await paperVenue({ clock, source, key: paperKey, file: join(directory, "paper-account.json") });
  } catch (error) {
    if (error instanceof VenueGuardError) {
      throw new NoMarketError(host, error.message, "Give one of OKX's own hosts with --okx, https://www.okx.com.");
    }
    if (!(error instanceof VenueError)) throw error;
    const remedy = "Check the network; where www.okx.com is not served, try --okx https://eea.okx.com or us.okx.com.";
    throw new NoMarketError(host, error.message, remedy);
  }
}
