import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Manners } from "#doubles/node/manners";
import { type ChainDouble, type ChainDoubleOptions, chainDouble } from "#doubles/node/node";
import { openRecording, type Recording } from "#recording/recording";
import { writeRecording } from "#recording/writer";
import { TINY_FROM, TINY_TIME, tinyContent, WHALE } from "#testing/chain/tiny-recording";
import { errorFields, hideInLog, type LogLine, log, useSink } from "../log.ts";
import { httpRpc } from "./rpc.ts";
import { ChainIdError, RpcError } from "./rpc-error.ts";
import { urlSecrets } from "./url-secrets.ts";

// The real client over loopback HTTP, against a chain double that breaks, refuses, lags or leaks as nodes do.

const COUNT = 200;
const HEAD = TINY_FROM + COUNT - 1;
const USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48";
let root: string;
let recording: Recording;
const opened: ChainDouble[] = [];

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "node-faults-"));
  await writeRecording(join(root, "tiny"), tinyContent(COUNT));
  recording = await openRecording(join(root, "tiny"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));
afterEach(async () => {
  useSink(null);
  for (const one of opened.splice(0)) await one.close();
});

let chainNow = 0;
async function node(options: ChainDoubleOptions = {}): Promise<ChainDouble> {
  chainNow = (TINY_TIME + 12 * COUNT) * 1000;
  const double = await chainDouble(recording, { now: () => chainNow }, options);
  opened.push(double);
  return double;
}

/** A client whose waits take no time: its clock is moved by them and by the test. */
function client(urls: readonly string[]) {
  const clock = { ms: 1000 };
  const slept: number[] = [];
  const told: ChainIdError[] = [];
  const pool = {
    now: () => clock.ms,
    sleep: async (ms: number) => {
      slept.push(ms);
      clock.ms += ms;
      chainNow += ms;
    },
    tell: (wrong: ChainIdError) => void told.push(wrong),
  };
  return { rpc: httpRpc(urls, { chainId: 1, timeoutMs: 2000, pool }), clock, slept, told };
}

const chainIdFault =
  (json: string, times: number): NonNullable<ChainDoubleOptions["fault"]> =>
  ({ method, count }) =>
    method === "eth_chainId" && count < times ? { kind: "result", json } : undefined;

const BALANCES = [HEAD - 1, HEAD].map((block) => ({ address: WHALE, token: USDC, block }));
const KNOWN = [HEAD - 1, HEAD].map((block) => BigInt(block * 1_000_000));

describe("what is no answer is an outage: the next node is asked, and this one again", () => {
  const http = (status: number, body: string) => ({ kind: "http", status, body }) as const;
  test.each([
    ["eth_chainId null", { kind: "result", json: "null" }],
    ["eth_chainId empty", { kind: "result", json: '"0x"' }],
    ["HTTP 403 with an error text", http(403, '{"error":"quota exceeded"}')],
    ["HTTP 200 with an error text", http(200, '{"jsonrpc":"2.0","error":"rate limit"}')],
    ["HTTP 200 with no result", http(200, '{"jsonrpc":"2.0","id":0}')],
    ["a page", http(200, "<html>busy</html>")],
  ] as const)("%s", async (_, fault) => {
    let broken = true;
    const first = await node({ fault: () => (broken ? fault : undefined) });
    const second = await node();
    const { rpc, clock, told } = client([first.url, second.url]);
    for (let i = 0; i < 5; i++) expect((await rpc.header(HEAD))?.number).toBe(HEAD);
    // Three failures opened its breaker, whatever a smaller batch was tried for.
    const asked = first.batches().length;
    await rpc.header(HEAD);
    expect(first.batches().length).toBe(asked);
    expect([told, second.batches().length]).toEqual([[], 6]);
    broken = false;
    clock.ms += 31_000;
    await rpc.header(HEAD);
    expect([first.batches().length > asked, second.batches().length]).toEqual([true, 6]);
    await first.close().then(() => opened.splice(opened.indexOf(first), 1));
    expect((await rpc.header(HEAD))?.number).toBe(HEAD);
  });

  test("alone, it is asked again within the same call", async () => {
    const one = await node({ fault: chainIdFault("null", 1) });
    const { rpc, slept } = client([one.url]);
    expect((await rpc.header(HEAD))?.number).toBe(HEAD);
    expect(slept).toEqual([250]);
  });
});

