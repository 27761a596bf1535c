import type { RecordingContent } from "#recording/writer";
import type { Candle } from "#units/candle";
import { decimalOf } from "#units/decimal";
import { instant } from "#units/time";
import {
  accountOf,
  type GeneratedBlock,
  generatedBlock,
  generatedChain,
  type PlannedBlock,
  type PlannedLog,
  type PlannedTransaction,
  word,
} from "./generated-block.ts";

const TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
const USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48";
const hex = (number: number): string => `0x${number.toString(16)}`;

const whale = accountOf("whale");
const other = accountOf("other");
/** Two wallets of the generated blocks, in lower case; the first one watched by the tiny recording. */
export const WHALE = whale.address;
export const OTHER = other.address;

/** The hash before a first generated block, which nobody has. */
export const NOBODY = word("before the first block");

const padded = (address: string): string => `0x${address.slice(2).padStart(64, "0")}`;

/** Returns an ERC-20 Transfer of `amount` base units. */
export const transferLog = (token: string, from: string, to: string, amount: bigint): PlannedLog => ({
  address: token,
  topics: [TRANSFER, padded(from), padded(to)],
  data: `0x${amount.toString(16).padStart(64, "0")}`,
});

/** Returns the plan of a block of `size` USDC transfers between the two wallets, their transactions of all types in turn. */
export function tinyPlan(number: number, timestamp: number, size: number, branch = "main"): PlannedBlock {
  const transactions = Array.from({ length: size }, (_, index): PlannedTransaction => {
    const [from, to] = index % 2 ? [whale, other] : [other, whale];
    const logs = [transferLog(USDC, from.address, to.address, BigInt(1_000_000 * (index + 1)))];
    return { from, to: USDC, logs, nonce: 10 * number + index, type: ((number + index) % 5) as 0 | 1 | 2 | 3 | 4 };
  });
  return { number, timestamp, transactions, branch };
}

/** Returns that block after one that nobody has. */
export const tinyBlock = (number: number, timestamp: number, size: number): GeneratedBlock =>
  generatedBlock(tinyPlan(number, timestamp, size), NOBODY);

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
    blocks: generatedChain(
      numbers.map((number, index) => tinyPlan(number, TINY_TIME + 12 * index, index % 5)),
      NOBODY,
    ),
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
