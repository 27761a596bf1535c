import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "#host/clock";
import { listen, readBody } from "#host/http";
import type { CandleSource, InstrumentRow } from "#recording/candle-source";
import { type Big, big, type Decimal, decimalOf } from "#units/decimal";
import { newAccount, type PaperOrder, type PaperState } from "./account.ts";
import { isWaiting } from "./algo.ts";
import { refusedAlgo } from "./algo-routes.ts";
import { checkCall, type PaperKey } from "./auth.ts";
import { AT_LAST, type Basis, type BookSettings, paperBook } from "./book.ts";
import { tradeUnasked, type UnaskedTrade } from "./by-venue.ts";
import { cancelWhenDue } from "./cancel-all-after.ts";
import { type FaultAct, type Faults, noFaults } from "./faults.ts";
import { FUNDING_RULE, type FundingTerms } from "./funding.ts";
import { type PaperBill, recordTransfer } from "./ledger.ts";
import type { Floor } from "./matching.ts";
import { advance } from "./path.ts";
import { PRIVATE_ROUTES } from "./private.ts";
import { PUBLIC_ROUTES } from "./public.ts";
import { type Count, rateLimits } from "./rate-limits.ts";
import { accepted, PaperRefusal, type PaperRequest, type Reply } from "./reply.ts";
import { readState, writeState } from "./store.ts";

export interface PaperVenueConfig {
  readonly clock: Clock;
  readonly source: CandleSource;
  readonly key: PaperKey;
  readonly port?: number;
  /** USDT of a new account; 100,000 by default. */
  readonly balance?: Decimal;
  /** Where the account is kept; without it, it ends with the process. */
  readonly file?: string;
  readonly book?: Partial<BookSettings>;
  /** Slippage in bps of an order that takes the whole of a bar's share; 10 by default. */
  readonly impactBps?: number;
  /** From a stop's trigger to its order in the book; 50 by default. */
  readonly triggerLatencyMs?: number;
  /** From a fill in its order to the same fill in trade/fills; 0 by default. */
  readonly fillLagMs?: number;
  /**
   * Whether requests are refused that come too often. Off by default: a clock that is moved by hand stands still while hundreds
   * come.
   */
  readonly limits?: boolean;
  /** Of each instrument; the rule for what has no recorded rate by default. */
  readonly funding?: (instId: string) => FundingTerms;
  /** Sees each request as it came. For tests. */
  readonly observe?: (request: { method: string; target: string; headers: IncomingHttpHeaders; body: string }) => void;
}

/** The venue without its socket. */
export interface PaperEngine {
  /** The account as it is now; a reader leaves it as it is. */
  readonly account: Readonly<PaperState>;
  /** Carries out a request at the clock of now. */
  ask(arrival: Arrival): Reply;
  /**
   * Moves USDT, or another currency, into the account, or out of it when `amount` is negative. @throws RangeError for nothing,
   * or more than there is.
   */
  transfer(amount: Decimal, ccy?: string): PaperBill;
  /**
   * Has fees paid in a currency at so many USDT a unit, while the account holds enough of it; null = in USDT again. The index
   * of the currency is that price, or nothing where it is hidden.
   */
  chargeIn(fees: FeesIn | null): void;
  /** Trades as a person or the venue does, without the desk. @throws RangeError without a price or anything to reduce. */
  trade(unasked: UnaskedTrade): PaperOrder;
  /** Says otherwise of the account from here on: `{ perm: "read_only,trade,withdraw" }`, another `posMode`, `ip`, `uid`. */
  pretend(config: Readonly<Record<string, string>>): void;
  /** Sets the leverage of an instrument as a person does at the venue's own page. */
  leverage(instrument: string, leverage: Decimal): void;
  /** Changes the row of an instrument: `{ state: "suspend" }`, or an `upcChg` that announces another tick or lot. */
  relist(instrument: string, fields: InstrumentRow): void;
  /** Holds the mark and the index of an instrument at these multiples of its last price, until told otherwise. */
  part(instrument: string, mark: Decimal, index: Decimal): void;
}

