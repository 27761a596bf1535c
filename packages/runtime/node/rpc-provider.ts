import { scrubber } from "../scrub.ts";
import { batchSize } from "./batch-size.ts";
import { type Gate, gate } from "./gate.ts";
import { EncodingError, type Posted, postJson } from "./post-json.ts";
import { type Answer, type Call, readReply } from "./rpc-answers.ts";
import { BatchRefusedError, ChainIdError, RpcError } from "./rpc-error.ts";
import { urlSecrets } from "./url-secrets.ts";

/** A node behind a URL. The chain id is checked before its first answer is believed, and again after a wrong one. */
export interface Provider {
  /** The host, fit for logs. */
  readonly name: string;
  /**
   * Returns the answers in the order of `calls`, asked for in as few batches as the node takes. A call that the node
   * refuses has no answer: a refusal is thrown. No part of the URL but its host is in what is returned or thrown.
   * @throws RpcError; ChainIdError
   */
  ask(calls: readonly Call[]): Promise<Answer[]>;
}

export interface ProviderOptions {
  readonly chainId: number;
  readonly timeoutMs: number;
  readonly now: () => number;
}

const CHAIN_ID: Call = { method: "eth_chainId", params: [] };
// Source: Ethereum execution APIs, "QUANTITY".
const QUANTITY = /^0x(0|[1-9a-f][0-9a-f]*)$/i;
/** Requests that one node is asked at once, where it takes less than all of a batch. */
const AT_ONCE = 8;

/** Returns a provider for a JSON-RPC endpoint over HTTP. How many calls it takes at once is learnt from what it refuses. */
export function httpProvider(url: string, options: ProviderOptions): Provider {
  const name = hostOf(url);
  const scrub = scrubber(urlSecrets([url]));
  const clean = (answer: Answer): Answer => (answer.ok ? answer : { ...answer, message: scrub(answer.message) });
  const request = async (calls: readonly Call[]): Promise<Answer[]> => {
    const answers = await post({ url, name, scrub, timeoutMs: options.timeoutMs }, calls);
    return answers.map(clean);
  };
  const ask = inBatches(request, options.now);
  let checked = false;
  return {
    name,
    ask: async (calls) => {
      if (checked) return ask(calls);
      const [chainId, ...answers] = await ask([CHAIN_ID, ...calls]);
      if (!chainId?.ok) throw new RpcError(name, CHAIN_ID.method, chainId?.message ?? "no answer");
      const { result } = chainId;
      if (typeof result !== "string" || !QUANTITY.test(result))
        throw new RpcError(
          name,
          CHAIN_ID.method,
          `no chain id: ${scrub(String(JSON.stringify(result)).slice(0, 100))}`,
        );
      if (BigInt(result) !== BigInt(options.chainId))
        throw new ChainIdError(name, options.chainId, result.slice(0, 66));
      checked = true;
      return answers;
    },
  };
}

/** Returns the host of a URL for messages; "?" when it is no URL. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : "?";
}

type Request = (calls: readonly Call[]) => Promise<readonly Answer[]>;
interface Piece {
  readonly calls: readonly Call[];
  /** The index of its first call. */
  readonly at: number;
}

/**
 * Returns a request of any number of calls, made of batches of the learnt size. A batch that is refused is asked again in
 * halves, the first of them alone until one passes. A refusal with Retry-After is thrown: the time is the caller's.
 */
function inBatches(request: Request, now: () => number): (calls: readonly Call[]) => Promise<Answer[]> {
  const size = batchSize(now);
  const door = gate(AT_ONCE);
  return async (calls) => {
    const answers: Answer[] = [];
    const send = async ({ calls: some, at }: Piece): Promise<void> => {
      try {
        for (const [i, answer] of (await request(some)).entries()) answers[at + i] = answer;
      } catch (error) {
        if (error instanceof BatchRefusedError) size.refused(some.length);
        throw error;
      }
    };
    let left = pieces([{ calls, at: 0 }], size.current());
    let probing = false;
    while (left.length > 0) {
      const turn = probing ? left.slice(0, 1) : left;
      const whole = turn.length === 1 && (turn[0]?.calls.length ?? 0) > 1;
      const { refused, unsent } = await wave(turn, whole ? (work) => work() : door, send);
      probing = refused.length > 0;
      left = pieces([...refused, ...unsent, ...left.slice(turn.length)], size.current());
    }
    return answers;
  };
}

