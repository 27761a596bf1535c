import { asFullBlock, type FullBlock, type Header, headerOf } from "#chain/block";
import { checkBlock, checkSenders, type Expected, IntegrityError, proofFor, type Verify } from "#chain/integrity";
import type { Asker, BalanceRequest, ChainNode } from "#chain/node";
import type { Heads, Seen } from "#chain/reorg";
import { touchesOf } from "#chain/touch";
import type { Answer, Call } from "./rpc-answers.ts";
import { RpcError } from "./rpc-error.ts";
import { type Pool, type PoolOptions, providerPool, UnusableAnswer } from "./rpc-pool.ts";
import { httpProvider } from "./rpc-provider.ts";

export interface RpcOptions {
  readonly chainId: number;
  readonly timeoutMs?: number;
  /** How blocks are proven; "full" when left out. */
  readonly verify?: Verify;
  /** Whether transactions without a signature are taken, as generated recordings have them; false when left out. */
  readonly unsigned?: boolean;
  readonly pool?: Partial<PoolOptions>;
}

const POOL: PoolOptions = {
  rounds: 3,
  backoffMs: 250,
  breakAfter: 3,
  breakMs: 30_000,
  wrongChainMs: 5 * 60_000,
  longestWaitMs: 5000,
  now: () => performance.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  tell: () => undefined,
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
 * Retry-After, a breaker and a learnt batch size per endpoint, and the chain id checked before an endpoint is believed.
 * Errors name hosts only.
 * @throws RangeError when `urls` is empty or holds something that is no http(s) URL.
 */
export function httpRpc(urls: readonly string[], options: RpcOptions): ChainNode {
  if (urls.length === 0) throw new RangeError("no RPC endpoint");
  const bad = urls.findIndex((url) => !URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol));
  if (bad >= 0) throw new RangeError(`RPC endpoint ${bad + 1} is no http(s) URL`);
  const poolOptions = { ...POOL, ...options.pool };
  const { now } = poolOptions;
  const transport = { chainId: options.chainId, timeoutMs: options.timeoutMs ?? 15_000, now };
  const pool = providerPool(
    urls.map((url) => httpProvider(url, transport)),
    poolOptions,
  );

  const nullWhenAbsent = async <T>(asked: Promise<T>): Promise<T | null> => {
    try {
      return await asked;
    } catch (error) {
      if (error instanceof UnusableAnswer) return null;
      throw error;
    }
  };

  const header: ChainNode["header"] = (want) =>
    nullWhenAbsent(pool.ask([headerCall(want)], ([answer], provider) => headerOf(present(answer, "header", provider))));

  return {
    heads: (since = 0) => freshHeads(pool, since),
    header,
    headers: (from, count) => headersFrom(pool, from, count),
    blockWithReceipts: (expected, asker) => {
      const ask = () => nullWhenAbsent(provenBlock(pool, expected, asker, options));
      const isReplaced = async () => ((await header(expected.number))?.hash ?? expected.hash) !== expected.hash;
      return patiently(ask, isReplaced, poolOptions.sleep);
    },
    balances: async (requests) => {
      const results: (bigint | null)[] = [];
      for (let i = 0; i < requests.length; i += BATCH) {
        const some = requests.slice(i, i + BATCH);
        const calls = some.map(balanceCall);
        const read = (answers: readonly Answer[], provider: string) =>
          answers.map((answer, k) => balanceOf(answer, provider, some[k]?.token ?? ""));
        results.push(...((await nullWhenAbsent(pool.ask(calls, read))) ?? some.map(() => null)));
      }
      return results;
    },
    confirms: (number, hash) => confirmed(pool, number, hash),
  };
}

/** A node mostly has a new block's receipts a moment after its header. Well within the time of any function that asks. */
const SOON_MS = [500, 1000, 2000, 4000];

/** Asks again, a little later each time, for what is not there yet, until it cannot come any more. */
async function patiently<T>(
  ask: () => Promise<T | null>,
  isOver: () => Promise<boolean>,
  sleep: PoolOptions["sleep"],
): Promise<T | null> {
  for (const wait of SOON_MS) {
    const found = await ask();
    if (found !== null || (await isOver())) return found;
    await sleep(wait);
  }
  return ask();
}

