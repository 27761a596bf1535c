import { gunzipSync } from "node:zlib";
import { RecordingError } from "./error.ts";
import { BlockShape, issuesOf, ReceiptsShape } from "./schema.ts";

/** What is known of every block without decompressing it. `timestamp` in seconds. */
export interface RecordedHeader {
  readonly number: number;
  readonly hash: string;
  readonly parentHash: string;
  readonly timestamp: number;
}

/** A block as it is served: the two JSON texts are views into a decompressed chunk, in UTF-8. */
export interface RecordedBlock extends RecordedHeader {
  /** The result of eth_getBlockByNumber(number, true). */
  readonly blockJson: Buffer;
  /** The result of eth_getBlockReceipts(number). */
  readonly receiptsJson: Buffer;
  /** The whole line of the recording. */
  readonly line: string;
}

/** Where a block's JSON texts stand in its decompressed chunk. */
interface Place extends RecordedHeader {
  readonly chunk: number;
  readonly start: number;
  readonly split: number;
  readonly end: number;
}

const HEAD = Buffer.from('{"block":');
const SPLIT = Buffer.from(',"receipts":');
const LINE_FEED = 10;
const CLOSING_BRACE = 125;
const MADE_AGAIN = "Make the recording again";

/** Returns the line of `blocks/*.ndjson.gz` for a block and its receipts: compact, so that no line break is inside. */
export const blockLine = (block: unknown, receipts: unknown): string =>
  `{"block":${JSON.stringify(block)},"receipts":${JSON.stringify(receipts)}}`;

/** Returns the bytes of a gzip file. @throws RecordingError when they are cut short or damaged. */
export function gunzip(file: string, bytes: Uint8Array): Buffer {
  try {
    return gunzipSync(bytes);
  } catch (cause) {
    const cut = cause instanceof Error && cause.message.includes("unexpected end of file");
    const problem = cut ? "is truncated: the gzip stream ends early" : "is not a readable gzip file";
    throw new RecordingError(file, problem, "Copy or make the recording again", cause);
  }
}

function parsed(file: string, line: number, bytes: Buffer, what: string): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch (cause) {
    throw new RecordingError(file, `line ${line}: ${what} is not JSON`, MADE_AGAIN, cause);
  }
}

function headerOf(file: string, line: number, blockJson: Buffer, receiptsJson: Buffer): RecordedHeader {
  const fail = (problem: string) => new RecordingError(file, `line ${line}: ${problem}`, MADE_AGAIN);
  const block = BlockShape.safeParse(parsed(file, line, blockJson, "the block"));
  if (!block.success) throw fail(`the block is not as eth_getBlockByNumber returns it (${issuesOf(block.error)})`);
  const receipts = ReceiptsShape.safeParse(parsed(file, line, receiptsJson, "the receipts"));
  if (!receipts.success) {
    throw fail(`the receipts are not as eth_getBlockReceipts returns them (${issuesOf(receipts.error)})`);
  }
  const { hash, parentHash, transactions } = block.data;
  const number = Number(block.data.number);
  if (receipts.data.length !== transactions.length) {
    throw fail(`block ${number} has ${transactions.length} transactions and ${receipts.data.length} receipts`);
  }
  receipts.data.forEach((receipt, index) => {
    if (receipt.blockHash !== hash) {
      throw fail(`block ${number}: receipt ${index} is of block ${receipt.blockHash}, not ${hash}`);
    }
    if (receipt.transactionHash !== transactions[index]?.hash) {
      throw fail(`block ${number}: receipt ${index} is of another transaction`);
    }
  });
  return { number, hash, parentHash, timestamp: Number(block.data.timestamp) };
}

