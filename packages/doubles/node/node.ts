import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import * as z from "zod";
import type { Clock } from "#host/clock";
import type { Recording } from "#recording/recording";
import { type Manners, mannered, packed, quoting, rebuffOf } from "./manners.ts";
import { chainMethods, type JsonText, type Method, RpcReplyError } from "./methods.ts";
import { type ChainView, chainViews, type Fork } from "./view.ts";

/** One call as it reached the double; `count` is how many came before it. */
export interface ChainCall {
  readonly method: string;
  readonly params: readonly unknown[];
  readonly count: number;
}

/** What goes wrong with a call. http, truncate, disconnect and delay hit the whole request that the call came in. */
export type ChainFault =
  | { readonly kind: "error"; readonly code: number; readonly message: string }
  | { readonly kind: "result"; readonly json: string }
  | { readonly kind: "receipt-hash" }
  | {
      readonly kind: "http";
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  | { readonly kind: "truncate" }
  | { readonly kind: "disconnect" }
  | { readonly kind: "delay"; readonly milliseconds: number };

export interface ChainDoubleOptions {
  /** 0 or absent: any free port. */
  readonly port?: number;
  readonly forks?: readonly Fork[];
  /** How many blocks the node is behind, asked at each request. */
  readonly lag?: () => number;
  readonly fault?: (call: ChainCall) => ChainFault | undefined;
  /** Asked at each request, so that they may change. */
  readonly manners?: () => Manners;
}

export interface ChainDouble {
  readonly url: string;
  /** How many calls it answered (each call of a batch counts). */
  readonly calls: () => number;
  /** The number of calls in each request that came, in their order. */
  readonly batches: () => readonly number[];
  /** The most requests that were being answered at one time. */
  readonly mostAtOnce: () => number;
  readonly close: () => Promise<void>;
}

const Call = z.object({
  id: z.union([z.string(), z.number(), z.null()]).default(null),
  method: z.string(),
  params: z.array(z.unknown()).default([]),
});
type Call = z.output<typeof Call>;

const BODY_LIMIT = 5 * 1024 * 1024;

const failed = (id: string | number | null, code: number, message: string): JsonText[] => [
  JSON.stringify({ jsonrpc: "2.0", id, error: { code, message } }),
];

/** Returns the receipts with the first one's block hash changed: what a lagging or confused provider mixes up. */
function withWrongHash(result: JsonText): string {
  const text = typeof result === "string" ? result : Buffer.from(result).toString("utf8");
  return text.replace(/"blockHash":"0x[0-9a-f]{64}"/, `"blockHash":"0x${"de".repeat(32)}"`);
}

function answer(methods: Readonly<Record<string, Method>>, view: ChainView, call: Call, fault?: ChainFault) {
  if (fault?.kind === "error") return failed(call.id, fault.code, fault.message);
  const method = methods[call.method];
  if (!method) return failed(call.id, -32601, `the method ${call.method} does not exist or is not available`);
  try {
    const result = fault?.kind === "result" ? fault.json : method(view, call.params);
    if (typeof result === "object" && "code" in result) return failed(call.id, result.code, result.message);
    const served = fault?.kind === "receipt-hash" ? withWrongHash(result) : result;
    return [`{"jsonrpc":"2.0","id":${JSON.stringify(call.id)},"result":`, served, "}"];
  } catch (error) {
    if (error instanceof RpcReplyError) return failed(call.id, error.code, error.message);
    throw error;
  }
}

async function bodyOf(request: IncomingMessage): Promise<string | null> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request) {
    size += part.length;
    if (size > BODY_LIMIT) return null;
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

function jsonOf(body: string | null): unknown {
  try {
    return body === null ? undefined : JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** Writes the parts without joining them: a block's bytes go out as they lie in its chunk. */
function reply(
  response: ServerResponse,
  parts: readonly JsonText[],
  faults: readonly ChainFault[],
  { encoding }: Manners,
): void {
  const http = faults.find((fault) => fault.kind === "http");
  if (http) {
    response.writeHead(http.status, http.headers).end(http.body);
    return;
  }
  if (faults.some((fault) => fault.kind === "disconnect")) {
    response.destroy();
    return;
  }
  if (encoding) {
    const headers = { "content-type": "application/json", "content-encoding": encoding };
    response.writeHead(200, headers).end(packed(parts, encoding));
    return;
  }
  const size = parts.reduce((sum, part) => sum + Buffer.byteLength(part), 0);
  if (faults.some((fault) => fault.kind === "truncate")) {
    const whole = Buffer.concat(parts.map((part) => Buffer.from(part)));
    response.writeHead(200, { "content-type": "application/json" }).end(whole.subarray(0, size >> 1));
    return;
  }
  response.writeHead(200, { "content-type": "application/json", "content-length": size });
  response.cork();
  for (const part of parts) response.write(part);
  response.end();
}

/** Returns how a part of a reply reads when the node quotes in its errors how it was called. */
const quotedBy =
  ({ url = "/", headers }: IncomingMessage) =>
  (part: JsonText): JsonText =>
    typeof part === "string" && part.includes('"error":') ? quoting(part, url, headers.authorization) : part;

/** Returns the parts of the reply to a request's body. */
function repliesTo(body: unknown, answerTo: (call: Call) => readonly JsonText[]): readonly JsonText[] {
  const one = (value: unknown): readonly JsonText[] => {
    const call = Call.safeParse(value);
    return call.success ? answerTo(call.data) : failed(null, -32600, "invalid request");
  };
  if (body === undefined) return failed(null, -32700, "parse error");
  if (!Array.isArray(body)) return one(body);
  if (body.length === 0) return failed(null, -32600, "empty batch");
  return ["[", ...body.flatMap((value, index) => (index === 0 ? one(value) : [",", ...one(value)])), "]"];
}

const listening = (server: Server, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", reject);
      const address = server.address();
      resolve(typeof address === "object" && address ? address.port : port);
    });
  });

