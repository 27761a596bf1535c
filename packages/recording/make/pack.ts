import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import * as z from "zod";
import type { Candle } from "#units/candle";
import { gunzip } from "../blocks.ts";
import { RecordingError } from "../error.ts";
import { openRecording } from "../recording.ts";
import { InstrumentRow, issuesOf, type Label, MANIFEST_FILE, type Manifest } from "../schema.ts";
import { parseCandles } from "../tables.ts";
import { type BlockWithReceipts, writeRecording } from "../writer.ts";
import { DUNE_SOURCE, duneLabels, ETHERSCAN_SOURCE, etherscanLabels } from "./pack-labels.ts";
import { largestSenders, packWatchlist } from "./pack-watchlist.ts";

// Raise it when the same pack gives another recording: cached ones are then made again.
const ADAPTER = 2;
const BAR_SECONDS = 300;
const HOUR_MS = 3_600_000;
const BEFORE_MS = 8 * 24 * HOUR_MS;
const AFTER_MS = 26 * HOUR_MS;
const RUN = /^run_(\d+)_(\d+)$/;
const INSTRUMENTS = ["BTC-USDT-SWAP", "ETH-USDT-SWAP"];
const candleSource = (instrument: string) => `prices/okx_${instrument}_5m_2022-05_2022-08.csv.gz`;
const INSTRUMENT_SOURCE = "okx/cryptofeed_okx_instruments_2022-05-13.json.gz";
const DUNE_FILE = "labels/dune_spellbook_mit_labels.csv";
const ETHERSCAN_FILE = "labels/etherscan_account_labels_brianleect_2023-10.json.gz";

interface Pack {
  readonly root: string;
  /** Folder of the run, relative to the root. */
  readonly run: string;
  readonly from: number;
  readonly to: number;
}

/** Returns the pack at its root or at one of its runs of blocks, or null when `dir` is neither. */
function packAt(dir: string): Pack | null {
  const path = resolve(dir);
  const blocks = join(path, "blocks");
  const inside = existsSync(blocks) ? readdirSync(blocks).filter((name) => RUN.test(name)) : [];
  const run = inside.sort()[0] ?? (existsSync(path) ? basename(path) : "");
  const range = RUN.exec(run);
  if (!range || existsSync(join(path, MANIFEST_FILE))) return null;
  const root = inside.length > 0 ? path : dirname(dirname(path));
  return { root, run: `blocks/${run}`, from: Number(range[1]), to: Number(range[2]) };
}

/** Returns whether `dir` is the developers' pack of recorded blocks, or a run of blocks in it, rather than a recording. */
export const isPack = (dir: string): boolean => packAt(dir) !== null;

/** Returns the file name that a pack's recording has by convention: "mainnet-15000000-15000031". @throws RecordingError */
export const packName = (dir: string): string => {
  const { from, to } = packOrThrow(dir);
  return `mainnet-${from}-${to}`;
};

function packOrThrow(dir: string): Pack {
  const pack = packAt(dir);
  if (pack) return pack;
  const remedy = "Give the pack's folder (it has blocks/run_<from>_<to>) or that run's folder";
  throw new RecordingError(dir, "is no pack of recorded blocks", remedy);
}

const blockFiles = ({ run, from, to }: Pack): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => `${run}/${from + index}.json.gz`);

/** Returns the bytes of every file that the recording is made from. @throws RecordingError naming those that are missing */
function readFiles(pack: Pack): Map<string, Buffer> {
  const files = [...blockFiles(pack), ...INSTRUMENTS.map(candleSource), INSTRUMENT_SOURCE, DUNE_FILE, ETHERSCAN_FILE];
  const missing = files.filter((file) => !existsSync(join(pack.root, file)));
  if (missing.length > 0) {
    const more = missing.length > 1 ? ` (and ${missing.length - 1} more: ${missing.slice(1, 4).join(", ")}…)` : "";
    const remedy = "Restore it from where the pack came from; nothing was written";
    throw new RecordingError(join(pack.root, missing[0] ?? ""), `is missing from the pack${more}`, remedy);
  }
  return new Map(files.map((file) => [file, readFileSync(join(pack.root, file))]));
}

type Read = (file: string) => string;

interface PackBlock extends BlockWithReceipts {
  readonly block: { readonly timestamp: string };
}

const PackBlock = z.object({ block: z.looseObject({ timestamp: z.string() }), receipts: z.array(z.unknown()) });

// Only judged: zod's own result has its keys in another order, and a block is kept as its source wrote it.
const isPackBlock = (value: unknown): value is PackBlock => PackBlock.safeParse(value).success;

function packBlock(file: string, text: string): BlockWithReceipts & { readonly timestamp: number } {
  const fail = (cause?: unknown) =>
    new RecordingError(file, "is not a block with its receipts", "Restore the file", cause);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw fail(cause);
  }
  if (!isPackBlock(value)) throw fail();
  return { block: value.block, receipts: value.receipts, timestamp: Number(value.block.timestamp) };
}

const InstrumentReplies = z.record(
  z.string(),
  z.object({ response: z.object({ data: z.array(z.looseObject({ instId: z.string() })) }) }),
);

function packInstruments(text: string): InstrumentRow[] {
  const replies = InstrumentReplies.safeParse(JSON.parse(text));
  if (!replies.success) throw new RecordingError(INSTRUMENT_SOURCE, issuesOf(replies.error), "Restore the file");
  const rows = Object.values(replies.data).flatMap(({ response }) => response.data);
  return rows.filter(({ instId }) => INSTRUMENTS.includes(instId)).map((row) => InstrumentRow.parse(row));
}