/** Returns the places of a chunk's blocks. @throws RecordingError at the first line that is not a block. */
function placesOf(file: string, chunk: number, bytes: Buffer): Place[] {
  const places: Place[] = [];
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(LINE_FEED, start);
    const end = found < 0 ? bytes.length : found;
    const split = bytes.indexOf(SPLIT, start);
    const line = places.length + 1;
    const shaped = bytes.subarray(start, start + HEAD.length).equals(HEAD) && bytes[end - 1] === CLOSING_BRACE;
    if (!shaped || split < 0 || split > end) {
      throw new RecordingError(file, `line ${line} is not {"block":…,"receipts":…}`, MADE_AGAIN);
    }
    const place = { chunk, start: start + HEAD.length, split, end: end - 1 };
    const receiptsJson = bytes.subarray(split + SPLIT.length, place.end);
    places.push({ ...place, ...headerOf(file, line, bytes.subarray(place.start, split), receiptsJson) });
    start = end + 1;
  }
  return places;
}

/** @throws RecordingError when a block does not follow the one before it by number, parent hash and time. */
function checkLink(file: string, before: RecordedHeader | undefined, block: RecordedHeader): void {
  if (!before) return;
  const fail = (problem: string) => new RecordingError(file, problem, MADE_AGAIN);
  if (block.number !== before.number + 1) {
    throw fail(`block ${block.number} follows ${before.number}: blocks must be contiguous`);
  }
  if (block.parentHash !== before.hash) {
    throw fail(`block ${block.number} has parent ${block.parentHash}, but block ${before.number} is ${before.hash}`);
  }
  if (block.timestamp < before.timestamp) throw fail(`block ${block.number} is older than block ${before.number}`);
}

export interface BlockStore {
  /** Ascending by number, contiguous. */
  readonly headers: readonly RecordedHeader[];
  /** Returns a block, decompressing its chunk unless that is still at hand. @throws RangeError outside the recording. */
  readonly blockAt: (number: number) => RecordedBlock;
}

/**
 * Returns the blocks of the chunk files, in order, after reading and checking every line once. Only places are kept;
 * chunks are decompressed again on demand and held up to `cacheBytes`.
 * @throws RecordingError for damage, a line of another shape, or blocks that do not follow each other.
 */
export function blockStore(
  files: readonly string[],
  read: (file: string) => Uint8Array,
  cacheBytes = 48 * 1024 * 1024,
): BlockStore {
  const places: Place[] = [];
  files.forEach((file, chunk) => {
    for (const place of placesOf(file, chunk, gunzip(file, read(file)))) {
      checkLink(file, places.at(-1), place);
      places.push(place);
    }
  });
  const chunkAt = chunkCache(files, read, cacheBytes);
  const first = places[0]?.number ?? 0;
  const blockAt = (number: number): RecordedBlock => {
    const place = places[number - first];
    if (!place) throw new RangeError(`block ${number} is not in the recording`);
    const bytes = chunkAt(place.chunk);
    return recordedBlock(
      place,
      bytes.subarray(place.start, place.split),
      bytes.subarray(place.split + SPLIT.length, place.end),
    );
  };
  return { headers: places, blockAt };
}

/** Returns a served block from its header and JSON texts. */
export function recordedBlock(header: RecordedHeader, blockJson: Buffer, receiptsJson: Buffer): RecordedBlock {
  const { number, hash, parentHash, timestamp } = header;
  return {
    number,
    hash,
    parentHash,
    timestamp,
    blockJson,
    receiptsJson,
    get line() {
      return `{"block":${blockJson.toString("utf8")},"receipts":${receiptsJson.toString("utf8")}}`;
    },
  };
}

/** Returns a reader of decompressed chunks that keeps the last used ones within `cacheBytes` (at least one). */
function chunkCache(files: readonly string[], read: (file: string) => Uint8Array, cacheBytes: number) {
  const cache = new Map<number, Buffer>();
  return (chunk: number): Buffer => {
    const file = files[chunk] ?? "";
    const bytes = cache.get(chunk) ?? gunzip(file, read(file));
    cache.delete(chunk);
    cache.set(chunk, bytes);
    let held = [...cache.values()].reduce((sum, kept) => sum + kept.length, 0);
    for (const [oldest, kept] of cache) {
      if (held <= cacheBytes || cache.size === 1) break;
      cache.delete(oldest);
      held -= kept.length;
    }
    return bytes;
  };
}