/**
 * Serves a recording as JSON-RPC over HTTP on loopback, as a node would have known it at `clock.now()`: nothing of a later
 * block can be asked. `close` ends open connections.
 * @throws Error EADDRINUSE when the port is taken   Source: Ethereum execution APIs; JSON-RPC 2.0
 */
export async function chainDouble(
  recording: Recording,
  clock: Clock,
  options: ChainDoubleOptions = {},
): Promise<ChainDouble> {
  const plain = chainMethods(recording);
  const viewAt = chainViews(recording, options.forks);
  let calls = 0;
  const batches: number[] = [];
  let [atOnce, mostAtOnce] = [0, 0];
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.method !== "POST") {
      response.writeHead(405, { allow: "POST" }).end();
      return;
    }
    const body = jsonOf(await bodyOf(request));
    batches.push(Array.isArray(body) ? body.length : 1);
    const manners = options.manners?.() ?? {};
    const rebuff = rebuffOf(manners, body);
    if (rebuff) {
      response.writeHead(rebuff.status, { "content-type": "application/json", ...rebuff.headers }).end(rebuff.body);
      return;
    }
    const methods = options.manners ? mannered(plain, manners, clock.now) : plain;
    const view = viewAt(clock.now(), options.lag?.() ?? 0);
    const faults: ChainFault[] = [];
    const answers = repliesTo(body, (call) => {
      const fault = options.fault?.({ method: call.method, params: call.params, count: calls });
      calls += 1;
      if (fault) faults.push(fault);
      return answer(methods, view, call, fault);
    });
    const parts = manners.quotesUrl ? answers.map(quotedBy(request)) : answers;
    const delay = faults.find((fault) => fault.kind === "delay");
    if (delay) await new Promise((resolve) => setTimeout(resolve, delay.milliseconds));
    reply(response, parts, faults, manners);
  };
  const server = createServer((request, response) => {
    atOnce += 1;
    mostAtOnce = Math.max(mostAtOnce, atOnce);
    response.once("close", () => {
      atOnce -= 1;
    });
    serve(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  const port = await listening(server, options.port ?? 0);
  const close = () =>
    new Promise<void>((resolve, reject) => {
      server.close((error) => (error ? reject(error) : resolve()));
      server.closeAllConnections();
    });
  return {
    url: `http://127.0.0.1:${port}`,
    calls: () => calls,
    batches: () => batches,
    mostAtOnce: () => mostAtOnce,
    close,
  };
}