function packCandles(read: Read, firstMs: number, lastMs: number): Record<string, Candle[]> {
  const from = new Date(firstMs - BEFORE_MS).toISOString();
  const to = new Date(lastMs + AFTER_MS).toISOString();
  const cut = (instrument: string) =>
    parseCandles(candleSource(instrument), read(candleSource(instrument)), BAR_SECONDS).filter(
      ({ openedAt }) => openedAt >= from && openedAt <= to,
    );
  return Object.fromEntries(INSTRUMENTS.map((instrument) => [instrument, cut(instrument)]));
}

/** Returns the close of the last bar that had closed at `atMs`, by asset. */
function pricesAt(candles: Readonly<Record<string, readonly Candle[]>>, atMs: number): Record<string, string> {
  const opened = new Date(atMs - BAR_SECONDS * 1000).toISOString();
  const close = (id: string) => candles[id]?.findLast(({ openedAt }) => openedAt <= opened)?.close ?? "0";
  return { ETH: close("ETH-USDT-SWAP"), BTC: close("BTC-USDT-SWAP"), USDC: "1", USDT: "1", DAI: "1" };
}

const noteOf = (labels: readonly Label[], wallets: number, senders: number, firstDay: string): string => {
  const known = labels.filter(({ date }) => date <= firstDay).length;
  return [
    "Real Ethereum mainnet blocks of 21 June 2022 with OKX's own 5-minute candles of those weeks.",
    `The watch list was chosen with hindsight: ${wallets - senders} labelled funds and DAO treasuries, and the ${senders} unlabelled senders that moved most ETH, WETH, WBTC, USDC, USDT and DAI in these very blocks.`,
    `Labels are newer than the blocks: ${known} of ${labels.length} carry a date on or before them. Only labels that name an owner are used (exchange, bridge, fund, DAO), since owners seldom change; each keeps its date. Labels of behaviour (bots, sanctions) are left out.`,
    "Balances were not recorded. Proof of work had no finality: 12 blocks stand for safe, 30 for final, and after the last block both advance one block per 12 s.",
    "Instrument rows are OKX's of 13 May 2022.",
  ].join(" ");
};

/** Returns the manifest of a cached recording that was made from the same files by the same adapter, or null. */
async function cached(outDir: string, stamp: string): Promise<Manifest | null> {
  if (!existsSync(join(outDir, MANIFEST_FILE))) return null;
  try {
    const { manifest } = await openRecording(outDir);
    return manifest.sources.includes(stamp) ? manifest : null;
  } catch (error) {
    // A damaged cache is not the user's recording: it is made again.
    if (error instanceof RecordingError) return null;
    throw error;
  }
}

function stampOf(files: ReadonlyMap<string, Buffer>): string {
  const digest = createHash("sha256");
  for (const [file, bytes] of files) digest.update(`${file}\n${bytes.length}\n`).update(bytes);
  return `pack adapter ${ADAPTER}, sha256 of its ${files.size} files ${digest.digest("hex")}`;
}

/**
 * Makes a recording at `outDir` from the developers' pack at `dir` (its root, or a run of blocks in it), unless one of the
 * same files is there already. Returns its manifest. `outDir` belongs outside of git: the pack's licences stay with it.
 * @throws RecordingError naming the first file that is missing or unreadable; nothing is written then
 */
export async function packToRecording(dir: string, outDir: string): Promise<Manifest> {
  const pack = packOrThrow(dir);
  const files = readFiles(pack);
  const stamp = stampOf(files);
  const existing = await cached(outDir, stamp);
  if (existing) return existing;
  const read: Read = (file) => {
    const bytes = files.get(file) ?? Buffer.alloc(0);
    return (file.endsWith(".gz") ? gunzip(file, bytes) : bytes).toString("utf8");
  };
  const blocks = blockFiles(pack).map((file) => packBlock(file, read(file)));
  const firstMs = (blocks[0]?.timestamp ?? 0) * 1000;
  const candles = packCandles(read, firstMs, (blocks.at(-1)?.timestamp ?? 0) * 1000);
  const dune = duneLabels(DUNE_FILE, read(DUNE_FILE));
  const etherscan = etherscanLabels(ETHERSCAN_FILE, read(ETHERSCAN_FILE));
  const labels = uniqueLabels([...dune, ...etherscan.exchanges]);
  const named = new Set([...labels.map(({ address }) => address), ...etherscan.named]);
  const senders = largestSenders(blocks, pricesAt(candles, firstMs), named);
  const watchlist = packWatchlist(labels, senders);
  return writeRecording(outDir, {
    manifest: {
      name: packName(dir),
      kind: "recorded",
      note: noteOf(labels, watchlist.length, senders.length, new Date(firstMs).toISOString().slice(0, 10)),
      chain: "ethereum",
      chainId: 1,
      explorer: "https://etherscan.io",
      barSeconds: BAR_SECONDS,
      finality: { safeLag: 12, finalizedLag: 30 },
      sources: [
        "blocks: edgeandnode/amp@188bfd41 (BSL-1.1), erigontech/rpc-tests@73992926 (Apache-2.0), category-labs/monad@c67c9f22 (GPL-3.0)",
        "candles: huckhuck12/freqtrade-futures-lab@e0b76187 (no licence file; public OKX market data)",
        "instruments: bmoscon/cryptofeed@ce58c2a0 (XFree86-style)",
        `labels: ${DUNE_SOURCE}, ${ETHERSCAN_SOURCE}`,
        stamp,
      ],
    },
    blocks,
    candles,
    instruments: packInstruments(read(INSTRUMENT_SOURCE)),
    watchlist,
    labels,
  });
}

/** Returns the labels without those that repeat an address, kind, source and name. */
const uniqueLabels = (labels: readonly Label[]): Label[] => [
  ...new Map(labels.map((label) => [[label.address, label.kind, label.source, label.name].join("\n"), label])).values(),
];
