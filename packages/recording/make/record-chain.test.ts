import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type ChainDouble, type ChainDoubleOptions, chainDouble } from "#doubles/node/node";
import { paperKey } from "#doubles/venue/key";
import { paperVenue } from "#doubles/venue/venue";
import { httpRpc } from "#runtime/node/rpc";
import { okxMarket } from "#runtime/okx/market";
import { TINY_TIME, tinyContent, WHALE } from "#testing/chain/tiny-recording";
import type { Market } from "#trading/venue";
import { decimalOf } from "#units/decimal";
import { instantOf } from "#units/time";
import { recordedCandles } from "../candle-source.ts";
import { openRecording, type Recording } from "../recording.ts";
import { writeRecording } from "../writer.ts";
import { type RecordJob, recordChain } from "./record-chain.ts";

const COUNT = 70;
let root: string;
let source: Recording;
const doubles: ChainDouble[] = [];

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "record-"));
  await writeRecording(join(root, "source"), tinyContent(COUNT));
  source = await openRecording(join(root, "source"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));
afterEach(async () => {
  for (const double of doubles.splice(0)) await double.close();
});

async function node(options: ChainDoubleOptions = {}): Promise<ChainDouble> {
  const double = await chainDouble(source, { now: () => (TINY_TIME + 12 * COUNT) * 1000 }, options);
  doubles.push(double);
  return double;
}

const market: Market = {
  now: async () => instantOf(new Date(TINY_TIME * 1000).toISOString()),
  instruments: async (ids) =>
    ids.map((id) => ({
      id,
      asset: "ETH",
      contractSize: decimalOf("0.1"),
      lotSize: decimalOf("0.01"),
      minSize: decimalOf("0.01"),
      tickSize: decimalOf("0.01"),
      maxLeverage: decimalOf("100"),
    })),
  candles: async (id, _bar, since, limit) =>
    source
      .candles(id)
      .filter(({ openedAt }) => openedAt >= since)
      .slice(0, limit),
};

const jobOf = (double: ChainDouble, out: string, more: Partial<RecordJob> = {}): RecordJob => ({
  rpc: httpRpc([double.url], { chainId: 1, pool: { rounds: 2, backoffMs: 1 } }),
  out: join(root, out),
  from: 101,
  to: 169,
  chainId: 1,
  kind: "generated",
  explorer: null,
  finality: { safeLag: 2, finalizedLag: 4 },
  watchlist: source.watchlist,
  labels: source.labels,
  market,
  instruments: ["ETH-USDT-SWAP"],
  barSeconds: 60,
  fresh: false,
  signal: new AbortController().signal,
  progress: () => undefined,
  ...more,
});

test("what a node serves is recorded byte for byte, and the partial folder is gone", async () => {
  const manifest = await recordChain(jobOf(await node(), "whole"));
  expect(manifest).toMatchObject({ name: "whole", fromBlock: 101, toBlock: 169, instruments: ["ETH-USDT-SWAP"] });
  const copy = await openRecording(join(root, "whole"));
  for (const { number } of copy.headers) expect(copy.blockAt(number).line).toBe(source.blockAt(number).line);
  expect(copy.candles("ETH-USDT-SWAP")).toEqual(source.candles("ETH-USDT-SWAP"));
  expect(copy.labels).toEqual(source.labels);
  expect(readdirSync(root).filter((name) => name.startsWith("whole"))).toEqual(["whole"]);
});

test("candles and contract terms come over OKX's own protocol", async () => {
  const clock = { now: () => (TINY_TIME + 12 * COUNT) * 1000 };
  const venue = await paperVenue({ clock, source: recordedCandles(source), key: paperKey });
  try {
    const okx = okxMarket({ venue: "paper", mode: "demo", url: venue.url, rateLimit: false });
    await recordChain(jobOf(await node(), "okx", { from: 100, to: 103, market: okx }));
  } finally {
    await venue.close();
  }
  const { candles, instruments } = await openRecording(join(root, "okx"));
  const closed = source.candles("ETH-USDT-SWAP").filter((bar) => Date.parse(bar.openedAt) + 60_000 <= clock.now());
  expect(candles("ETH-USDT-SWAP")).toEqual(closed);
  expect(instruments[0]).toMatchObject({ instId: "ETH-USDT-SWAP", ctVal: "0.1", lotSz: "0.01", lever: "100" });
});

test("balances of touched wallets are those at the end of the block before", async () => {
  await recordChain(jobOf(await node(), "balances", { from: 103, to: 105 }));
  const { balances, manifest } = await openRecording(join(root, "balances"));
  // Block 105 holds no transfer, so nobody asks about it.
  expect(balances.map(({ block, address }) => [block, address])).toEqual([
    [102, WHALE],
    [103, WHALE],
  ]);
  expect(balances).toEqual(source.balances.filter(({ block }) => block === 102 || block === 103));
  expect(manifest.note).not.toContain("gave no balances");
});