test("a node of another chain is named, left alone for minutes, and then looked at again", async () => {
  let wrong = true;
  const one = await node({ fault: (call) => (wrong ? chainIdFault('"0x2105"', 1e9)(call) : undefined) });
  const { rpc, clock, told } = client([one.url]);
  for (let i = 0; i < 3; i++) {
    const failure = rpc.header(HEAD);
    await expect(failure).rejects.toBeInstanceOf(ChainIdError);
    await expect(failure).rejects.toMatchObject({ expected: 1, actual: "0x2105" });
  }
  expect([one.batches().length, told.length]).toEqual([1, 1]);
  clock.ms += 5 * 60_000;
  await expect(rpc.header(HEAD)).rejects.toBeInstanceOf(ChainIdError);
  expect([one.batches().length, told.length]).toEqual([2, 2]);
  wrong = false;
  clock.ms += 5 * 60_000;
  expect((await rpc.header(HEAD))?.number).toBe(HEAD);
});

describe("how many calls a node takes at once is learnt from what it refuses", () => {
  const refusals: NonNullable<Manners["batch"]>["refusal"][] = ["each call", "one error", 400, 413, 429];
  const cases = [1, 3, 10].flatMap((most) => refusals.map((refusal) => [most, refusal] as const));
  test.each(cases)("%i a batch, refused by %s", async (most, refusal) => {
    const one = await node({
      manners: () => ({ batch: { most, refusal } }),
      fault: () => ({ kind: "delay", milliseconds: 5 }),
    });
    const { rpc, slept } = client([one.url]);
    expect((await rpc.heads()).latest.number).toBe(HEAD);
    const headers = await rpc.headers(TINY_FROM, COUNT);
    expect(headers.map((header) => header?.number)).toEqual(Array.from({ length: COUNT }, (_, i) => TINY_FROM + i));
    expect(await rpc.balances(Array.from({ length: 20 }, () => BALANCES).flat())).toEqual(
      Array.from({ length: 20 }, () => KNOWN).flat(),
    );
    expect([one.mostAtOnce() <= 8, slept]).toEqual([true, []]);
    // Learnt once: of batches that were too large there are those of one halving at most.
    const refused = one.batches().filter((calls) => calls > most).length;
    expect(refused).toBeLessThanOrEqual(9);
    const before = one.batches().length;
    await rpc.headers(TINY_FROM, COUNT);
    const sizes = one.batches().slice(before);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(most);
    expect(Math.max(...sizes)).toBeGreaterThan(most / 2 - 1);
  });

  test("a refusal with Retry-After is waited for, in halves, and not counted as a failure", async () => {
    const one = await node({ manners: () => ({ batch: { most: 3, refusal: 429, retryAfter: 1 } }) });
    const { rpc, slept } = client([one.url]);
    expect((await rpc.headers(TINY_FROM, COUNT)).every(Boolean)).toBe(true);
    expect(new Set(slept)).toEqual(new Set([1000]));
    expect(slept.length).toBeLessThanOrEqual(6);
  });

  test("it grows again after minutes, carefully", async () => {
    let batch: Manners["batch"] = { most: 10, refusal: 413 };
    const one = await node({ manners: () => (batch ? { batch } : {}) });
    const { rpc, clock } = client([one.url]);
    const largest = async (): Promise<number> => {
      const before = one.batches().length;
      await rpc.headers(TINY_FROM, COUNT);
      return Math.max(...one.batches().slice(before));
    };
    await largest();
    expect(await largest()).toBe(6);
    clock.ms += 60_000;
    expect(await largest()).toBe(12); // tried once, refused
    expect(await largest()).toBe(6);
    clock.ms += 60_000;
    expect(await largest()).toBe(6); // and not so soon again
    batch = undefined;
    clock.ms += 60_000;
    expect(await largest()).toBe(12);
    for (let i = 0; i < 5; i++) {
      clock.ms += 121_000;
      await rpc.header(HEAD);
    }
    expect(await largest()).toBe(100);
  });
});

test("a balance that is refused is asked elsewhere or an error, never unknown; what no node can tell is null", async () => {
  const refusing = (code: number, message: string) =>
    node({ fault: ({ method }) => (method === "eth_call" ? { kind: "error", code, message } : undefined) });
  const fine = await node();
  for (const [code, message] of [
    [-32_005, "limit exceeded"],
    [-32_014, "plan"],
    [-32_603, "internal error"],
    [-32_002, "request timed out"],
    [-32_000, "project is over its daily requests"],
    [-32_601, "the method eth_call is not available"],
  ] as const) {
    const bad = await refusing(code, message);
    expect(await client([bad.url, fine.url]).rpc.balances(BALANCES)).toEqual(KNOWN);
    await expect(client([bad.url]).rpc.balances(BALANCES)).rejects.toBeInstanceOf(RpcError);
  }
  for (const [code, message] of [
    [-32_000, "missing trie node 1234 (path )"],
    [-32_000, "required historical state unavailable (reexec=128)"],
    [-32_000, "old data not available due to pruning"],
    [3, "execution reverted: rate limit exceeded"],
    [-32_000, "execution reverted: too many"],
  ] as const) {
    const bad = await refusing(code, message);
    expect(await client([bad.url]).rpc.balances(BALANCES)).toEqual([null, null]);
  }
});