export interface PaperVenue extends Omit<PaperEngine, "account" | "ask"> {
  /** Origin: what the adapter is given as its URL. */
  readonly url: string;
  readonly faults: Faults;
  /** Carries out the requests that a `late` fault held back, at the clock of now. Returns how many. */
  deliverLate(): Promise<number>;
  /** Returns the account as it would be kept. */
  state(): PaperState;
  close(): Promise<void>;
}

export interface FeesIn {
  readonly ccy: string;
  readonly price: Decimal;
  /** Whether the venue's index does not have it. */
  readonly isHidden?: boolean;
}

/** A request as it comes in. */
export interface Arrival {
  readonly method: string;
  /** Path with query. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** OKX's taker and maker fees of a new account on swaps. */
const FEES = { taker: big(decimalOf("0.0005")), maker: big(decimalOf("0.0002")) };

/** Answers that are kept for a stale read: a desk asks fewer kinds of question. */
const TOLD = 100;

const PREFIX = "/api/v5/";

function requestOf({ method, target, headers, body }: Arrival, now: number): PaperRequest {
  const url = new URL(target, "http://venue");
  const expires = Number(headers.exptime);
  let fields: unknown = {};
  try {
    fields = body === "" ? {} : JSON.parse(body);
  } catch {
    throw new PaperRefusal("50002", "Incorrect json data format", 400);
  }
  const isList = url.pathname === `${PREFIX}trade/cancel-algos`;
  const isObject = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value);
  if (isList ? !Array.isArray(fields) || !fields.every(isObject) : !isObject(fields))
    throw new PaperRefusal("50002", `Not a JSON ${isList ? "list" : "object"}`, 400);
  return {
    method,
    path: url.pathname.slice(PREFIX.length),
    query: Object.fromEntries(url.searchParams),
    body: isList ? {} : (fields as Record<string, unknown>),
    list: isList ? (fields as Record<string, unknown>[]) : [],
    expiresMs: Number.isFinite(expires) ? expires : null,
    now,
  };
}

/** An order's refusal stands in its row, as on OKX; any other in the envelope. */
function refusal(error: unknown, request: PaperRequest | null): Reply {
  if (!(error instanceof PaperRefusal)) throw error;
  const { code, message: msg, status } = error;
  const ofOrder = status === 200 && request?.method === "POST" && request.path.startsWith("trade/");
  if (!ofOrder) return { status, code, msg, data: [] };
  // An algo order that is refused is refused in its row alone. Source: OKX v5; nautilus_trader's recorded replies.
  if (request.path.endsWith("-algo")) return accepted([refusedAlgo(request.body, error)]);
  if (request.path.endsWith("-algos")) return { status, code: "1", msg: "", data: [refusedAlgo(request.body, error)] };
  const clOrdId = String(request.body.clOrdId ?? "");
  const row = { ordId: "", clOrdId, tag: "", ts: String(request.now), sCode: code, sMsg: msg };
  return { status, code: "1", msg: "All operations failed", data: [row] };
}

/** Returns the reply with `data`. Of a list, the envelope says whether all its rows failed (1) or some (2). */
function answered(path: string, data: readonly unknown[]): Reply {
  const failed = data.filter((row) => ((row as { sCode?: string } | null)?.sCode ?? "0") !== "0").length;
  if (path !== "trade/cancel-algos" || failed === 0) return accepted(data);
  return { status: 200, code: failed === data.length ? "1" : "2", msg: "", data };
}

/** Does what has come about since the last call, with nobody asking. */
function pass(config: PaperVenueConfig, floor: Floor, now: number): void {
  const { state } = floor;
  const before = state.bills.length;
  const waiting = state.algos.filter(isWaiting);
  advance(floor, config.funding ?? (() => FUNDING_RULE), now);
  cancelWhenDue(state, now);
  // What a reader has seen of the ledger and of a stop must be there after the process.
  if (state.bills.length > before || waiting.some((algo) => !isWaiting(algo) || algo.due)) keep(config, floor);
}

