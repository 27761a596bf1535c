import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { JsonRpcProvider } from "ethers";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { asFullBlock } from "#chain/block";
import { checkBlock } from "#chain/integrity";
import { openRecording, type Recording } from "#recording/recording";
import { writeRecording } from "#recording/writer";
import { forkRecording } from "#testing/chain/fork-recording";
import { OTHER, TINY_FROM, TINY_TIME, tinyContent, WHALE } from "#testing/chain/tiny-recording";
import { type ChainDouble, type ChainDoubleOptions, chainDouble } from "./node.ts";

const USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48";
const TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
const LAST = TINY_FROM + 9;
let root: string;
let recording: Recording;
let now: number;
const opened: { close(): Promise<void> | void }[] = [];

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "double-"));
  await writeRecording(join(root, "tiny"), tinyContent(10));
  recording = await openRecording(join(root, "tiny"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

const timeOf = (number: number) => (TINY_TIME + 12 * (number - TINY_FROM)) * 1000;
const hex = (number: number) => `0x${number.toString(16)}`;

async function start(at: number, options: ChainDoubleOptions = {}): Promise<ChainDouble> {
  now = at;
  const double = await chainDouble(recording, { now: () => now }, options);
  opened.push(double);
  return double;
}

const post = (double: ChainDouble, body: unknown) =>
  fetch(double.url, { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body) });

interface Reply {
  readonly id: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

async function ask(double: ChainDouble, method: string, ...params: unknown[]): Promise<Reply> {
  return (await (await post(double, { jsonrpc: "2.0", id: 7, method, params })).json()) as Reply;
}
const result = async (double: ChainDouble, method: string, ...params: unknown[]) =>
  (await ask(double, method, ...params)).result;
const numberOf = async (double: ChainDouble, tag: string) =>
  Number(((await result(double, "eth_getBlockByNumber", tag, false)) as { number: string }).number);

function client(double: ChainDouble): JsonRpcProvider {
  const provider = new JsonRpcProvider(double.url, 1, { staticNetwork: true, cacheTimeout: -1 });
  opened.push({ close: () => provider.destroy() });
  return provider;
}

test("an independent client reads blocks, receipts, logs and balances", async () => {
  const provider = client(await start(timeOf(LAST)));
  expect((await provider.getNetwork()).chainId).toBe(1n);
  expect(await provider.getBlockNumber()).toBe(LAST);
  const block = await provider.getBlock(103, true);
  expect(block?.hash).toBe(recording.blockAt(103).hash);
  expect(block?.prefetchedTransactions).toHaveLength(3);
  const receipt = await provider.getTransactionReceipt(block?.transactions[1] ?? "");
  expect(receipt?.blockNumber).toBe(103);
  expect(receipt?.logs).toHaveLength(1);
  expect((await provider.getBlock(block?.hash ?? ""))?.number).toBe(103);
  const logs = await provider.getLogs({ address: USDC, topics: [TRANSFER], fromBlock: 100, toBlock: 109 });
  expect(logs).toHaveLength(20);
  const call = { to: USDC, data: `0x70a08231${WHALE.slice(2).padStart(64, "0")}`, blockTag: 105 };
  expect(BigInt(await provider.call(call))).toBe(105_000_000n);
  await expect(provider.getBalance(WHALE, 105)).rejects.toThrow("missing trie node");
});

test("full blocks and receipts are the recording's own bytes", async () => {
  const double = await start(timeOf(LAST));
  const batch = [
    { jsonrpc: "2.0", id: 1, method: "eth_getBlockByNumber", params: [hex(104), true] },
    { jsonrpc: "2.0", id: 2, method: "eth_getBlockReceipts", params: [hex(104)] },
  ];
  const { blockJson, receiptsJson } = recording.blockAt(104);
  const text = await (await post(double, batch)).text();
  expect(text).toBe(
    `[{"jsonrpc":"2.0","id":1,"result":${blockJson}},{"jsonrpc":"2.0","id":2,"result":${receiptsJson}}]`,
  );
});

test("nothing of a later block can be asked", async () => {
  const double = await start(timeOf(105) - 1);
  const later = recording.blockAt(105);
  expect(await result(double, "eth_blockNumber")).toBe(hex(104));
  expect(await result(double, "eth_getBlockByNumber", hex(105), true)).toBeNull();
  expect(await result(double, "eth_getBlockByHash", later.hash, true)).toBeNull();
  expect(await result(double, "eth_getBlockReceipts", hex(105))).toBeNull();
  expect(await result(double, "eth_getLogs", { fromBlock: hex(105), toBlock: hex(109) })).toEqual([]);
  now = timeOf(105);
  expect(await result(double, "eth_blockNumber")).toBe(hex(105));
  expect(await result(double, "eth_getBlockByHash", later.hash, false)).toMatchObject({ number: hex(105) });
});

test("before the first block there is no block", async () => {
  const double = await start(timeOf(TINY_FROM) - 1);
  expect(await result(double, "eth_blockNumber")).toBe(hex(TINY_FROM - 1));
  for (const tag of ["latest", "safe", "finalized"]) {
    expect(await result(double, "eth_getBlockByNumber", tag, false)).toBeNull();
  }
});

test("safe and finalized trail the head, and catch up one block per 12 s once the chain has ended", async () => {
  const double = await start(timeOf(101));
  expect([await numberOf(double, "safe"), await numberOf(double, "finalized")]).toEqual([100, 100]);
  now = timeOf(106);
  expect([await numberOf(double, "safe"), await numberOf(double, "finalized")]).toEqual([104, 102]);
  now = timeOf(LAST) + 11_999;
  expect([await numberOf(double, "safe"), await numberOf(double, "finalized")]).toEqual([107, 105]);
  now = timeOf(LAST) + 24_000;
  expect([await numberOf(double, "safe"), await numberOf(double, "finalized")]).toEqual([109, 107]);
  now = timeOf(LAST) + 3_600_000;
  expect([await numberOf(double, "latest"), await numberOf(double, "finalized")]).toEqual([LAST, LAST]);
});

test("headers carry hashes, and receipts come by number, hash and object", async () => {
  const double = await start(timeOf(LAST));
  const { hash, receiptsJson } = recording.blockAt(102);
  const receipts = JSON.parse(receiptsJson.toString());
  const header = (await result(double, "eth_getBlockByNumber", hex(102), false)) as { transactions: string[] };
  expect(header.transactions).toEqual(receipts.map((one: { transactionHash: string }) => one.transactionHash));
  for (const parameter of [hex(102), hash, { blockHash: hash }]) {
    expect(await result(double, "eth_getBlockReceipts", parameter)).toEqual(receipts);
  }
  expect(await result(double, "eth_getTransactionReceipt", header.transactions[1])).toEqual(receipts[1]);
  expect(await result(double, "eth_getTransactionReceipt", `0x${"0".repeat(64)}`)).toBeNull();
});

test("logs are filtered by address, topic position, range and block", async () => {
  const double = await start(timeOf(LAST));
  const from = (address: string) => `0x${address.slice(2).padStart(64, "0")}`;
  const count = async (filter: object) => ((await result(double, "eth_getLogs", filter)) as unknown[]).length;
  const all = { fromBlock: hex(100), toBlock: "latest" };
  expect(await count(all)).toBe(20);
  expect(await count({ ...all, address: [OTHER, USDC] })).toBe(20);
  expect(await count({ ...all, address: OTHER })).toBe(0);
  expect(await count({ ...all, topics: [TRANSFER, from(WHALE)] })).toBe(8);
  expect(await count({ ...all, topics: [null, [from(WHALE), from(OTHER)]] })).toBe(20);
  expect(await count({ ...all, topics: [null, null, null, TRANSFER] })).toBe(0);
  expect(await count({ blockHash: recording.blockAt(103).hash })).toBe(3);
  expect((await ask(double, "eth_getLogs", { ...all, blockHash: recording.blockAt(103).hash })).error?.code).toBe(
    -32602,
  );
});

test("the double says what it is, and refuses as a node does", async () => {
  const double = await start(timeOf(LAST));
  expect(await result(double, "web3_clientVersion")).toContain("replays the generated recording tiny");
  expect(await result(double, "net_version")).toBe("1");
  expect((await ask(double, "eth_sendRawTransaction", "0x")).error?.code).toBe(-32601);
  expect((await ask(double, "eth_getBlockByNumber", "soon", true)).error?.code).toBe(-32602);
  expect((await ask(double, "eth_call", { to: USDC, data: "0x18160ddd" }, "latest")).error?.code).toBe(-32000);
  expect(await (await post(double, "{")).json()).toMatchObject({ error: { code: -32700 } });
  expect(await (await post(double, [])).json()).toMatchObject({ error: { code: -32600 } });
  expect((await fetch(double.url)).status).toBe(405);
  expect(double.calls()).toBe(5);
});

test("a taken port is an error", async () => {
  const port = Number(new URL((await start(timeOf(LAST))).url).port);
  await expect(start(timeOf(LAST), { port })).rejects.toThrow("EADDRINUSE");
});

test("after a reorg the node follows the branch, and still knows the abandoned block by hash", async () => {
  const branch = forkRecording(recording, { name: "a", from: 104 });
  const forks = [
    { sinceMs: timeOf(106) + 1000, blocks: branch },
    { sinceMs: timeOf(108), blocks: [] },
  ];
  const double = await start(timeOf(106), { forks });
  const at = async (number: number) =>
    ((await result(double, "eth_getBlockByNumber", hex(number), false)) as { hash: string; parentHash: string }).hash;
  const own = (number: number) => recording.blockAt(number).hash;
  expect(await at(105)).toBe(own(105));
  expect(await result(double, "eth_getBlockByHash", branch[0]?.hash, false)).toBeNull();

  now = timeOf(106) + 1000;
  expect(await at(103)).toBe(own(103));
  expect(await at(104)).toBe(branch[0]?.hash);
  expect(await result(double, "eth_blockNumber")).toBe(hex(106));
  expect(await result(double, "eth_getBlockByHash", own(105), false)).toMatchObject({ hash: own(105) });

  now = timeOf(108);
  expect(await at(104)).toBe(own(104));
  expect(await at(108)).toBe(own(108));
});

test("a branch holds together as well as the recording does", () => {
  let parentHash = recording.blockAt(103).hash;
  for (const { number, hash, line } of forkRecording(recording, { name: "a", from: 104, to: 108 })) {
    const { block, receipts } = JSON.parse(line);
    const full = asFullBlock(block, receipts);
    checkBlock(full.block, full.receipts, { number, hash, parentHash });
    expect(full.receipts.length).toBe(Math.ceil((number % 5) / 2));
    parentHash = hash;
  }
});

test("a node can lag behind", async () => {
  let lag = 0;
  const double = await start(timeOf(106), { lag: () => lag });
  expect(await result(double, "eth_blockNumber")).toBe(hex(106));
  lag = 3;
  expect(await result(double, "eth_blockNumber")).toBe(hex(103));
  expect(await result(double, "eth_getBlockByNumber", hex(104), true)).toBeNull();
});

test("each fault shows as what it is", async () => {
  const faults: NonNullable<ReturnType<NonNullable<ChainDoubleOptions["fault"]>>>[] = [
    { kind: "error", code: -32005, message: "limit exceeded" },
    { kind: "http", status: 429, headers: { "retry-after": "1" } },
    { kind: "receipt-hash" },
    { kind: "result", json: "[]" },
    { kind: "truncate" },
    { kind: "disconnect" },
    { kind: "delay", milliseconds: 1 },
  ];
  const double = await start(timeOf(LAST), { fault: ({ count }) => faults[count] });
  const receipts = () => post(double, { jsonrpc: "2.0", id: 1, method: "eth_getBlockReceipts", params: [hex(104)] });
  expect(await (await receipts()).json()).toMatchObject({ error: { code: -32005 } });
  const limited = await receipts();
  expect([limited.status, limited.headers.get("retry-after")]).toEqual([429, "1"]);
  expect(await (await receipts()).json()).toMatchObject({
    result: [{ blockHash: `0x${"de".repeat(32)}` }, {}, {}, {}],
  });
  expect(await (await receipts()).json()).toMatchObject({ result: [] });
  await expect((await receipts()).json()).rejects.toThrow();
  await expect(receipts()).rejects.toThrow();
  expect(((await (await receipts()).json()) as { result: unknown[] }).result).toHaveLength(4);
});