describe("where a node knows no finality, nothing else changes", () => {
  test.each(["unsupported", "null", "above latest"] as const)("finalized %s", async (finality) => {
    const one = await node({ manners: () => ({ finality }) });
    const heads = await client([one.url]).rpc.heads();
    expect([heads.latest.number, heads.safe.number, heads.finalized.number]).toEqual([HEAD, 0, 0]);
    const { latest } = await client([(await node()).url]).rpc.heads();
    expect(heads.latest).toEqual(latest);
    expect(one.batches()).toEqual([4]);
  });
});

describe("a block whose receipts are not there yet", () => {
  const head = () => {
    const { number, hash, parentHash } = recording.headers.at(-1)!;
    return { number, hash, parentHash };
  };

  test("is asked for again in the same run, until they come", async () => {
    const one = await node({ manners: () => ({ receiptsLateMs: 1000 }) });
    chainNow = (recording.headers.at(-1)?.timestamp ?? 0) * 1000;
    const { rpc, slept } = client([one.url]);
    expect((await rpc.blockWithReceipts(head()))?.block.hash).toBe(head().hash);
    expect(slept).toEqual([500, 1000]);
  });

  test("is null when they do not come within eight seconds, or when another block took its place", async () => {
    const one = await node({ manners: () => ({ receiptsLateMs: 60_000 }) });
    chainNow = (recording.headers.at(-1)?.timestamp ?? 0) * 1000;
    const { rpc, slept } = client([one.url]);
    expect(await rpc.blockWithReceipts(head())).toBeNull();
    expect(slept).toEqual([500, 1000, 2000, 4000]);
    const lost = client([one.url]);
    expect(await lost.rpc.blockWithReceipts({ ...head(), hash: `0x${"77".repeat(32)}` })).toBeNull();
    expect(lost.slept).toEqual([]);
  });
});

test("an answer packed in another way is unpacked, or refused by its name", async () => {
  for (const encoding of ["br", "gzip", "zstd"] as const) {
    const one = await node({ manners: () => ({ encoding }) });
    expect((await client([one.url]).rpc.header(HEAD))?.number).toBe(HEAD);
  }
  const bad = await node({ manners: () => ({ encoding: "compress" }) });
  await expect(client([bad.url]).rpc.header(HEAD)).rejects.toThrow('content-encoding "compress" is not known');
  expect((await client([bad.url, (await node()).url]).rpc.header(HEAD))?.number).toBe(HEAD);
});

describe("no part of a node's URL but its host is in an error or a line of the log", () => {
  const SECRET = "S3cr3t/Key+1";
  const urlOf = ({ url }: ChainDouble): string =>
    `${url.replace("://", "://user:pass%2Fword@")}/v2/${encodeURIComponent(SECRET)}?apikey=hush-hush&tenant=a%20b%20c`;
  const basic = Buffer.from("user:pass/word").toString("base64");
  const LEAK = new RegExp(
    [SECRET, encodeURIComponent(SECRET), encodeURIComponent(encodeURIComponent(SECRET)), "pass/word", basic]
      .map((text) => text.replace(/[/+]/g, "\\$&"))
      .concat("pass%2Fword", "hush", "a b c", "a%20b", "apikey")
      .join("|"),
    "i",
  );

  test.each([
    ["an error of the node", { kind: "error", code: -32_000, message: "nope" }, {}],
    ["a refusal of the node", { kind: "error", code: -32_005, message: "nope" }, {}],
    ["a refused chain id", undefined, { batch: { most: 1, refusal: "one error" } }],
  ] as const)("%s", async (_, fault, manners) => {
    const one = await node({ fault: () => fault, manners: () => ({ ...manners, quotesUrl: true }) });
    const url = urlOf(one);
    const lines: LogLine[] = [];
    useSink((line) => lines.push(line));
    const error = await client([url])
      .rpc.header(HEAD)
      .then(
        () => new Error("no error"),
        (caught: unknown) => caught as Error,
      );
    const text = `${JSON.stringify({ ...error })} ${error.stack} ${String(error.cause)}`;
    expect(text).not.toMatch(LEAK);
    if (fault) expect([error.name, text.includes("[hidden]")]).toEqual(["RpcError", true]);
    // What another part of the desk makes of a node's words is scrubbed where it is written down.
    hideInLog(urlSecrets([url]));
    const cause = new Error(`GET ${url} ${encodeURIComponent(url)} ${basic}`);
    log({ level: "error", message: "failed", ...errorFields(new Error(`at ${url}`, { cause })), list: [{ url }] });
    expect(lines).toHaveLength(1);
    expect(JSON.stringify(lines)).not.toMatch(LEAK);
    expect(JSON.stringify(lines)).toContain(new URL(url).host);
  });
});
