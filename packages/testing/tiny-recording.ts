import { bloomBits } from "#chain/keccak";
import type { RecordingContent } from "#recording/writer";
import type { Candle } from "#units/candle";
import { decimalOf } from "#units/decimal";
import { sha256 } from "#units/ids";
import { instant } from "#units/time";

const TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
const USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48";
const hash = (...parts: readonly (string | number)[]): string => `0x${sha256(parts.join(" "))}`;
const hex = (number: number): string => `0x${number.toString(16)}`;

/** Two wallets of the generated blocks, in lower case; the first one watched by the tiny recording. */
export const WHALE = `0x${"a1".repeat(20)}`;
export const OTHER = `0x${"b2".repeat(20)}`;

/** Returns the logs bloom that exactly holds `values` (addresses and topics). */
export function bloomOf(values: readonly string[]): string {
  const bytes = new Uint8Array(256);
  for (const value of values) {
    const packed = bloomBits(value);
    const low = packed % 4_194_304;
    for (const bit of [low & 2047, low >> 11, Math.floor(packed / 4_194_304)]) {
      bytes[255 - (bit >> 3)] = (bytes[255 - (bit >> 3)] ?? 0) | (1 << (bit & 7));
    }
  }
  return `0x${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

const word = (address: string): string => `0x${address.slice(2).padStart(64, "0")}`;

/** A log before it has a place in a block. */
export interface PlannedLog {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
}

/** A transaction before it has a place in a block. */
export interface PlannedTransaction {
  readonly from: string;
  readonly to: string;
  readonly logs: readonly PlannedLog[];
}

/** Returns an ERC-20 Transfer of `amount` base units. */
export const transferLog = (token: string, from: string, to: string, amount: bigint): PlannedLog => ({
  address: token,
  topics: [TRANSFER, word(from), word(to)],
  data: `0x${amount.toString(16).padStart(64, "0")}`,
});

/** Returns a generated block of `planned` transactions with its receipts; hashes follow from `branch` and number. */
export function blockWith(number: number, timestamp: number, planned: readonly PlannedTransaction[], branch = "main") {
  const own = hash("block", branch, number);
  const place = { blockHash: own, blockNumber: hex(number) };
  let logIndex = 0;
  const receipts = planned.map(({ from, to, logs }, index) => {
    const at = { ...place, transactionHash: hash("transaction", branch, number, index), transactionIndex: hex(index) };
    return {
      ...at,
      from,
      to,
      contractAddress: null,
      status: "0x1",
      type: "0x0",
      gasUsed: "0x5208",
      cumulativeGasUsed: hex(0x5208 * (index + 1)),
      effectiveGasPrice: "0x3b9aca00",
      logsBloom: bloomOf(logs.flatMap((log) => [log.address, ...log.topics])),
      logs: logs.map((log) => ({ ...at, ...log, logIndex: hex(logIndex++), removed: false })),
    };
  });
  const transactions = receipts.map(({ from, to, transactionHash, transactionIndex }, index) => ({
    ...place,
    hash: transactionHash,
    transactionIndex,
    from,
    to,
    value: "0x0",
    input: "0x",
    nonce: hex(index),
    gas: "0x5208",
    gasPrice: "0x3b9aca00",
    type: "0x0",
    chainId: "0x1",
    v: "0x25",
    r: hash("r", index),
    s: hash("s", index),
  }));
  const block = {
    number: hex(number),
    hash: own,
    parentHash: hash("block", branch, number - 1),
    timestamp: hex(timestamp),
    logsBloom: bloomOf(planned.flatMap(({ logs }) => logs.flatMap((log) => [log.address, ...log.topics]))),
    miner: OTHER,
    difficulty: "0x0",
    extraData: "0x",
    gasLimit: "0x1c9c380",
    gasUsed: hex(0x5208 * planned.length),
    nonce: "0x0000000000000000",
    baseFeePerGas: "0x3b9aca00",
    mixHash: hash("mix", number),
    sha3Uncles: hash("uncles"),
    stateRoot: hash("state", branch, number),
    receiptsRoot: hash("receipts", branch, number),
    transactionsRoot: hash("transactions", branch, number),
    uncles: [],
    transactions,
  };
  return { block, receipts };
}

/** Returns a generated block of `size` USDC transfers between the two wallets. */
export function tinyBlock(number: number, timestamp: number, size: number, branch = "main") {
  const planned = Array.from({ length: size }, (_, index): PlannedTransaction => {
    const [from, to] = index % 2 ? [WHALE, OTHER] : [OTHER, WHALE];
    return { from, to: USDC, logs: [transferLog(USDC, from, to, BigInt(1_000_000 * (index + 1)))] };
  });
  return blockWith(number, timestamp, planned, branch);
}

const bar = (openedMs: number, price: number): Candle => ({
  openedAt: instant(openedMs),
  open: decimalOf(String(price)),
  high: decimalOf(String(price + 2)),
  low: decimalOf(String(price - 2)),
  close: decimalOf(String(price + 1)),
  volume: decimalOf("10"),
});

/** First block, and its time in seconds: a whole minute, so that bars align. */
export const TINY_FROM = 100;
export const TINY_TIME = 1_700_000_040;

/**
 * Returns the content of a small generated recording: `count` blocks, one each 12 s, of up to four transfers, with an hour
 * of one-minute bars around them and the whale's USDC balance at the end of each block.
 */
export function tinyContent(count = 10): RecordingContent {
  const numbers = Array.from({ length: count }, (_, index) => TINY_FROM + index);
  const start = TINY_TIME * 1000 - 1_800_000;
  return {
    manifest: {
      name: "tiny",
      kind: "generated",
      note: "Generated for tests.",
      chain: "ethereum",
      chainId: 1,
      explorer: null,
      barSeconds: 60,
      finality: { safeLag: 2, finalizedLag: 4 },
      sources: [],
    },
    blocks: numbers.map((number, index) => tinyBlock(number, TINY_TIME + 12 * index, index % 5)),
    candles: { "ETH-USDT-SWAP": Array.from({ length: 60 }, (_, index) => bar(start + index * 60_000, 2000 + index)) },
    instruments: [
      {
        instId: "ETH-USDT-SWAP",
        instType: "SWAP",
        ctType: "linear",
        settleCcy: "USDT",
        ctVal: "0.1",
        ctMult: "1",
        ctValCcy: "ETH",
        lotSz: "0.01",
        minSz: "0.01",
        tickSz: "0.01",
        lever: "100",
        state: "live",
      },
    ],
    watchlist: [{ address: WHALE, label: "Whale", tags: ["test"] }],
    labels: [{ address: OTHER, kind: "cex", name: "Exchange, hot", source: "test", date: "2023-11-14" }],
    balances: numbers.map((block) => ({ block, address: WHALE, token: USDC, balance: hex(block * 1_000_000) })),
  };
}
