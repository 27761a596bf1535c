import { asFullBlock, type Header, headerOf } from "#chain/block";
import { checkBlock } from "#chain/integrity";
import type { BalanceRequest, ChainNode } from "#chain/node";
import type { Heads, Seen } from "#chain/reorg";
import { type Pool, type PoolOptions, providerPool, UnusableAnswer } from "./rpc-pool.ts";
import { type Answer, type Call, httpProvider, RpcError } from "./rpc-provider.ts";

export interface RpcOptions {
  readonly chainId: number;
  readonly timeoutMs?: number;
  readonly pool?: Partial<PoolOptions>;
}

const POOL: PoolOptions = {
  rounds: 3,
  backoffMs: 250,
  breakAfter: 3,
  breakMs: 30_000,
  longestWaitMs: 5000,
  now: () => performance.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};
const BATCH = 100;
const NOWHERE: Seen = { number: 0, hash: `0x${"0".repeat(64)}` };

const hex = (number: number): string => `0x${number.toString(16)}`;
const headerCall = (want: number | string): Call =>
  typeof want === "string" && want.length === 66
    ? { method: "eth_getBlockByHash", params: [want, false] }
    : { method: "eth_getBlockByNumber", params: [typeof want === "number" ? hex(want) : want, false] };

/**
 * Returns a `ChainNode` over HTTP endpoints in order of preference: JSON-RPC batches, failover with backoff that honours
 * Retry-After, a breaker per endpoint, and the chain id checked before an endpoint is believed. Errors name hosts only.
 * @throws RangeError when `urls` is empty or holds something that is no http(s) URL.
 */
export function httpRpc(urls: readonly string[], options: RpcOptions): ChainNode {
  if (urls.length === 0) throw new RangeError("no RPC endpoint");
  const bad = urls.findIndex((url) => !URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol));
  if (bad >= 0) throw new RangeError(`RPC endpoint ${bad + 1} is no http(s) URL`);
  const transport = { chainId: options.chainId, timeoutMs: options.timeoutMs ?? 15_000 };
  const pool = providerPool(
    urls.map((url) => httpProvider(url, transport)),
    { ...POOL, ...options.pool },
  );

  const nullWhenAbsent = async <T>(asked: Promise<T>): Promise<T | null> => {
    try {
      return await asked;
    } catch (error) {
      if (error instanceof UnusableAnswer) return null;
      throw error;
    }
  };

  return {
    heads: (since = 0) => freshHeads(pool, since),
    header: (want) =>
      nullWhenAbsent(
        pool.ask([headerCall(want)], ([answer], provider) => headerOf(present(answer, "header", provider))),
      ),
    headers: (from, count) => headersFrom(pool, from, count),
    blockWithReceipts: (expected) => {
      const calls: Call[] = [
        { method: "eth_getBlockByHash", params: [expected.hash, true] },
        { method: "eth_getBlockReceipts", params: [expected.hash] },
      ];
      return nullWhenAbsent(
        pool.ask(calls, ([block, receipts], provider) => {
          const full = asFullBlock(present(block, "block", provider), present(receipts, "receipts", provider));
          checkBlock(full.block, full.receipts, expected);
          return full;
        }),
      );
    },
    balances: async (requests) => {
      const results: (bigint | null)[] = [];
      for (let i = 0; i < requests.length; i += BATCH) {
        const calls = requests.slice(i, i + BATCH).map(balanceCall);
        const read = (answers: readonly Answer[], provider: string) =>
          answers.map((answer) => balanceOf(answer, provider));
        results.push(...((await nullWhenAbsent(pool.ask(calls, read))) ?? calls.map(() => null)));
      }
      return results;
    },
    confirms: async (number, hash) => {
      const hashes = await pool.others(
        [headerCall(number)],
        ([answer]) => headerOf(present(answer, "header", "")).hash,
      );
      return hashes.length === 0 || hashes.includes(hash);
    },
  };
}

