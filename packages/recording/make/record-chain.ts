import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import type { FullBlock, Header } from "#chain/block";
import type { ChainNode } from "#chain/node";
import { NATIVE, TOKENS } from "#chain/tokens";
import { touchesOf, watchSet } from "#chain/touch";
import type { Market } from "#trading/venue";
import type { Candle } from "#units/candle";
import { sha256 } from "#units/ids";
import { instant, millis } from "#units/time";
import { instrumentRow } from "../candle-source.ts";
import { RecordingError } from "../error.ts";
import {
  InstrumentRow,
  type Label,
  MANIFEST_FILE,
  type Manifest,
  type RecordedBalance,
  type WatchedWallet,
} from "../schema.ts";
import { type BlockWithReceipts, refuseForeignFolder, writeRecording } from "../writer.ts";
import { openParts, type Parts } from "./record-parts.ts";

export interface RecordJob {
  readonly rpc: ChainNode;
  readonly out: string;
  readonly from: number;
  readonly to: number;
  readonly chainId: number;
  readonly kind: Manifest["kind"];
  readonly explorer: string | null;
  readonly finality: Manifest["finality"];
  readonly watchlist: readonly WatchedWallet[];
  readonly labels: readonly Label[];
  /** Where candles and contract terms come from; null = the recording has none. */
  readonly market: Market | null;
  readonly instruments: readonly string[];
  readonly barSeconds: number;
  /** Start over instead of carrying on with what an interrupted run fetched. */
  readonly fresh: boolean;
  readonly signal: AbortSignal;
  readonly progress: (done: number, total: number) => void;
}

// Headers asked at once, and blocks fetched at once: public endpoints refuse more.
const PAGE = 32;
const PARALLEL = 4;
const CANDLE_PAGE = 300;
// For volatility and warm-up before the first block, and until the longest outcome has settled after the last.
const BEFORE_MS = 8 * 24 * 3_600_000;
const AFTER_MS = 26 * 3_600_000;

/** Whether the node still answers for state. Once it gave nothing for a block, later ones are not asked. */
interface State {
  given: boolean;
}

/**
 * Records blocks `from` to `to` of a node into the folder `out` and returns the manifest. Each block is proven (its
 * header, transactions, receipts and withdrawals by their roots) as it comes. What was fetched stays in `<out>.partial` until the end, so that the
 * same job carries on after an interruption; `out` appears only when all of it is whole.
 * @throws RecordingError when the node has not the blocks, `out` is in use, or the result breaks a rule of the format
 */
export async function recordChain(job: RecordJob): Promise<Manifest> {
  const { out, from, to, rpc } = job;
  refuseUsedFolder(out);
  const { latest, finalized } = await rpc.heads();
  if (latest.number < to) {
    throw new RecordingError(
      out,
      `the node's newest block is ${latest.number}, before ${to}`,
      "Ask for earlier blocks",
    );
  }
  const instruments = await fetchInstruments(job); // a venue that does not answer shows before the blocks are fetched
  const watched = sha256(job.watchlist.map(({ address }) => address).join("\n"));
  const parts = openParts(out, { chainId: job.chainId, from, to, watched }, job.fresh);
  const headers = await fetchBlocks(job, parts);
  const [first, last] = [headers[0], headers.at(-1)];
  if (!first || !last) throw new RecordingError(out, `the node gave no block ${from}`, "Ask for other blocks");
  const candles = await fetchCandles(job, first.timestamp * 1000, last.timestamp * 1000);
  const balances = headers.map(({ number, hash }) => parts.read(number, hash)?.balances ?? null);
  const manifest = await writeRecording(out, {
    manifest: {
      name: basename(resolve(out)).replace(/[^A-Za-z0-9._-]/g, "-"),
      kind: job.kind,
      note: noteOf(job, balances, finalized.number),
      chain: "ethereum",
      chainId: job.chainId,
      explorer: job.explorer,
      barSeconds: job.barSeconds,
      finality: job.finality,
      sources: ["blocks: JSON-RPC", ...(job.market ? ["candles and instruments: OKX v5, public market data"] : [])],
    },
    blocks: storedBlocks(parts, headers),
    candles,
    instruments,
    watchlist: job.watchlist,
    labels: job.labels,
    balances: balances.flatMap((rows) => rows ?? []),
  });
  parts.remove();
  return manifest;
}

function refuseUsedFolder(out: string): void {
  refuseForeignFolder(out);
  if (!existsSync(join(out, MANIFEST_FILE))) return;
  throw new RecordingError(out, "holds a recording already", "Give another folder, or remove that one yourself");
}

/** Fetches what is not there yet, page by page. Returns the headers of all blocks. */
async function fetchBlocks(job: RecordJob, parts: Parts): Promise<Header[]> {
  const { from, to, rpc, signal, progress } = job;
  const all: Header[] = [];
  const state: State = { given: true };
  for (let start = from; start <= to; start += PAGE) {
    const page = await rpc.headers(start, Math.min(PAGE, to - start + 1));
    const headers = page.map((header, index) => linked(header, start + index, all.at(-1), page[index - 1]));
    const missing = headers.filter(({ number, hash }) => parts.read(number, hash) === null);
    let done = headers.length - missing.length;
    const worker = async (): Promise<void> => {
      for (let header = missing.shift(); header; header = missing.shift()) {
        signal.throwIfAborted();
        await fetchBlock(job, parts, header, state);
        done += 1;
        progress(all.length + done, to - from + 1);
      }
    };
    const stopOthers = (error: unknown) => {
      missing.length = 0;
      throw error;
    };
    await Promise.all(Array.from({ length: PARALLEL }, () => worker().catch(stopOthers)));
    all.push(...headers);
    progress(all.length, to - from + 1);
  }
  return all;
}