/** Returns the pieces again, none with more than `most` calls. */
const pieces = (list: readonly Piece[], most: number): Piece[] =>
  list.flatMap(({ calls, at }) =>
    Array.from({ length: Math.ceil(calls.length / most) }, (_, i) => ({
      calls: calls.slice(i * most, (i + 1) * most),
      at: at + i * most,
    })),
  );

/** Sends pieces until one is refused or fails, then waits for those under way. @throws the first failure */
async function wave(turn: readonly Piece[], door: Gate, send: (piece: Piece) => Promise<void>) {
  const refused: Piece[] = [];
  const unsent: Piece[] = [];
  const failures: unknown[] = [];
  const one = async (piece: Piece): Promise<void> => {
    if (refused.length > 0 || failures.length > 0) {
      unsent.push(piece);
      return;
    }
    try {
      await send(piece);
    } catch (error) {
      const mayShrink = error instanceof BatchRefusedError && error.retryAfterMs === null;
      if (mayShrink) refused.push(piece);
      else failures.push(error);
    }
  };
  await Promise.all(turn.map((piece) => door(() => one(piece))));
  if (failures.length > 0) throw failures[0];
  return { refused, unsent };
}

interface Endpoint {
  readonly url: string;
  readonly name: string;
  readonly scrub: (text: string) => string;
  readonly timeoutMs: number;
}

/** How a gateway says that it does not serve the caller, or not now: an outage, whatever is in the body. */
const OUTAGE: ReadonlySet<number> = new Set([401, 402, 403, 404, 407, 408]);
const TOO_LARGE = 413;
const TOO_MANY = 429;

/** Sends calls as one request: a batch, or a plain call where there is one. @throws RpcError; BatchRefusedError of more than one call */
async function post(endpoint: Endpoint, calls: readonly Call[]): Promise<readonly Answer[]> {
  const { name, scrub } = endpoint;
  const methods = calls.map((call) => call.method);
  const method = methods.join(",").slice(0, 100);
  const requests = calls.map((call, id) => ({ jsonrpc: "2.0", id, ...call }));
  const posted = await exchange(endpoint, method, JSON.stringify(calls.length > 1 ? requests : requests[0]));
  const { status, text } = posted;
  const retryAfterMs = milliseconds(posted.retryAfter);
  const refusal = (problem: string): RpcError => {
    const Kind = calls.length > 1 ? BatchRefusedError : RpcError;
    return new Kind(name, method, scrub(problem), status, retryAfterMs);
  };
  if (status === TOO_MANY || status === TOO_LARGE) throw refusal(`HTTP ${status}`);
  if (status >= 500 || OUTAGE.has(status)) throw new RpcError(name, method, `HTTP ${status}`, status, retryAfterMs);
  const reading = readReply(text, calls.length);
  if (reading.kind === "answers") return reading.answers;
  // Some say only with the status that they take no batch.
  if (reading.kind === "refused" || status === 400) throw refusal(`refused (HTTP ${status}): ${reading.problem}`);
  throw new RpcError(name, method, scrub(`${reading.problem} (HTTP ${status})`), status, retryAfterMs);
}

async function exchange({ url, name, timeoutMs }: Endpoint, method: string, body: string): Promise<Posted> {
  try {
    return await postJson(url, body, timeoutMs);
  } catch (error) {
    if (error instanceof EncodingError) throw new RpcError(name, method, error.message);
    // Only the code is kept: a message may carry an address.
    const { name: kind, code } = error as NodeJS.ErrnoException;
    const timedOut = kind === "TimeoutError";
    throw new RpcError(name, method, timedOut ? `no answer in ${timeoutMs} ms` : `unreachable (${code ?? "network"})`);
  }
}

function milliseconds(retryAfter: string | null): number | null {
  const seconds = Number(retryAfter ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : null;
}