function keep({ file }: PaperVenueConfig, { state }: Floor): void {
  if (file !== undefined) writeState(file, state);
}

function run(config: PaperVenueConfig, floor: Floor, count: Count, arrival: Arrival): Reply {
  const now = config.clock.now();
  let request: PaperRequest | null = null;
  try {
    request = requestOf(arrival, now);
    const open = arrival.method === "GET" ? PUBLIC_ROUTES[request.path] : undefined;
    pass(config, floor, now);
    if (open) {
      count(request);
      return accepted(open(request, floor.book, config.funding ?? (() => FUNDING_RULE)));
    }
    const closed = PRIVATE_ROUTES[`${arrival.method} ${request.path}`];
    if (!closed) throw new PaperRefusal("50404", "No such endpoint on the paper venue", 404);
    checkCall(config.key, arrival.headers, arrival.method, arrival.target, arrival.body, now);
    count(request);
    const reply = answered(request.path, closed(request, floor));
    if (arrival.method === "POST") keep(config, floor);
    return reply;
  } catch (error) {
    return refusal(error, request);
  }
}

function write(response: ServerResponse, { status, ...envelope }: Reply): void {
  const text = JSON.stringify(envelope);
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
  response.end(text);
}

function writeHalf(response: ServerResponse, reply: Reply, ends: boolean): void {
  const text = JSON.stringify({ code: reply.code, msg: reply.msg, data: reply.data });
  const half = text.slice(0, Math.floor(text.length / 2));
  response.writeHead(200, { "content-type": "application/json", ...(ends ? {} : { "content-length": text.length }) });
  response.write(half);
  if (ends) response.end();
}

/** Acts that lose the reply: whether the request is carried out, and whether the connection breaks. */
const LOST: Readonly<Record<string, { readonly runs: boolean; readonly breaks: boolean }>> = {
  "reset-before": { runs: false, breaks: true },
  "reset-after": { runs: true, breaks: true },
  "hang-before": { runs: false, breaks: false },
  "hang-after": { runs: true, breaks: false },
  late: { runs: false, breaks: true },
};

/** Returns OKX's error of that code, in the order's row on a placement. */
function injected({ code, status }: { readonly code: string; readonly status?: number }, method: string): Reply {
  const ofOrder = method === "POST" && status === undefined;
  const row = { ordId: "", clOrdId: "", tag: "", sCode: code, sMsg: "injected" };
  return { status: status ?? 200, code: ofOrder ? "1" : code, msg: "injected", data: ofOrder ? [row] : [] };
}

function writePage(response: ServerResponse, status: number): void {
  response.writeHead(status, { "content-type": "text/html" });
  response.end(`<html><head><title>${status}</title></head><body>gateway</body></html>`);
}

/** Answers as `act` says. `carryOut` carries the request out. */
function answer(act: FaultAct, response: ServerResponse, arrival: Arrival, carryOut: () => Reply): void {
  const lost = LOST[act.kind];
  if (lost?.runs || ("after" in act && act.after)) carryOut();
  if (lost?.breaks) response.destroy();
  if (lost) return;
  if (act.kind === "code") write(response, injected(act, arrival.method));
  if (act.kind === "page") writePage(response, act.status);
  if (act.kind === "echo")
    write(response, { status: 200, code: "50000", msg: JSON.stringify(arrival.headers), data: [] });
  if (act.kind === "garble" || act.kind === "stall") writeHalf(response, carryOut(), act.kind === "garble");
  if (act.kind === "duplicate") {
    write(response, carryOut());
    carryOut();
  }
}

/**
 * Returns a venue that is asked in this process, one request at a time: prices from candles, one account. Time is `clock`; of
 * a bar that has not closed its open is known, and nothing else to anyone. It trades at the last price that is known, with
 * spread, slippage and a 0.05 % fee; a bar's ends are visited when it closes, the one against the position first. Orders of
 * one instant get ids that do not depend on which came first.
 * @throws PaperStateError.
 */