const CHANGED = "The chain changed while it was read: run the command again to carry on";

/** Returns the header. @throws RecordingError when there is none, or its parent is not the block before. */
function linked(header: Header | null, number: number, last: Header | undefined, before?: Header | null): Header {
  const parent = before ?? last;
  if (!header) throw new RecordingError(`block ${number}`, "the node does not have it", CHANGED);
  if (!parent || header.parentHash === parent.hash) return header;
  throw new RecordingError(`block ${number}`, `its parent is not block ${parent.number} as read before`, CHANGED);
}

async function fetchBlock(job: RecordJob, parts: Parts, header: Header, state: State): Promise<void> {
  const full = await job.rpc.blockWithReceipts(header);
  if (!full) throw new RecordingError(`block ${header.number}`, `no node has ${header.hash} any more`, CHANGED);
  const balances = await fetchBalances(job, full, header.number, state);
  parts.write(header.number, { block: full.block, receipts: full.receipts, balances });
}

/** Returns the balances that the desk asks about a block: ether after and before it, known tokens before it. */
async function fetchBalances(
  { rpc, watchlist }: RecordJob,
  full: FullBlock,
  number: number,
  state: State,
): Promise<RecordedBalance[] | null> {
  const touched = touchesOf(full, watchSet(watchlist.map(({ address }) => address)));
  const wallets = [...new Set(touched.map(({ wallet }) => wallet))];
  if (wallets.length === 0 || number === 0) return [];
  if (!state.given) return null;
  const asked = wallets.flatMap((address) => [
    { address, token: NATIVE, block: number },
    ...TOKENS.map((token) => ({ address, token: token.address, block: number - 1 })),
  ]);
  const answers = await rpc.balances(asked);
  const rows = asked.flatMap((question, index) => {
    const answer = answers[index];
    return typeof answer === "bigint" ? [{ ...question, balance: `0x${answer.toString(16)}` }] : [];
  });
  if (rows.length === 0) state.given = false;
  return rows.length === 0 ? null : rows;
}

function* storedBlocks(parts: Parts, headers: readonly Header[]): Generator<BlockWithReceipts> {
  for (const { number, hash } of headers) {
    const part = parts.read(number, hash);
    if (!part) throw new RecordingError(parts.dir, `block ${number} is gone`, "Run the command again to fetch it");
    yield { block: part.block, receipts: part.receipts };
  }
}

/** Returns the bars around the blocks by instrument: from 8 days before the first to 26 h after the last, as far as closed. */
async function fetchCandles(job: RecordJob, firstMs: number, lastMs: number): Promise<Record<string, Candle[]>> {
  const { market, instruments, barSeconds, signal } = job;
  if (!market) return {};
  const width = barSeconds * 1000;
  const end = instant(lastMs + AFTER_MS);
  const candles: Record<string, Candle[]> = {};
  for (const instrument of instruments) {
    const bars: Candle[] = [];
    let sinceMs = Math.floor((firstMs - BEFORE_MS) / width) * width;
    while (sinceMs <= lastMs + AFTER_MS) {
      signal.throwIfAborted();
      const page = await market.candles(instrument, barSeconds, instant(sinceMs), CANDLE_PAGE);
      bars.push(...page.filter(({ openedAt }) => openedAt <= end));
      const newest = page.at(-1);
      // An empty page is a gap, or the end of what has closed.
      sinceMs = newest ? millis(newest.openedAt) + width : sinceMs + CANDLE_PAGE * width;
    }
    if (bars.length === 0) {
      throw new RecordingError(
        instrument,
        "the venue has no candles around these blocks",
        "Try --bar 300 or --candles none",
      );
    }
    candles[instrument] = bars;
  }
  return candles;
}

async function fetchInstruments({ market, instruments }: RecordJob): Promise<InstrumentRow[]> {
  const listed = market ? await market.instruments(instruments) : [];
  const missing = instruments.find((id) => market && !listed.some((row) => row.id === id));
  if (missing) throw new RecordingError(missing, "is not listed by the venue", "Leave it out of --instruments");
  return listed.map((row) => InstrumentRow.parse(instrumentRow(row)));
}

function noteOf(job: RecordJob, balances: readonly (readonly RecordedBalance[] | null)[], finalized: number): string {
  const without = balances.filter((rows) => rows === null).length;
  const open = Math.max(0, job.to - Math.max(finalized, job.from - 1));
  return [
    `Blocks ${job.from} to ${job.to} of chain ${job.chainId} as a node returned them.`,
    without > 0 ? `The node gave no balances for ${without} of ${balances.length} blocks.` : "",
    open > 0 ? `The last ${open} were not final when they were recorded.` : "",
    job.market ? "" : "No candles: nothing in it has a price.",
  ]
    .filter(Boolean)
    .join(" ");
}
