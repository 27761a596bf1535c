import { type Posted, postJson } from "./post-json.ts";

/** A call of a JSON-RPC batch. */
export interface Call {
  readonly method: string;
  readonly params: readonly unknown[];
}

/** What a node said to one call. */
export type Answer =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly code: number; readonly message: string };

/** A node could not be asked, or did not answer as JSON-RPC. `provider` is its host alone: paths and queries hold keys. */
export class RpcError extends Error {
  override name = "RpcError";
  readonly provider: string;
  readonly method: string;
  readonly problem: string;
  readonly status: number | null;
  /** What Retry-After asked for; null = nothing. */
  readonly retryAfterMs: number | null;
  constructor(
    provider: string,
    method: string,
    problem: string,
    status: number | null = null,
    retryAfterMs: number | null = null,
  ) {
    super(`${provider}: ${method}: ${problem}`);
    this.provider = provider;
    this.method = method;
    this.problem = problem;
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

/** A node serves another chain than the desk's. It is not asked again. */
export class ChainIdError extends Error {
  override name = "ChainIdError";
  readonly provider: string;
  readonly expected: number;
  readonly actual: string;
  constructor(provider: string, expected: number, actual: string) {
    super(`${provider} serves chain ${actual}, not ${expected}`);
    this.provider = provider;
    this.expected = expected;
    this.actual = actual;
  }
}

/** A node behind a URL. Each instance checks the chain id once, before its first answer is believed. */
export interface Provider {
  /** The host, fit for logs. */
  readonly name: string;
  /** Sends one batch and returns the answers in its order. @throws RpcError, ChainIdError */
  ask(calls: readonly Call[]): Promise<Answer[]>;
}

export interface ProviderOptions {
  readonly chainId: number;
  readonly timeoutMs: number;
}

const CHAIN_ID: Call = { method: "eth_chainId", params: [] };

/** Returns a provider for a JSON-RPC endpoint over HTTP. */
export function httpProvider(url: string, options: ProviderOptions): Provider {
  const name = hostOf(url);
  let checked = false;
  let batches = true;
  const ask = async (calls: readonly Call[]): Promise<Answer[]> => {
    if (!batches)
      return Promise.all(calls.map(async (call) => (await post(url, name, [call], options, false))[0] as Answer));
    try {
      return await post(url, name, calls, options, true);
    } catch (error) {
      if (!(error instanceof BatchRefused)) throw error;
      batches = false; // some free endpoints take one call at a time
      return ask(calls);
    }
  };
  return {
    name,
    ask: async (calls) => {
      if (checked) return ask(calls);
      const [chainId, ...answers] = await ask([CHAIN_ID, ...calls]);
      if (!chainId?.ok) throw new RpcError(name, "eth_chainId", chainId?.message ?? "no answer");
      if (Number(chainId.result) !== options.chainId)
        throw new ChainIdError(name, options.chainId, String(chainId.result));
      checked = true;
      return answers;
    },
  };
}

/** Returns the host of a URL for messages; "?" when it is no URL. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : "?";
}

class BatchRefused extends Error {}

async function post(
  url: string,
  name: string,
  calls: readonly Call[],
  options: ProviderOptions,
  batch: boolean,
): Promise<Answer[]> {
  const method = calls
    .map((call) => call.method)
    .join(",")
    .slice(0, 100);
  const requests = calls.map((call, id) => ({ jsonrpc: "2.0", id, ...call }));
  const { status, retryAfter, text } = await exchange(
    url,
    name,
    method,
    JSON.stringify(batch ? requests : requests[0]),
    options,
  );
  if (status === 429 || status >= 500)
    throw new RpcError(name, method, `HTTP ${status}`, status, milliseconds(retryAfter));
  const body = parsed(text);
  if (!batch && isObject(body)) return [answerOf(body)];
  if (batch && Array.isArray(body)) return inOrder(body, calls.length, name, method);
  if (batch && calls.length > 1 && (status === 400 || status === 413 || isObject(body))) throw new BatchRefused(name);
  throw new RpcError(name, method, `no JSON-RPC answer (HTTP ${status})`, status);
}

async function exchange(
  url: string,
  name: string,
  method: string,
  body: string,
  { timeoutMs }: ProviderOptions,
): Promise<Posted> {
  try {
    return await postJson(url, body, timeoutMs);
  } catch (error) {
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

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // an HTML page of a proxy: told apart by the caller
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function answerOf(body: Readonly<Record<string, unknown>>): Answer {
  const { error } = body;
  if (isObject(error)) return { ok: false, code: Number(error.code), message: String(error.message).slice(0, 200) };
  return { ok: true, result: body.result ?? null };
}

function inOrder(body: readonly unknown[], count: number, name: string, method: string): Answer[] {
  const byId = new Map(body.filter(isObject).map((one) => [one.id, one]));
  return Array.from({ length: count }, (_, id) => {
    const one = byId.get(id);
    if (!one) throw new RpcError(name, method, `the batch lacks answer ${id}`);
    return answerOf(one);
  });
}