test("a node without state gives a recording without balances that says so", async () => {
  const pruned = await node({
    fault: ({ method }) =>
      method === "eth_call" || method === "eth_getBalance"
        ? { kind: "error", code: -32000, message: "missing trie node" }
        : undefined,
  });
  const manifest = await recordChain(jobOf(pruned, "pruned", { market: null, instruments: [] }));
  expect(manifest.note).toContain("The node gave no balances for");
  expect(manifest.note).toContain("No candles");
  expect((await openRecording(join(root, "pruned"))).balances).toEqual([]);
});

test("a run that broke off carries on with what it has", async () => {
  let broken = true;
  let blocks = 0;
  const double = await node({
    fault: ({ method }) => {
      if (method !== "eth_getBlockByHash") return undefined;
      blocks += 1;
      return broken && blocks > 40 ? { kind: "http", status: 503 } : undefined;
    },
  });
  await expect(recordChain(jobOf(double, "resumed"))).rejects.toThrow();
  expect(existsSync(join(root, "resumed"))).toBe(false);
  const kept = readdirSync(join(root, "resumed.partial")).filter((name) => name.endsWith(".json.gz")).length;
  expect(kept).toBe(40);
  await expect(recordChain(jobOf(double, "resumed", { to: 120 }))).rejects.toThrow(
    "unfinished recording of other blocks",
  );
  broken = false;
  blocks = 0;
  await recordChain(jobOf(double, "resumed"));
  expect(blocks).toBe(69 - kept);
  expect((await openRecording(join(root, "resumed"))).headers).toHaveLength(69);
  expect(existsSync(join(root, "resumed.partial"))).toBe(false);
});

test("a node that mixes up receipts is refused, and another one is asked", async () => {
  const bad = await node({
    fault: ({ method }) => (method === "eth_getBlockReceipts" ? { kind: "receipt-hash" } : undefined),
  });
  await expect(recordChain(jobOf(bad, "mixed"))).rejects.toMatchObject({ name: "IntegrityError" });
  expect(existsSync(join(root, "mixed"))).toBe(false);
  const rpc = httpRpc([bad.url, (await node()).url], { chainId: 1, pool: { backoffMs: 1 } });
  await recordChain(jobOf(bad, "mixed", { rpc }));
  expect((await openRecording(join(root, "mixed"))).headers).toHaveLength(69);
});

test("a folder in use, missing blocks and an unlisted instrument are refused by name", async () => {
  const double = await node();
  await expect(recordChain(jobOf(double, "source"))).rejects.toThrow("holds a recording already");
  await expect(recordChain(jobOf(double, "later", { to: 500 }))).rejects.toThrow("the node's newest block is 169");
  await expect(
    recordChain(jobOf(double, "unlisted", { market: { ...market, instruments: async () => [] }, to: 102 })),
  ).rejects.toThrow("ETH-USDT-SWAP: is not listed");
  expect(existsSync(join(root, "unlisted"))).toBe(false);
});

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

function command(args: readonly string[], stopAfter?: RegExp): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["scripts/record.ts", ...args]);
    let output = "";
    let stopped = false;
    const take = (text: unknown) => {
      output += String(text);
      if (stopped || !stopAfter?.test(output)) return;
      stopped = true;
      child.kill("SIGINT");
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    child.on("close", (code) => resolve({ code, output }));
  });
}

test("the command records, explains itself, and ends with the right code", async () => {
  const { url } = await node();
  const list = join(root, "mine.csv");
  writeFileSync(list, `address,label,tags\n${WHALE},Mine,\n`);
  const out = join(root, "by-command");
  const job = ["--rpc", url, "--from", "100", "--to", "120", "--candles", "none", "--instruments", "ETH-USDT-SWAP"];
  const done = await command([...job, "--out", out, "--watchlist", list]);
  expect(done.output).toContain("100 %  21 of 21 blocks");
  expect(done.code).toBe(0);
  expect((await openRecording(out)).watchlist[0]?.label).toBe("Mine");

  expect(await command([...job, "--out", out])).toMatchObject({ code: 1 });
  const help = await command(["--help"]);
  expect([help.code, help.output.includes("Usage: npm run record -- [options]")]).toEqual([0, true]);
  const wrong = await command(["--rcp", url]);
  expect([wrong.code, wrong.output]).toEqual([2, expect.stringContaining("Unknown option '--rcp'")]);

  writeFileSync(list, "address,label,tags\n0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD,Mine,\n");
  const checksum = await command([...job, "--out", join(root, "no"), "--watchlist", list]);
  expect(checksum.code).toBe(1);
  expect(checksum.output).toContain("line 2");
  expect(existsSync(join(root, "no"))).toBe(false);
});

test("Ctrl-C stops the command with nothing half-written, and the same command carries on", async () => {
  const { url } = await node({
    fault: ({ method }) => (method === "eth_getBlockByHash" ? { kind: "delay", milliseconds: 50 } : undefined),
  });
  const out = join(root, "stopped");
  const job = ["--rpc", url, "--from", "100", "--to", "169", "--candles", "none", "--out", out];
  const stopped = await command(job, /10 %/);
  expect(stopped.code).toBe(130);
  expect(stopped.output).toContain("run again to carry on");
  expect([existsSync(out), existsSync(`${out}.partial`)]).toEqual([false, true]);
  expect((await command(job)).code).toBe(0);
  expect((await openRecording(out)).headers).toHaveLength(70);
});
