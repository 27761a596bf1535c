import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { IntegrityError } from "#chain/integrity";
import { watchSet } from "#chain/touch";
import { tinyBlock, WHALE } from "#testing/chain/tiny-recording";
import { httpRpc } from "./rpc.ts";
import { ChainIdError, RpcError } from "./rpc-error.ts";

type Request = { id: number; method: string; params: unknown[] };
type Reply = { result?: unknown; error?: { code: number; message: string } };

interface Node {
  readonly url: string;
  readonly batches: Request[][];
}

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

const read = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
};

/** A loopback node; `raw` may answer before JSON-RPC does. */
async function node(
  answer: (call: Request) => Reply,
  raw?: (n: number, res: ServerResponse, body: string) => boolean,
): Promise<Node> {
  const batches: Request[][] = [];
  const server = createServer(async (req, res) => {
    const body = await read(req);
    const parsed = JSON.parse(body) as Request | Request[];
    batches.push([parsed].flat());
    if (raw?.(batches.length, res, body)) return;
    const reply = (call: Request) => ({ jsonrpc: "2.0", id: call.id, ...answer(call) });
    // Answers of a batch may come in any order.
    res.end(JSON.stringify(Array.isArray(parsed) ? parsed.map(reply).reverse() : reply(parsed)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  servers.push(server);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v2/very-secret-key?token=hush`, batches };
}

const { block, receipts } = tinyBlock(100, 1_700_000_000, 3);
const expected = { number: 100, hash: block.hash, parentHash: block.parentHash };

const good = (call: Request): Reply => {
  switch (call.method) {
    case "eth_chainId":
      return { result: "0x1" };
    case "eth_getBlockReceipts":
      return { result: receipts };
    case "eth_getBalance":
      return { result: "0x10" };
    case "eth_call":
      return { error: { code: -32000, message: "missing trie node" } };
    default:
      return { result: block };
  }
};
const except = (method: string, reply: Reply) => (call: Request) => (call.method === method ? reply : good(call));

function quick(urls: readonly string[]) {
  const slept: number[] = [];
  let clock = 0;
  const sleep = async (ms: number) => {
    slept.push(ms);
    clock += ms;
  };
  const pool = { now: () => clock, sleep };
  return { rpc: httpRpc(urls, { chainId: 1, timeoutMs: 500, pool }), slept };
}

test("a block and its receipts come in one batch, with the chain id before the first answer", async () => {
  const one = await node(good);
  const { rpc } = quick([one.url]);
  expect((await rpc.blockWithReceipts(expected))?.receipts).toHaveLength(3);
  expect((await rpc.heads()).latest.number).toBe(100);
  const methods = one.batches.map((batch) => batch.map((call) => call.method));
  expect(methods[0]).toEqual(["eth_chainId", "eth_getBlockByHash", "eth_getBlockReceipts"]);
  expect(methods[1]).toEqual(["eth_getBlockByNumber", "eth_getBlockByNumber", "eth_getBlockByNumber"]);
});

test("a provider that fails a check is passed over; when all fail, the check is named", async () => {
  const bad = await node(except("eth_getBlockReceipts", { result: receipts.slice(1) }));
  const fine = await node(good);
  expect((await quick([bad.url, fine.url]).rpc.blockWithReceipts(expected))?.block.hash).toBe(block.hash);
  expect(bad.batches).toHaveLength(1);
  const failure = quick([bad.url]).rpc.blockWithReceipts(expected);
  await expect(failure).rejects.toBeInstanceOf(IntegrityError);
  await expect(failure).rejects.toMatchObject({ check: "receiptCount" });
});

const changed = (change: (copy: { block: Loose & { transactions: Loose[] }; receipts: Loose[] }) => void) => {
  const copy = structuredClone({ block, receipts }) as unknown as Parameters<typeof change>[0]; // read-only fields are written on purpose
  change(copy);
  return (call: Request): Reply => {
    if (call.method === "eth_getBlockReceipts") return { result: copy.receipts };
    return call.method === "eth_getBlockByHash" ? { result: copy.block } : good(call);
  };
};
type Loose = Record<string, unknown>;

test.each([
  ["a value that is no number", "transactions[1].value", (copy) => (copy.block.transactions[1]!.value = "0x")],
  ["gas of a lower kind", "receipts[0].gasUsed", (copy) => (copy.receipts[0]!.gasUsed = "-0x1")],
  ["a price that is an object", "receipts[0].effectiveGasPrice", (copy) => (copy.receipts[0]!.effectiveGasPrice = {})],
  ["another status", "receiptsRoot", (copy) => (copy.receipts[0]!.status = "0x0")],
  ["another value", "transactionHash", (copy) => (copy.block.transactions[1]!.value = "0x8")],
] as [string, string, Parameters<typeof changed>[0]][])(
  "%s is refused by name, and the next node asked",
  async (_, name, change) => {
    const bad = await node(changed(change));
    const fine = await node(good);
    expect((await quick([bad.url, fine.url]).rpc.blockWithReceipts(expected))?.block).toEqual(block);
    expect(bad.batches).toHaveLength(1);
    await expect(quick([bad.url]).rpc.blockWithReceipts(expected)).rejects.toThrow(name);
  },
);

test("the senders of watched wallets' transactions are those who signed", async () => {
  const asker = { watched: watchSet([WHALE]), seenAt: 1_700_000_012 };
  const forged = changed((copy) => {
    for (const one of [copy.block.transactions[0]!, copy.receipts[0]!]) one.from = WHALE; // another's
  });
  const [bad, fine] = [await node(forged), await node(good)];
  expect((await quick([bad.url, fine.url]).rpc.blockWithReceipts(expected, asker))?.block).toEqual(block);
  await expect(quick([bad.url]).rpc.blockWithReceipts(expected, asker)).rejects.toMatchObject({ check: "sender" });
});

test("far behind the head a block is linked, with a second provider's word", async () => {
  const lied = changed((copy) => (copy.receipts[0]!.status = "0x0")); // in no bloom: only the roots tell
  const [one, two] = [await node(lied), await node(good)];
  const far = { watched: watchSet([]), seenAt: 1_700_100_000 };
  const pool = { now: () => 0, sleep: async () => undefined };
  const rpc = (urls: readonly string[], verify: "full" | "linked") => httpRpc(urls, { chainId: 1, verify, pool });
  expect((await rpc([one.url, two.url], "linked").blockWithReceipts(expected, far))?.receipts[0]?.status).toBe("0x0");
  expect((await rpc([one.url, two.url], "full").blockWithReceipts(expected, far))?.receipts[0]?.status).toBe("0x1");
  const near = { ...far, seenAt: 1_700_000_012 };
  expect((await rpc([one.url, two.url], "linked").blockWithReceipts(expected, near))?.receipts[0]?.status).toBe("0x1");
  const elsewhere = { ...block, hash: block.stateRoot };
  const other = await node(except("eth_getBlockByNumber", { result: elsewhere }));
  const alone = rpc([one.url, other.url], "linked").blockWithReceipts(expected, far);
  await expect(alone).rejects.toMatchObject({ name: "IntegrityError", check: "confirmation" });
});

test("an outage fails over; Retry-After is waited for; secrets of a URL stay out of errors", async () => {
  const busy = await node(good, (n, res) => {
    if (n > 1) return false;
    res.writeHead(429, { "retry-after": "2" }).end();
    return true;
  });
  const { rpc, slept } = quick([busy.url]);
  expect((await rpc.header(100))?.number).toBe(100);
  expect(slept).toEqual([2000]);

  const dead = "http://127.0.0.1:9/key-in-path?apikey=hush";
  const error = await quick([dead])
    .rpc.heads()
    .catch((caught: unknown) => caught as RpcError);
  expect(error).toBeInstanceOf(RpcError);
  expect(JSON.stringify({ ...(error as RpcError), text: String(error) })).not.toMatch(/key-in-path|hush/);
  expect((await quick([dead, busy.url]).rpc.header(100))?.number).toBe(100);
  expect(() => httpRpc(["ftp://host/secret"], { chainId: 1 })).toThrow("RPC endpoint 1 is no http(s) URL");
});

test("a breaker leaves a failing provider alone; a hanging one times out", async () => {
  const html = await node(good, (_, res) => {
    res.end("<html>busy</html>");
    return true;
  });
  const hanging = await node(good, () => true);
  const fine = await node(good);
  const { rpc } = quick([html.url, fine.url]);
  for (let i = 0; i < 8; i++) await rpc.header(100);
  expect(html.batches).toHaveLength(3);
  expect(fine.batches.length).toBe(8);
  expect((await quick([hanging.url, fine.url]).rpc.header(100))?.number).toBe(100);
});

test("a node of another chain is never believed", async () => {
  const base = await node(except("eth_chainId", { result: "0x2105" }));
  const fine = await node(good);
  const { rpc } = quick([base.url, fine.url]);
  await rpc.header(100);
  await rpc.header(100);
  expect(base.batches).toHaveLength(1);
  await expect(quick([base.url]).rpc.header(1)).rejects.toBeInstanceOf(ChainIdError);
});

test("what nobody has is null, after asking each provider again for some seconds", async () => {
  const without = except("eth_getBlockByHash", { result: null });
  const one = await node(without);
  const two = await node(except("eth_getBlockByHash", { error: { code: -32000, message: "header not found" } }));
  const { rpc, slept } = quick([one.url, two.url]);
  expect(await rpc.blockWithReceipts(expected)).toBeNull();
  expect(slept).toEqual([500, 1000, 2000, 4000]);
  expect(one.batches.map((batch) => batch.at(-1)?.method)).toEqual(
    Array.from({ length: 4 }, () => ["eth_getBlockReceipts", "eth_getBlockByNumber"])
      .flat()
      .concat("eth_getBlockReceipts"),
  );
  expect(two.batches).toHaveLength(5); // what stands at the number, the first one says
});

test("balances: a state error is null for its entry, never 0; a rate limit asks elsewhere", async () => {
  const one = await node(good);
  const ask = [
    { address: `0x${"a1".repeat(20)}`, token: "native", block: 99 },
    { address: `0x${"a1".repeat(20)}`, token: `0x${"c0".repeat(20)}`, block: 99 },
  ];
  expect(await quick([one.url]).rpc.balances(ask)).toEqual([16n, null]);
  expect(one.batches[0]?.[2]?.params).toEqual([
    { to: ask[1]!.token, data: `0x70a08231${"0".repeat(24)}${"a1".repeat(20)}` },
    "0x63",
  ]);
  const limited = await node(except("eth_getBalance", { error: { code: -32005, message: "limit exceeded" } }));
  expect((await quick([limited.url, one.url]).rpc.balances(ask))[0]).toBe(16n);
  expect(await quick([one.url]).rpc.balances([])).toEqual([]);
});

test("a node that hangs behind is passed over for the head and for balances; when all do, the newest block counts", async () => {
  const old = tinyBlock(90, 1_699_999_880, 0).block;
  const none = { error: { code: -32000, message: "header not found" } };
  const behind = await node((call) =>
    call.method === "eth_chainId" ? { result: "0x1" } : call.method === "eth_getBalance" ? none : { result: old },
  );
  const fine = await node(good);
  const { rpc } = quick([behind.url, fine.url]);
  expect((await rpc.heads(1_699_999_940)).latest.number).toBe(100);
  expect((await rpc.heads()).latest.number).toBe(90);
  expect((await rpc.heads(1_700_000_060)).latest.number).toBe(100);
  const ask = [{ address: `0x${"a1".repeat(20)}`, token: "native", block: 99 }];
  expect(await rpc.balances(ask)).toEqual([16n]);
  expect(await quick([behind.url]).rpc.balances(ask)).toEqual([null]);
  const empty = await node((call) => (call.method === "eth_chainId" ? { result: "0x1" } : { result: null }));
  expect((await quick([empty.url, fine.url]).rpc.headers(100, 2))[0]?.number).toBe(100);
  expect(await quick([empty.url]).rpc.headers(100, 2)).toEqual([null, null]);
});

test("a fork is confirmed by a second provider, where there is one", async () => {
  const one = await node(good);
  const other = await node(except("eth_getBlockByNumber", { result: { ...block, hash: `0x${"99".repeat(32)}` } }));
  expect(await quick([one.url]).rpc.confirms(100, block.hash)).toBe(true);
  expect(await quick([one.url, other.url]).rpc.confirms(100, block.hash)).toBe(false);
  expect(await quick([other.url, one.url]).rpc.confirms(100, block.hash)).toBe(true);
});

test("an endpoint without batches is asked one call at a time", async () => {
  const single = await node(good, (_, res, body) => {
    if (!body.startsWith("[")) return false;
    res.writeHead(400).end(JSON.stringify({ error: { code: -32600, message: "batch not supported" } }));
    return true;
  });
  const { rpc } = quick([single.url]);
  expect((await rpc.blockWithReceipts(expected))?.receipts).toHaveLength(3);
  expect(await rpc.headers(100, 2)).toHaveLength(2);
});
