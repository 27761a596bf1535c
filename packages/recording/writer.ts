import { createHash } from "node:crypto";
import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { makeFolder } from "#host/disk";
import type { Candle } from "#units/candle";
import { blockLine } from "./blocks.ts";
import { RecordingError } from "./error.ts";
import { openRecording } from "./recording.ts";
import {
  BALANCES_FILE,
  candleFile,
  FORMAT,
  INSTRUMENTS_FILE,
  type InstrumentRow,
  LABELS_FILE,
  type Label,
  MANIFEST_FILE,
  type Manifest,
  type RecordedBalance,
  WATCHLIST_FILE,
  type WatchedWallet,
} from "./schema.ts";
import { formatBalances, formatCandles, formatLabels, formatWatchlist } from "./tables.ts";

/** A block as JSON-RPC returned it: the results of eth_getBlockByNumber(n, true) and eth_getBlockReceipts(n). */
export interface BlockWithReceipts {
  readonly block: unknown;
  readonly receipts: unknown;
}

/** What a recording is made of. Blocks ascend; candles ascend per instrument; the rest may come in any order. */
export interface RecordingContent {
  readonly manifest: Omit<Manifest, "format" | "files" | "fromBlock" | "toBlock" | "instruments">;
  readonly blocks: Iterable<BlockWithReceipts> | AsyncIterable<BlockWithReceipts>;
  /** By instrument: these are the recording's instruments. */
  readonly candles: Readonly<Record<string, readonly Candle[]>>;
  readonly instruments: readonly InstrumentRow[];
  readonly watchlist: readonly WatchedWallet[];
  readonly labels: readonly Label[];
  readonly balances?: readonly RecordedBalance[];
  /** Further files by name, which the manifest lists and no reader of recordings opens: what was planted in a sample. */
  readonly extra?: Readonly<Record<string, string>>;
}

// Small enough that one decompressed chunk is little memory, large enough to compress well.
const CHUNK_BLOCKS = 64;
const CHUNK_BYTES = 8 * 1024 * 1024;
const OS_BYTE = 9;
const OS_UNKNOWN = 255;

/** Returns `bytes` as gzip without a time and without the operating system's number, so equal input gives equal output. */
function gzip(bytes: string | Uint8Array): Buffer {
  const zipped = gzipSync(bytes, { level: 9 });
  zipped[OS_BYTE] = OS_UNKNOWN;
  return zipped;
}

const numberOf = ({ block }: BlockWithReceipts): number =>
  typeof block === "object" && block && "number" in block ? Number(block.number) : Number.NaN;

/** Returns a function that writes one file and notes its sha256. */
function fileWriter(dir: string, files: Record<string, string>) {
  return (file: string, bytes: string | Uint8Array): void => {
    const path = join(dir, file);
    makeFolder(dirname(path));
    writeFileSync(path, bytes);
    files[file] = createHash("sha256").update(bytes).digest("hex");
  };
}

type Write = ReturnType<typeof fileWriter>;

/** Writes the chunks; returns the first and last block's number. */
async function writeBlocks(write: Write, blocks: RecordingContent["blocks"]): Promise<[number, number]> {
  let chunk: string[] = [];
  let bytes = 0;
  let chunkFrom = Number.NaN;
  let first = Number.NaN;
  let last = Number.NaN;
  const flush = () => {
    if (chunk.length > 0) write(`blocks/${chunkFrom}-${last}.ndjson.gz`, gzip(`${chunk.join("\n")}\n`));
    chunk = [];
    bytes = 0;
  };
  for await (const entry of blocks) {
    const line = blockLine(entry.block, entry.receipts);
    if (chunk.length >= CHUNK_BLOCKS || (chunk.length > 0 && bytes + line.length > CHUNK_BYTES)) flush();
    const number = numberOf(entry);
    if (chunk.length === 0) chunkFrom = number;
    if (Number.isNaN(first)) first = number;
    last = number;
    chunk.push(line);
    bytes += line.length;
  }
  flush();
  if (Number.isNaN(first)) throw new RecordingError("blocks", "there is no block to write", "Give at least one block");
  return [first, last];
}

async function writeAll(dir: string, content: RecordingContent): Promise<void> {
  const files: Record<string, string> = {};
  const write = fileWriter(dir, files);
  const [fromBlock, toBlock] = await writeBlocks(write, content.blocks);
  for (const [instrument, candles] of Object.entries(content.candles)) {
    write(candleFile(instrument), gzip(formatCandles(candles)));
  }
  write(WATCHLIST_FILE, formatWatchlist(content.watchlist));
  write(LABELS_FILE, formatLabels(content.labels));
  const rows = [...content.instruments].sort((a, b) => (a.instId < b.instId ? -1 : 1));
  write(INSTRUMENTS_FILE, `${JSON.stringify(rows, null, 2)}\n`);
  if (content.balances?.length) write(BALANCES_FILE, gzip(formatBalances(content.balances)));
  for (const [file, text] of Object.entries(content.extra ?? {})) write(file, text);
  const manifest: Manifest = {
    ...content.manifest,
    format: FORMAT,
    fromBlock,
    toBlock,
    instruments: Object.keys(content.candles).sort(),
    files: Object.fromEntries(Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1))),
  };
  const sorted = Object.fromEntries(Object.entries(manifest).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(join(dir, MANIFEST_FILE), `${JSON.stringify(sorted, null, 2)}\n`);
}

/** @throws RecordingError when `dir` holds something that is no recording: that is never overwritten. */
export function refuseForeignFolder(dir: string): void {
  if (!existsSync(dir) || existsSync(join(dir, MANIFEST_FILE)) || readdirSync(dir).length === 0) return;
  throw new RecordingError(dir, "exists and is no recording", "Give another folder, or empty that one yourself");
}

/**
 * Writes a recording and returns its manifest: equal content gives equal bytes (with the same zlib). It is written beside
 * `dir`, opened and checked there, then renamed, so `dir` holds a whole recording, the one before, or nothing.
 * @throws RecordingError when the content breaks a rule of the format, or `dir` holds something else
 */
export async function writeRecording(dir: string, content: RecordingContent): Promise<Manifest> {
  refuseForeignFolder(dir);
  const fresh = `${dir}.writing`;
  const old = `${dir}.replaced`;
  // A crash between the two renames below left only the one before: put it back.
  if (existsSync(old) && !existsSync(dir)) renameSync(old, dir);
  rmSync(fresh, { recursive: true, force: true });
  makeFolder(fresh);
  try {
    await writeAll(fresh, content);
    const { manifest } = await openRecording(fresh);
    rmSync(old, { recursive: true, force: true });
    if (existsSync(dir)) renameSync(dir, old);
    renameSync(fresh, dir);
    rmSync(old, { recursive: true, force: true });
    return manifest;
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    throw error;
  }
}
