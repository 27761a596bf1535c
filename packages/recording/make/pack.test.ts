import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openRecording } from "../recording.ts";
import { isPack, packName, packToRecording } from "./pack.ts";
import { etherscanLabels } from "./pack-labels.ts";
import { largestSenders, packWatchlist } from "./pack-watchlist.ts";

const PACK = "../shared/data";
const RUN = `${PACK}/blocks/run_15000000_15000031`;
const present = existsSync(RUN);
const name = present ? "the pack" : `skipped, ${RUN} is absent: the pack`;
let root: string;
let made: string;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "pack-"));
  made = join(root, "made");
  if (present) await packToRecording(PACK, made);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

test.skipIf(!present)(`${name} becomes a recording of 32 mainnet blocks`, async () => {
  expect([isPack(PACK), isPack(RUN), isPack(made), isPack("packages")]).toEqual([true, true, false, false]);
  expect([packName(PACK), packName(RUN)]).toEqual(["mainnet-15000000-15000031", "mainnet-15000000-15000031"]);
  const recording = await openRecording(made);
  expect(recording.manifest).toMatchObject({
    kind: "recorded",
    fromBlock: 15_000_000,
    toBlock: 15_000_031,
    barSeconds: 300,
    instruments: ["BTC-USDT-SWAP", "ETH-USDT-SWAP"],
    explorer: "https://etherscan.io",
  });
  expect(recording.manifest.note).toContain("chosen with hindsight");
  const counts = recording.headers.map(({ number }) => JSON.parse(recording.blockAt(number).line).receipts.length);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(6750);
  const original = gunzipSync(readFileSync(`${RUN}/15000009.json.gz`)).toString();
  expect(original.startsWith(recording.blockAt(15_000_009).line.slice(0, -1))).toBe(true);
});

test.skipIf(!present)(`${name} gives candles around the blocks, without gaps`, async () => {
  const recording = await openRecording(made);
  for (const instrument of recording.manifest.instruments) {
    const candles = recording.candles(instrument);
    expect(candles[0]?.openedAt).toBe("2022-06-13T02:30:00.000Z");
    expect(candles.at(-1)?.openedAt).toBe("2022-06-22T04:35:00.000Z");
    expect(recording.gaps(instrument)).toEqual([]);
  }
  expect(recording.instruments.map(({ instId, ctVal }) => [instId, ctVal])).toEqual([
    ["BTC-USDT-SWAP", "0.01"],
    ["ETH-USDT-SWAP", "0.1"],
  ]);
});

test.skipIf(!present)(
  `${name} gives dated owner labels and a watch list of funds, treasuries and senders`,
  async () => {
    const { labels, watchlist } = await openRecording(made);
    expect([...new Set(labels.map(({ kind }) => kind))].sort()).toEqual(["bridge", "cex", "dao", "fund"]);
    expect(labels.every(({ date }) => date > "2022-06-21")).toBe(true);
    expect(watchlist.filter(({ tags }) => tags.includes("hindsight"))).toHaveLength(150);
    expect(watchlist.some(({ label }) => label.startsWith("Alameda"))).toBe(true);
    const exchanges = new Set(labels.filter(({ kind }) => kind === "cex").map(({ address }) => address));
    expect(watchlist.filter(({ address }) => exchanges.has(address))).toEqual([]);
  },
);

test.skipIf(!present)(
  `${name} is read once: the same files give the cached recording, a damaged one is made again`,
  async () => {
    const manifest = readFileSync(join(made, "manifest.json"), "utf8");
    writeFileSync(join(made, "kept"), "");
    await packToRecording(RUN, made);
    expect(existsSync(join(made, "kept"))).toBe(true);
    writeFileSync(join(made, "watchlist.csv"), "address");
    await packToRecording(RUN, made);
    expect(existsSync(join(made, "kept"))).toBe(false);
    expect(readFileSync(join(made, "manifest.json"), "utf8")).toBe(manifest);
  },
);

test.skipIf(!present)(`${name} without a file names that file and writes nothing`, async () => {
  const part = join(root, "part");
  cpSync(RUN, join(part, "blocks", "run_15000000_15000031"), { recursive: true });
  const out = join(root, "never");
  await expect(packToRecording(part, out)).rejects.toThrow(
    /prices\/okx_BTC-USDT-SWAP_5m.* is missing from the pack \(and 4 more/,
  );
  expect(existsSync(out)).toBe(false);
});

test("a folder that is no pack is refused by name", async () => {
  await expect(packToRecording(root, join(root, "x"))).rejects.toThrow("is no pack of recorded blocks");
});

const A = `0x${"aa".repeat(20)}`;
const B = `0x${"bb".repeat(20)}`;
const MINER = `0x${"cc".repeat(20)}`;
const USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48";
const TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
const word = (address: string) => `0x${address.slice(2).padStart(64, "0")}`;
const usdc = (from: string, to: string, whole: number) => ({
  address: USDC,
  topics: [TRANSFER, word(from), word(to)],
  data: `0x${(whole * 1e6).toString(16).padStart(64, "0")}`,
});

test("senders are ranked by what they gave and took, in ether and dollars", () => {
  const ether = "0xde0b6b3a7640000";
  const block = {
    miner: MINER,
    transactions: [A, B, B, MINER, A].map((from) => ({ from, value: from === MINER ? ether : "0x0" })),
  };
  const receipts = [
    { status: "0x1", logs: [usdc(A, B, 100)] },
    { status: "0x1", logs: [usdc(A, B, 90)] },
    { status: "0x1", logs: [usdc(B, A, 20), { ...usdc(B, A, 999), address: A }] },
    { status: "0x1", logs: [] },
    { status: "0x0", logs: [usdc(A, B, 5000)] },
  ];
  const ranked = largestSenders([{ block, receipts }], { ETH: "1000", USDC: "1" }, new Set());
  expect(ranked.map(({ address, usd }) => [address, usd.toFixed()])).toEqual([
    [B, "110"],
    [A, "100"],
  ]);
  const labels = [{ address: A, kind: "fund", name: "Fund", source: "x", date: "2022-01-01" }];
  expect(packWatchlist(labels, ranked).map(({ label, tags }) => [label, tags])).toEqual([
    ["Fund", ["fund"]],
    ["0xbbbb…bbbb", ["hindsight", "large-sender"]],
  ]);
});

test("of Etherscan's names only exchanges' wallets are taken, not their tokens and contracts", () => {
  const names = ["Binance 14", "Upbit: Cold Wallet", "Gate.io: Contract", "Hotbit Token", "FTX: 3X Long Bitcoin Token"];
  const label = ["binance", "upbit", "gate-io", "hotbit", "ftx"];
  const entries = names.map((text, index) => [`0x${String(index).repeat(40)}`, { name: text, labels: [label[index]] }]);
  const { exchanges, named } = etherscanLabels("labels", JSON.stringify(Object.fromEntries(entries)));
  expect(exchanges.map((one) => one.name)).toEqual(["Binance 14", "Upbit: Cold Wallet"]);
  expect(named.size).toBe(5);
});