export function paperEngine(config: PaperVenueConfig): PaperEngine {
  const { source, clock } = config;
  const moved = new Map<string, Basis>();
  const basis = (instrument: string) => moved.get(instrument) ?? AT_LAST;
  const indexes = new Map<string, Big>();
  const indexOf = (asset: string) => indexes.get(asset) ?? null;
  const book = paperBook(source, { halfSpreadBps: 1, liquidityShare: 0.1, basis, indexOf, ...config.book });
  const state =
    (config.file === undefined ? null : readState(config.file, book.listings)) ??
    newAccount(config.balance ?? decimalOf("100000"));
  const { impactBps = 10, triggerLatencyMs = 50, fillLagMs = 0 } = config;
  const floor: Floor = { state, book, pretended: {}, matching: { fees: FEES, impactBps, triggerLatencyMs, fillLagMs } };
  const count = config.limits ? rateLimits() : () => undefined;
  const byHand = <T>(work: (now: number) => T): T => {
    const now = clock.now();
    pass(config, floor, now);
    const done = work(now);
    keep(config, floor);
    return done;
  };
  return {
    account: state,
    ask: (arrival) => run(config, floor, count, arrival),
    transfer: (amount, ccy) => byHand((now) => recordTransfer(state, amount, now, ccy)),
    chargeIn: (fees) => {
      state.feesIn = fees && { ccy: fees.ccy, price: fees.price };
      if (fees?.isHidden) indexes.delete(fees.ccy);
      else if (fees) indexes.set(fees.ccy, big(fees.price));
      keep(config, floor);
    },
    pretend: (said) => void Object.assign(floor.pretended, said),
    trade: (unasked) => structuredClone(byHand((now) => tradeUnasked(floor, unasked, now))),
    leverage: (instrument, leverage) => void Object.assign(state.leverage, { [instrument]: leverage }),
    relist: book.relist,
    part: (instrument, mark, index) => {
      moved.set(instrument, { mark: big(mark), index: big(index) });
    },
  };
}

/**
 * Starts a venue on loopback that speaks OKX v5 over HTTP: public prices, a signed private API, one account, all as
 * paperEngine says.
 * @throws PortTakenError, PaperStateError.
 */
export async function paperVenue(config: PaperVenueConfig): Promise<PaperVenue> {
  const { source } = config;
  const { account, ask, ...others } = paperEngine(config);
  const faults = noFaults();
  let held: Arrival[] = [];
  // The last answer to each read, for a read that is stale.
  const told = new Map<string, Reply>();
  const serve = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = "GET", url: target = "/", headers } = incoming;
    const arrival = { method, target, headers, body: method === "POST" ? await readBody(incoming) : "" };
    config.observe?.(arrival);
    await source.refresh?.(config.clock.now());
    const path = (target.split("?")[0] ?? "").slice(PREFIX.length);
    const act = faults.strike(method, path);
    if (act?.kind === "late") held.push(arrival);
    const earlier = act?.kind === "stale" ? told.get(target) : undefined;
    if (act === null || act.kind === "stale") {
      const reply = earlier ?? ask(arrival);
      if (method === "GET") told.set(target, reply);
      if (told.size > TOLD) told.delete(String(told.keys().next().value)); // the oldest
      write(response, reply);
    } else answer(act, response, arrival, () => ask(arrival));
  };
  const server = await listen((incoming, response) => {
    // A bug of the venue breaks the connection: the adapter must read it as unknown, and the test sees it.
    serve(incoming, response).catch((error: Error) => response.destroy(error));
  }, config.port);
  return {
    ...others,
    url: server.url,
    faults,
    deliverLate: async () => {
      const late = held;
      held = [];
      for (const arrival of late) ask(arrival);
      return late.length;
    },
    state: () => structuredClone(account),
    close: server.close,
  };
}