/** Returns the block of the first provider whose answer is proven. @throws IntegrityError, ShapeError of the last one's */
async function provenBlock(
  pool: Pool,
  expected: Expected,
  asker: Asker | undefined,
  { verify = "full", unsigned = false }: RpcOptions,
): Promise<FullBlock> {
  const { number, hash } = expected;
  const calls: Call[] = [
    { method: "eth_getBlockByHash", params: [hash, true] },
    { method: "eth_getBlockReceipts", params: [hash] },
  ];
  const levelOf = ({ block }: FullBlock): Verify =>
    asker ? proofFor(verify, asker.seenAt - Number(block.timestamp)) : "full";
  const found = await pool.ask(calls, ([block, receipts], provider) => {
    const full = asFullBlock(present(block, "block", provider), present(receipts, "receipts", provider));
    checkBlock(full.block, full.receipts, expected, { verify: levelOf(full), unsigned });
    if (asker) checkSenders(touchesOf(full, asker.watched), expected, unsigned);
    return full;
  });
  if (levelOf(found) === "full" || (await confirmed(pool, number, hash))) return found;
  throw new IntegrityError("confirmation", expected, "block", "a second provider has another block of that number");
}

async function confirmed(pool: Pool, number: number, hash: string): Promise<boolean> {
  const hashes = await pool.others([headerCall(number)], ([answer]) => headerOf(present(answer, "header", "")).hash);
  return hashes.length === 0 || hashes.includes(hash);
}

/** Returns the heads of the first provider whose newest block is not older than `since`, else the newest that was seen. */
async function freshHeads(pool: Pool, since: number): Promise<Heads> {
  let stale: Heads | null = null;
  const read = ([latest, safe, finalized]: readonly Answer[], provider: string): Heads => {
    const newest = headerOf(value(latest, "latest", provider) ?? noBlock(provider));
    const heads = { latest: newest, safe: finalityOf(safe, newest), finalized: finalityOf(finalized, newest) };
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

/** Returns how far the node's chain is safe or final; nowhere where it does not say, or names what lies above its own head. */
function finalityOf(answer: Answer | undefined, latest: Header): Seen {
  if (!answer?.ok || answer.result === null) return NOWHERE;
  const { number, hash } = headerOf(answer.result);
  return number <= latest.number ? { number, hash } : NOWHERE;
}

// balanceOf(address)
const BALANCE_OF = "0x70a08231000000000000000000000000";

const balanceCall = ({ address, token, block }: BalanceRequest): Call =>
  token === "native"
    ? { method: "eth_getBalance", params: [address, hex(block)] }
    : { method: "eth_call", params: [{ to: token, data: `${BALANCE_OF}${address.slice(2)}` }, hex(block)] };

/** How nodes say that they no longer have, or never had, the state of a block: it is the same elsewhere, or costs money. */
const NO_STATE = /trie|prun|archiv|histor|state|distance|too old/i;
/** How the machine says that a contract has no such balance to tell. */
const NO_ANSWER =
  /revert|invalid (opcode|jump)|bad (instruction|jump)|out of gas|stack (under|over)flow|vm (execution )?error/i;
const EXECUTION = 3;

/** Returns what a call for a balance says; null where the node cannot tell. @throws RpcError when it will not tell */
function balanceOf(answer: Answer, provider: string, token: string): bigint | null {
  if (!answer.ok) {
    const { code, message } = answer;
    // A node that hangs behind has not got the block; pruned state, in other words, is the same elsewhere.
    if (NO_BLOCK.test(message)) throw new UnusableAnswer("balance");
    if (code === EXECUTION || NO_STATE.test(message) || NO_ANSWER.test(message)) return null;
    throw new RpcError(provider, "balance", `error ${code}: ${message}`);
  }
  const { result } = answer;
  if (typeof result !== "string" || !/^0x[0-9a-f]*$/i.test(result))
    throw new RpcError(provider, "balance", "neither a balance nor an error");
  if (result.length > 2 && result.length <= 66) return BigInt(result);
  // No contract there, or one that answers in a form of its own.
  if (token !== "native") return null;
  throw new RpcError(provider, "balance", "no quantity");
}
