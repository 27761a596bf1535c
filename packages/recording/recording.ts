import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Candle } from "#units/candle";
import { type BlockStore, blockStore, gunzip, type RecordedBlock, type RecordedHeader } from "./blocks.ts";
import { RecordingError } from "./error.ts";
import {
  BALANCES_FILE,
  candleFile,
  FORMAT,
  INSTRUMENTS_FILE,
  type InstrumentRow,
  issuesOf,
  LABELS_FILE,
  type Label,
  MANIFEST_FILE,
  Manifest,
  type RecordedBalance,
  WATCHLIST_FILE,
  type WatchedWallet,
} from "./schema.ts";
import {
  type CandleGap,
  gapsOf,
  parseBalances,
  parseCandles,
  parseInstruments,
  parseLabels,
  parseWatchlist,
} from "./tables.ts";

/** A recording that was read and checked. Nothing in it changes while it is open. */
export interface Recording {
  readonly dir: string;
  readonly manifest: Manifest;
  /** One header a block, ascending, contiguous: what can be asked without decompressing anything. */
  readonly headers: readonly RecordedHeader[];
  /** Returns a block with its receipts. @throws RangeError outside the recording. */
  readonly blockAt: (number: number) => RecordedBlock;
  /** Returns an instrument's bars, ascending, gaps left out. @throws RangeError for one that was not recorded. */
  readonly candles: (instrument: string) => readonly Candle[];
  /** Returns the runs of missing bars between an instrument's first and last bar. */
  readonly gaps: (instrument: string) => readonly CandleGap[];
  readonly watchlist: readonly WatchedWallet[];
  readonly labels: readonly Label[];
  /** Rows as OKX lists them. */
  readonly instruments: readonly InstrumentRow[];
  /** Balances at the end of a block, where the node gave them; empty otherwise. */
  readonly balances: readonly RecordedBalance[];
}

const AGAIN = "Copy or make the recording again";

function readManifest(dir: string): Manifest {
  const path = join(dir, MANIFEST_FILE);
  if (!existsSync(path)) {
    const remedy = "Give the folder of a recording (docs/recordings.md); `npm run record -- --help` makes one";
    throw new RecordingError(dir, `holds no ${MANIFEST_FILE}, so it is no recording`, remedy);
  }
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new RecordingError(MANIFEST_FILE, "is not JSON: truncated or changed", AGAIN, cause);
  }
  const format = typeof value === "object" && value && "format" in value ? value.format : undefined;
  if (format !== FORMAT) {
    throw new RecordingError(MANIFEST_FILE, `its format is ${JSON.stringify(format)}, not "${FORMAT}"`, AGAIN);
  }
  const result = Manifest.safeParse(value);
  if (!result.success) throw new RecordingError(MANIFEST_FILE, issuesOf(result.error), AGAIN);
  return result.data;
}

/** Returns a reader of the listed files that compares each with its sha256. */
function checkedReader(dir: string, manifest: Manifest): (file: string) => Buffer {
  return (file) => {
    const expected = manifest.files[file];
    if (!expected) throw new RecordingError(file, `is not listed in ${MANIFEST_FILE}`, AGAIN);
    if (!existsSync(join(dir, file))) throw new RecordingError(file, "is missing", AGAIN);
    const bytes = readFileSync(join(dir, file));
    const actual = createHash("sha256").update(bytes).digest("hex");
    if (actual === expected) return bytes;
    if (file.endsWith(".gz")) gunzip(file, bytes);
    throw new RecordingError(file, `was changed: sha256 ${actual}, the manifest says ${expected}`, AGAIN);
  };
}

const CHUNK = /^blocks\/(\d+)-(\d+)\.ndjson\.gz$/;

/** Returns the block files in order. @throws RecordingError for a stray file name, or when there is none. */
function chunksOf(manifest: Manifest): string[] {
  const firstOf = (file: string): number => {
    const first = CHUNK.exec(file)?.[1];
    if (!first) throw new RecordingError(file, "is not named blocks/<from>-<to>.ndjson.gz", AGAIN);
    return Number(first);
  };
  const chunks = Object.keys(manifest.files)
    .filter((file) => file.startsWith("blocks/"))
    .sort((a, b) => firstOf(a) - firstOf(b));
  if (chunks.length === 0) throw new RecordingError(MANIFEST_FILE, "lists no file of blocks", AGAIN);
  return chunks;
}

/** @throws RecordingError when the blocks are not those that the manifest and the file names promise. */
function checkRange(manifest: Manifest, chunks: readonly string[], { headers }: BlockStore): void {
  const [first, last] = [headers[0]?.number, headers.at(-1)?.number];
  if (first !== manifest.fromBlock || last !== manifest.toBlock) {
    const problem = `names blocks ${manifest.fromBlock}–${manifest.toBlock}, the files hold ${first}–${last}`;
    throw new RecordingError(MANIFEST_FILE, problem, AGAIN);
  }
  const named = chunks.map((file) => CHUNK.exec(file)?.slice(1, 3).map(Number) ?? []);
  const held = named.reduce((sum, [from = 0, to = 0]) => sum + to - from + 1, 0);
  const joined = named.every(([from], index) => index === 0 || from === (named[index - 1]?.[1] ?? 0) + 1);
  if (held !== headers.length || !joined) {
    throw new RecordingError(MANIFEST_FILE, "lists block files whose names are not what they hold", AGAIN);
  }
}

/**
 * Opens a recording and checks all of it: the manifest, each file's sha256, each line, that the blocks follow each other,
 * that receipts belong to their block, and that bars are sorted, aligned and possible. Only the small tables stay in
 * memory; blocks are decompressed when asked for.
 * @throws RecordingError naming the file, what is wrong and what to do   Source: docs/recordings.md
 */
export async function openRecording(dir: string): Promise<Recording> {
  const manifest = readManifest(dir);
  const read = checkedReader(dir, manifest);
  const text = (file: string): string => read(file).toString("utf8");
  const zipped = (file: string): string => gunzip(file, read(file)).toString("utf8");

  const watchlist = parseWatchlist(WATCHLIST_FILE, text(WATCHLIST_FILE));
  const labels = parseLabels(LABELS_FILE, text(LABELS_FILE));
  const instruments = parseInstruments(INSTRUMENTS_FILE, text(INSTRUMENTS_FILE), manifest.instruments);
  const bars = new Map(
    manifest.instruments.map((id) => [id, parseCandles(candleFile(id), zipped(candleFile(id)), manifest.barSeconds)]),
  );
  const balances = manifest.files[BALANCES_FILE] ? parseBalances(BALANCES_FILE, zipped(BALANCES_FILE)) : [];
  const chunks = chunksOf(manifest);
  const blocks = blockStore(chunks, read);
  checkRange(manifest, chunks, blocks);

  const candles = (instrument: string): readonly Candle[] => {
    const found = bars.get(instrument);
    if (!found) throw new RangeError(`${instrument} is not in the recording ${manifest.name}`);
    return found;
  };
  const gaps = (instrument: string) => gapsOf(candles(instrument), manifest.barSeconds);
  return { dir, manifest, ...blocks, candles, gaps, watchlist, labels, instruments, balances };
}
