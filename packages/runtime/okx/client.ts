import { okx } from "ccxt";
import * as z from "zod";
import type { TradingMode } from "#trading/mode";
import { scrub, VenueError, VenueGuardError } from "./errors.ts";

/** A key of one OKX environment. `mode` says which; a process of the other mode refuses it. */
export interface OkxCredentials {
  readonly mode: TradingMode;
  readonly apiKey: string;
  readonly secret: string;
  readonly passphrase: string;
}

export interface OkxClientConfig {
  /** "okx" talks to OKX alone, "paper" to loopback alone. */
  readonly venue: "okx" | "paper";
  readonly mode: TradingMode;
  /** Origin of the API, "https://www.okx.com"; a path is not kept. */
  readonly url: string;
  /** Whether ccxt paces requests. Off in a replay. */
  readonly rateLimit: boolean;
  readonly timeoutMs?: number;
  readonly credentials?: OkxCredentials;
  /** A check of the account, which asks what the desk never does. In live it reads, and posts nothing. */
  readonly checks?: boolean;
}

/** OKX's API hosts: global (the newer and the older name), EEA, US. Demo is the same host with a header. Source: OKX v5. */
const OKX_HOSTS: readonly string[] = ["openapi.okx.com", "www.okx.com", "eea.okx.com", "us.okx.com"];
const LOOPBACK: readonly string[] = ["127.0.0.1", "localhost", "[::1]"];

/** The only private endpoints that the desk calls; above all, none that moves funds or places in batches. */
const PRIVATE_PATHS: ReadonlySet<string> = new Set([
  ...[
    "account/config",
    "account/balance",
    "account/positions",
    "account/max-size",
    "account/leverage-info",
    "account/set-leverage",
    "account/bills",
    "account/bills-archive",
  ],
  ...["trade/order", "trade/cancel-order", "trade/orders-pending", "trade/fills", "trade/fills-history"],
  "trade/close-position",
  ...["trade/order-algo", "trade/amend-algos", "trade/cancel-algos", "trade/orders-algo-pending"],
]);

/** What a check asks besides. */
const CHECK_PATHS: ReadonlySet<string> = new Set(["trade/cancel-all-after"]);

const DEMO_HEADER = "x-simulated-trading";

type Fields = Record<string, unknown>;

const Envelope = z.object({
  code: z.string(),
  msg: z.string().default(""),
  data: z.array(z.unknown()).default([]),
});
const OrderReply = z.object({ sCode: z.string(), sMsg: z.string().default("") });

// ccxt stops its timer when the headers arrive; reading the body here keeps a stalled body under it. A redirect is an
// error: the signature must not travel.
async function wholeFetch(url: string, init: RequestInit): Promise<unknown> {
  const { method, headers, body, signal } = init;
  const reply = await fetch(url, {
    redirect: "error",
    ...(method === undefined ? {} : { method }),
    ...(headers === undefined ? {} : { headers }),
    ...(body === undefined ? {} : { body }),
    ...(signal === undefined ? {} : { signal }),
  });
  const text = await reply.text();
  return { status: reply.status, statusText: reply.statusText, headers: reply.headers, text: async () => text };
}

/** @throws VenueGuardError when the configuration mixes modes, venues or hosts. */
function originOf(config: OkxClientConfig): string {
  const url = new URL(config.url);
  const refuse = (problem: string) => new VenueGuardError(url.host, "/", problem);
  if (config.credentials && config.credentials.mode !== config.mode) {
    throw refuse(`a ${config.credentials.mode} key in a ${config.mode} process`);
  }
  if (config.venue === "paper") {
    if (config.mode !== "demo") throw refuse("the paper venue is demo only");
    if (!LOOPBACK.includes(url.hostname)) throw refuse("the paper venue is on loopback");
  } else {
    if (!OKX_HOSTS.includes(url.host)) throw refuse("not one of OKX's hosts");
    if (url.protocol !== "https:") throw refuse("not over TLS");
  }
  return url.origin;
}

// A class because ccxt is extended by overriding: every request passes sign(), every reply handleErrors().
class GuardedOkx extends okx {
  origin = "";
  mode: TradingMode = "demo";
  secrets: readonly string[] = [];
  checks = false;