/** Returns the heads of the first provider whose newest block is not older than `since`, else the newest that was seen. */
async function freshHeads(pool: Pool, since: number): Promise<Heads> {
  let stale: Heads | null = null;
  const read = ([latest, safe, finalized]: readonly Answer[], provider: string): Heads => {
    const newest = headerOf(value(latest, "latest", provider) ?? noBlock(provider));
    const heads = { latest: newest, safe: seenOf(safe), finalized: seenOf(finalized) };
    if (newest.timestamp >= since) return heads;
    if (stale === null || newest.number > stale.latest.number) stale = heads;
    throw new UnusableAnswer("latest");
  };
  try {
    return await pool.ask(["latest", "safe", "finalized"].map(headerCall), read);
  } catch (error) {
    if (stale !== null) return stale;
    throw error;
  }
}

/** Returns the headers of the first provider that has the last one wanted, else of the one that has most of them. */
async function headersFrom(pool: Pool, from: number, count: number): Promise<(Header | null)[]> {
  const calls = Array.from({ length: count }, (_, i) => headerCall(from + i));
  let most: (Header | null)[] = calls.map(() => null);
  const had = (list: readonly (Header | null)[]): number => list.filter((header) => header !== null).length;
  const read = (answers: readonly Answer[], provider: string): (Header | null)[] => {
    const list = answers.map((answer) => {
      const block = value(answer, "header", provider);
      return block === null ? null : headerOf(block);
    });
    if (list.at(-1) !== null) return list;
    if (had(list) > had(most)) most = list;
    throw new UnusableAnswer("header");
  };
  try {
    return await pool.ask(calls, read);
  } catch (error) {
    if (had(most) > 0 || error instanceof UnusableAnswer) return most;
    throw error;
  }
}

/** Returns the result. @throws RpcError when the node answered with an error. */
function value(answer: Answer | undefined, what: string, provider: string): unknown {
  if (!answer) throw new RpcError(provider, what, "no answer");
  if (!answer.ok) throw new RpcError(provider, what, `error ${answer.code}: ${answer.message}`);
  return answer.result;
}

function noBlock(provider: string): never {
  throw new RpcError(provider, "latest", "the node has no block yet");
}

/** How nodes say that they have not got a block: there is no code of its own for it. */
const NO_BLOCK = /not found|unknown block|missing header/i;

/** Returns the result where there is one. @throws UnusableAnswer when the node has not got it, under any wording. */
function present(answer: Answer | undefined, what: string, provider: string): unknown {
  if (answer && !answer.ok && NO_BLOCK.test(answer.message)) throw new UnusableAnswer(what);
  const result = value(answer, what, provider);
  if (result === null) throw new UnusableAnswer(what);
  return result;
}

const seenOf = (answer: Answer | undefined): Seen =>
  answer?.ok && answer.result !== null ? headerOf(answer.result) : NOWHERE;

// balanceOf(address)
const BALANCE_OF = "0x70a08231000000000000000000000000";

const balanceCall = ({ address, token, block }: BalanceRequest): Call =>
  token === "native"
    ? { method: "eth_getBalance", params: [address, hex(block)] }
    : { method: "eth_call", params: [{ to: token, data: `${BALANCE_OF}${address.slice(2)}` }, hex(block)] };

// Rate limits come as an error per call from some providers: another may answer. Source: EIP-1474, -32005
const LIMITED = -32_005;

function balanceOf(answer: Answer, provider: string): bigint | null {
  if (!answer.ok && answer.code === LIMITED) throw new RpcError(provider, "balance", answer.message);
  // A node that hangs behind has not got the block; pruned state, in other words, is the same elsewhere.
  if (!answer.ok && NO_BLOCK.test(answer.message)) throw new UnusableAnswer("balance");
  const result = answer.ok ? answer.result : null;
  return typeof result === "string" && /^0x[0-9a-f]{1,64}$/i.test(result) ? BigInt(result) : null;
}
