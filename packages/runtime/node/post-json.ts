import { type ClientRequest, type IncomingMessage, Agent as PlainAgent, request as plainRequest } from "node:http";
import { Agent as SecureAgent, request as secureRequest } from "node:https";
import { promisify } from "node:util";
import { brotliDecompress, gunzip, type InputType, inflate, zstdDecompress } from "node:zlib";

/** What a server answered: its text whole, whatever the status. */
export interface Posted {
  readonly status: number;
  /** The header, as it came; null = none. */
  readonly retryAfter: string | null;
  readonly text: string;
}

/** Nothing that a node rightly answers is larger once it is unpacked. */
const MAX_BYTES = 256 * 1024 * 1024;

type Unpack = (bytes: InputType, options: { readonly maxOutputLength: number }) => Promise<Buffer>;
const PLAIN = "identity";
/** What an answer may be packed in, by the name of it. Source: IANA, HTTP content coding registry. */
const UNPACK: ReadonlyMap<string, Unpack> = new Map<string, Unpack>([
  ["gzip", promisify(gunzip)],
  ["x-gzip", promisify(gunzip)],
  ["deflate", promisify(inflate)],
  ["br", promisify(brotliDecompress)],
  ["zstd", promisify(zstdDecompress)],
]);

/** An answer is packed in a way that is not known. */
export class EncodingError extends Error {
  override name = "EncodingError";
  constructor(encoding: string) {
    super(`content-encoding ${JSON.stringify(encoding.slice(0, 40))} is not known`);
  }
}

const agents = { plain: new PlainAgent({ keepAlive: true }), secure: new SecureAgent({ keepAlive: true }) };

/**
 * Posts JSON to an http(s) URL and returns the answer. Connections are kept and compressed answers taken, also in what was not asked for; redirects are not
 * followed. Node's own client and not `fetch`: a block is a megabyte, and carrying it through web streams took a tenth of all ingest.
 * @throws Error with Node's `code` when nobody answers, or one named TimeoutError when the whole answer is not there in time;
 * EncodingError
 */
export async function postJson(url: string, body: string, timeoutMs: number): Promise<Posted> {
  const began = performance.now();
  const first = open(url, body, timeoutMs);
  try {
    return await answerOf(first);
  } catch (error) {
    // The server had closed a kept connection, as one does while a function sleeps. Source: Node.js, request.reusedSocket
    if (!first.reusedSocket || (error as NodeJS.ErrnoException).code !== "ECONNRESET") throw error;
    return answerOf(open(url, body, timeoutMs - (performance.now() - began)));
  }
}

function open(url: string, body: string, timeoutMs: number): ClientRequest {
  const headers = {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    "accept-encoding": "gzip",
  };
  const secure = url.startsWith("https:");
  const options = { method: "POST", headers, agent: secure ? agents.secure : agents.plain };
  const request = secure ? secureRequest(url, options) : plainRequest(url, options);
  const late = setTimeout(() => request.destroy(new DOMException("no answer in time", "TimeoutError")), timeoutMs);
  return request.once("close", () => clearTimeout(late)).end(body);
}

async function answerOf(request: ClientRequest): Promise<Posted> {
  const { statusCode: status = 0, headers, bytes } = await received(request);
  const encoding = headers["content-encoding"]?.trim().toLowerCase() || PLAIN;
  const unpack = UNPACK.get(encoding);
  if (!unpack && encoding !== PLAIN) throw new EncodingError(encoding);
  const text = unpack && bytes.length > 0 ? await unpack(bytes, { maxOutputLength: MAX_BYTES }) : bytes;
  return { status, retryAfter: headers["retry-after"] ?? null, text: text.toString("utf8") };
}

type Received = Pick<IncomingMessage, "statusCode" | "headers"> & { readonly bytes: Buffer };

const received = (request: ClientRequest): Promise<Received> =>
  new Promise((resolve, reject) => {
    request.once("error", reject).once("response", (response: IncomingMessage) => {
      const { statusCode, headers } = response;
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part)).once("error", reject);
      response.once("end", () => resolve({ statusCode, headers, bytes: Buffer.concat(parts) }));
    });
  });