  override sign(path: string, api = "public", method = "GET", params: Fields = {}, headers?: unknown, body?: unknown) {
    const { expTime, ...fields } = params;
    const query = Array.isArray(params) ? params : fields; // a list is sent as one
    const request = super.sign(path, api, method, query, headers as never, body as never) as {
      url: string;
      method: string;
      body?: string;
      headers?: Record<string, string>;
    };
    const { origin, host } = new URL(request.url);
    const refuse = (problem: string) => new VenueGuardError(host, path, problem);
    // ccxt's setSandboxMode replaces the URLs, so the URL is judged here, where it is final.
    if (origin !== this.origin) throw refuse("not the configured host");
    if (api !== "private") return request;
    if (!PRIVATE_PATHS.has(path) && !(this.checks && CHECK_PATHS.has(path)))
      throw refuse("not an endpoint of this desk");
    if (this.checks && this.mode === "live" && method !== "GET") throw refuse("a check posts nothing in live");
    if ((this.headers[DEMO_HEADER] === "1") !== (this.mode === "demo")) throw refuse(`header is not of ${this.mode}`);
    if (path === "trade/order" && method === "POST") {
      if (typeof expTime !== "string") throw refuse("an order without a deadline");
      request.headers = { ...request.headers, expTime };
    }
    return request;
  }

  override async fetch(url: string, method = "GET", headers?: unknown, body?: unknown): Promise<unknown> {
    try {
      return await super.fetch(url, method, headers as never, body as never);
    } catch (error) {
      if (error instanceof VenueError) throw error;
      // No cause: ccxt's and undici's errors may hold the request with its signature.
      throw new VenueError(
        operation(method, url),
        null,
        null,
        this.clean(error instanceof Error ? error.message : "failed", headers),
      );
    }
  }

  override handleErrors(
    status: number,
    _text: string,
    url: string,
    method: string,
    _h: unknown,
    body: string,
    json: unknown,
    sent?: unknown,
  ) {
    const parsed = Envelope.safeParse(json);
    const name = operation(method, url);
    if (!parsed.success) throw new VenueError(name, null, status, this.clean(body.replace(/\s+/g, " ").trim(), sent));
    const { code, msg, data } = parsed.data;
    const own = OrderReply.safeParse(data[0]);
    if (own.success && own.data.sCode !== "0")
      throw new VenueError(name, own.data.sCode, status, this.clean(own.data.sMsg, sent));
    if (code !== "0") throw new VenueError(name, code, status, this.clean(msg, sent));
    if (status >= 300) throw new VenueError(name, null, status, "success with an error status");
    return undefined;
  }

  /** The signature goes too: with the request it signed it could be replayed for half a minute. */
  clean(text: string, sent: unknown): string {
    const signature = (sent as Record<string, string> | undefined)?.["OK-ACCESS-SIGN"];
    return scrub(text, signature === undefined ? this.secrets : [...this.secrets, signature]);
  }
}

const operation = (method: string, url: string): string => `${method} ${new URL(url).pathname.replace("/api/v5/", "")}`;

export type OkxClient = GuardedOkx;

/**
 * Returns ccxt's okx, fenced: one host, one mode, no retries, exact strings, and errors by OKX's code.
 * @throws VenueGuardError when host, mode and key do not belong together.
 */
export function okxClient(config: OkxClientConfig): OkxClient {
  const origin = originOf(config);
  const { credentials } = config;
  const client = new GuardedOkx({
    enableRateLimit: config.rateLimit,
    timeout: config.timeoutMs ?? 10_000,
    ...(credentials
      ? { apiKey: credentials.apiKey, secret: credentials.secret, password: credentials.passphrase }
      : {}),
  });
  client.number = String as never; // ccxt types it as a number; text keeps every digit
  client.options.maxRetriesOnFailure = 0;
  client.options.createOrder = "privatePostTradeOrder";
  client.fetchImplementation = wholeFetch;
  if (credentials && config.mode === "demo") client.setSandboxMode(true);
  // After setSandboxMode: it copies urls.test over urls.api.
  client.urls.api = { rest: origin };
  client.origin = origin;
  client.mode = config.mode;
  client.checks = config.checks ?? false;
  client.secrets = credentials ? [credentials.secret, credentials.passphrase, credentials.apiKey] : [];
  return client;
}
