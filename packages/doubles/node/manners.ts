import { brotliCompressSync, gzipSync, zstdCompressSync } from "node:zlib";
import type { JsonText, Method } from "./methods.ts";

/** How a node, or the gateway before it, behaves otherwise than the specification, as some do. */
export interface Manners {
  /** The calls that it takes in one batch, and how it refuses more: every call, the whole with one error, or by its status, with Retry-After where that is set (seconds). */
  readonly batch?: {
    readonly most: number;
    readonly refusal: "each call" | "one error" | 400 | 413 | 429;
    readonly retryAfter?: number;
  };
  /** How it answers for the tags `safe` and `finalized`. */
  readonly finality?: "unsupported" | "null" | "above latest";
  /** How long after a block's own time its receipts are there, in milliseconds. */
  readonly receiptsLateMs?: number;
  /** How it packs its answers, whatever it was asked for. */
  readonly encoding?: "br" | "gzip" | "zstd" | "compress";
  /** It quotes the whole URL and the credentials that it was called with in each error. */
  readonly quotesUrl?: boolean;
}

/** A reply that stands in for the answers. */
export interface Rebuff {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const TOO_MANY = { code: -32_014, message: "batch size is too large for your plan" };

const retryAfter = ({ retryAfter: seconds }: NonNullable<Manners["batch"]>): Record<string, string> =>
  seconds === undefined ? {} : { "retry-after": String(seconds) };

/** Returns how a batch of more calls than the node takes is refused, or null where it takes it. */
export function rebuffOf({ batch }: Manners, body: unknown): Rebuff | null {
  if (!batch || !Array.isArray(body) || body.length <= batch.most) return null;
  const error = (id: unknown) => ({ jsonrpc: "2.0", id, error: TOO_MANY });
  if (typeof batch.refusal === "number") return { status: batch.refusal, body: "", headers: retryAfter(batch) };
  const reply = batch.refusal === "one error" ? error(null) : body.map(({ id }) => error(id));
  return { status: 200, body: JSON.stringify(reply) };
}

/** Returns the methods as a node of these manners has them. */
export function mannered(
  methods: Readonly<Record<string, Method>>,
  { finality, receiptsLateMs = 0 }: Manners,
  nowMs: () => number,
): Readonly<Record<string, Method>> {
  const { eth_getBlockByNumber: byNumber, eth_getBlockReceipts: receipts } = methods as Record<string, Method>;
  if (!byNumber || !receipts) return methods;
  return {
    ...methods,
    eth_getBlockByNumber: (view, params) => {
      if (finality === undefined || !["safe", "finalized"].includes(String(params[0]))) return byNumber(view, params);
      if (finality === "unsupported")
        return { code: -32_602, message: `unknown block tag ${JSON.stringify(params[0])}` };
      return finality === "null" ? "null" : raised(byNumber(view, ["latest", params[1]]));
    },
    eth_getBlockReceipts: (view, params) => {
      const found = receipts(view, params);
      if (receiptsLateMs === 0 || (typeof found === "object" && "code" in found)) return found;
      const newest = view.headerAt(view.head);
      const isNew = newest !== undefined && nowMs() < newest.timestamp * 1000 + receiptsLateMs;
      return isNew && String(params[0]).toLowerCase() === newest.hash ? "null" : found;
    },
  };
}

/** Returns a block with a number that its chain has not reached. */
function raised(block: ReturnType<Method>): ReturnType<Method> {
  const isText = typeof block === "string" || block instanceof Uint8Array;
  if (!isText) return block;
  const text = typeof block === "string" ? block : Buffer.from(block).toString("utf8");
  return text.replace(/"number":"0x[0-9a-f]+"/, `"number":"0xffffffff"`);
}

/** Returns an error's reply with the URL and the credentials of its request in the message. */
export const quoting = (text: string, url: string, authorization: string | undefined): string =>
  text.replace(/"message":"/, () => {
    const quoted = JSON.stringify(`${url} (${encodeURIComponent(url)}) ${authorization ?? ""}: `).slice(1, -1);
    return `"message":"${quoted}`;
  });

/** Returns the bytes of a reply as they are packed. No client knows `compress`, so those are left as they are. */
export function packed(parts: readonly JsonText[], encoding: NonNullable<Manners["encoding"]>): Buffer {
  const whole = Buffer.concat(parts.map((part) => Buffer.from(part)));
  if (encoding === "br") return brotliCompressSync(whole);
  if (encoding === "zstd") return zstdCompressSync(whole);
  return encoding === "gzip" ? gzipSync(whole) : whole;
}
