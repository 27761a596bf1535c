import * as z from "zod";
import { type AccountWanted, type Assertion, bindsClosing, worstOf } from "#trading/account-check";
import type { Bill } from "#trading/ledger/bill";
import type { Exchange, Market, Submission, SubmitReply, VenueFill } from "#trading/venue";
import { Decimal, ZERO } from "#units/decimal";
import { type Instant, instant, millis } from "#units/time";
import { assertionsOf } from "./account-check.ts";
import { childrenOver, mayBeStop } from "./children.ts";
import { type OkxClient, type OkxCredentials, okxClient } from "./client.ts";
import { closePosition } from "./close-position.ts";
import { VenueError, VenueShapeError } from "./errors.ts";
import { indexPrice } from "./index-price.ts";
import { marginsOver } from "./margins.ts";
import { marketOver, type OkxMarketConfig, sizeLimits } from "./market.ts";
import { submitReplyOf } from "./reply.ts";
import { type Call, type Params, pages, rowsOf, unlessGone } from "./requests.ts";
import { balanceOf, billOf, type FillRecord, fillOf, listingOf, orderOf, parsed, positionOf } from "./rows.ts";
import { fatesOver } from "./stop-fate.ts";
import { type StopCalls, stopsOver } from "./stops.ts";
import type { TdMode } from "./td-mode.ts";

export interface OkxExchangeConfig extends OkxMarketConfig, AccountWanted {
  readonly credentials: OkxCredentials;
  /** How positions are margined; an account that does not take it halts. */
  readonly tdMode: TdMode;
  /** Whether this machine's clock is compared with the venue's; by default with OKX's, not with a paper venue's. */
  readonly compareClock?: boolean;
}

const DAY_MS = 86_400_000;

const Placed = z.object({ ordId: z.string().min(1), clOrdId: z.string() });
/** A side of the book without an offer is "", and has no price. */
const offered = z.union([Decimal, z.literal("").transform(() => ZERO)]);
const Ticker = z.object({ bidPx: offered, askPx: offered, ts: z.string().regex(/^\d{13}$/) });
const Algo = z.object({ algoId: z.string().min(1) });
const Mark = z.object({ markPx: Decimal });

/** OKX takes 60 placements in 2 s per instrument; ten are left for other users of the key. */
const PLACEMENTS = 50;
const PLACEMENT_WINDOW_MS = 2000;

function limiter(on: boolean): (instrument: string) => boolean {
  const placed = new Map<string, number[]>();
  return (instrument) => {
    if (!on) return true;
    const now = Date.now(); // the limit is the venue's, in real time
    const recent = (placed.get(instrument) ?? []).filter((ms) => now - ms < PLACEMENT_WINDOW_MS);
    if (recent.length >= PLACEMENTS) return false;
    placed.set(instrument, [...recent, now]);
    return true;
  };
}

/** What was asserted holds for so long; a person may change the account meanwhile. */
const ASSERTED_MS = 3_600_000;

/** Returns null when the account may trade as the desk assumes, else the reply for the order that is then not sent. */
async function accountProblem(
  assertions: (instrument: string) => Promise<Assertion[]>,
  { instrument, reduceOnly }: Submission,
): Promise<SubmitReply | null> {
  try {
    const found = await assertions(instrument);
    const worst = worstOf(reduceOnly ? found.filter(bindsClosing) : found);
    if (worst === null) return null;
    const { verdict, refused, name, says } = worst;
    const word = { code: refused?.code ?? name, reason: refused?.reason ?? says };
    return { kind: verdict === "halt" ? "halt" : "frozen", ...word };
  } catch (error) {
    if (!(error instanceof VenueError)) throw error;
    return { kind: "busy", code: error.code ?? "account" };
  }
}

/** Source: OKX v5, trade/order, `attachAlgoOrds`. */
const attached = ({ stopId, trigger }: NonNullable<Submission["stop"]>): Params => ({
  ...{ attachAlgoClOrdId: stopId, slTriggerPx: trigger, slTriggerPxType: "mark", slOrdPx: "-1" },
});

/** What is posted: net mode takes no posSide; sizes and prices go out as decided, never rounded on the way. */
function placement(order: Submission, tdMode: TdMode): Params {
  if (!/^[A-Za-z0-9]{1,32}$/.test(order.clientOrderId)) throw new RangeError(`client order id ${order.clientOrderId}`);
  if ((order.type === "ioc") !== (order.price !== null))
    throw new RangeError(`${order.type} order, price ${order.price}`);
  return {
    instId: order.instrument,
    tdMode,
    side: order.side,
    ordType: order.type === "optimal" ? "optimal_limit_ioc" : order.type,
    sz: order.size,
    ...(order.price === null ? {} : { px: order.price }),
    ...(order.reduceOnly ? { reduceOnly: true } : {}),
    ...(order.stop === undefined ? {} : { attachAlgoOrds: [attached(order.stop)] }),
    clOrdId: order.clientOrderId,
    expTime: String(millis(order.expiresAt)),
  };
}

async function post(client: OkxClient, order: Submission, tdMode: TdMode): Promise<SubmitReply> {
  const params = placement(order, tdMode);
  try {
    const [row] = await rowsOf(client, client.privatePostTradeOrder, params);
    const { ordId, clOrdId } = parsed("submit", Placed, row);
    if (clOrdId !== order.clientOrderId) return { kind: "unknown", reason: "the reply names another order" };
    return { kind: "accepted", venueOrderId: ordId };
  } catch (error) {
    if (error instanceof VenueShapeError) return { kind: "unknown", reason: error.message };
    if (error instanceof VenueError) return submitReplyOf(error);
    throw error;
  }
}

async function fillsSince(client: OkxClient, since: Instant): Promise<FillRecord[]> {
  const ms = millis(since);
  // OKX keeps three days in fills and three months in fills-history.
  const call = client.nonce() - ms > 2 * DAY_MS ? client.privateGetTradeFillsHistory : client.privateGetTradeFills;
  // It is not documented whether `begin` is inclusive. It is about when a fill was recorded, which may be long after it.
  const found = await pages(client, call, { instType: "SWAP", begin: String(ms - 1) }, fillOf, (fill) => fill.billId);
  return found.filter((fill) => fill.recordedAt >= since);
}

async function fillsOfOrder(client: OkxClient, instrument: string, venueOrderId: string): Promise<FillRecord[]> {
  const asked = { instType: "SWAP", instId: instrument, ordId: venueOrderId };
  const recent = await pages(client, client.privateGetTradeFills, asked, fillOf, (fill) => fill.billId);
  if (recent.length > 0) return recent;
  return pages(client, client.privateGetTradeFillsHistory, asked, fillOf, (fill) => fill.billId);
}

/** OKX keeps seven days in bills and three months in bills-archive, at the same cost. */
const BILLS_KEPT_MS = 6 * DAY_MS;

async function billsAfter(client: OkxClient, after: Pick<Bill, "billId" | "at"> | null): Promise<Bill[]> {
  const isOld = after !== null && client.nonce() - millis(after.at) > BILLS_KEPT_MS;
  const call = isOld ? client.privateGetAccountBillsArchive : client.privateGetAccountBills;
  const found = await pages(
    client,
    call,
    after === null ? {} : { before: after.billId },
    billOf,
    (bill) => bill.billId,
  );
  const unique = new Map(found.map((bill) => [bill.billId, bill]));
  return [...unique.values()].sort((a, b) => (BigInt(a.billId) < BigInt(b.billId) ? -1 : 1));
}

/** Returns fills once each, ascending by time, trade id and instrument. */
function inOrder(found: readonly FillRecord[]): VenueFill[] {
  const unique = new Map(
    found.map(({ billId: _, recordedAt: __, ...fill }) => [`${fill.instrument} ${fill.tradeId}`, fill]),
  );
  const key = (fill: VenueFill) => `${fill.filledAt} ${fill.tradeId.padStart(24, "0")} ${fill.instrument}`;
  return [...unique.values()].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

/** Returns the requests that stops need, over ccxt. */
const stopCalls = (client: OkxClient): StopCalls => ({
  place: (fields) => rowsOf(client, client.privatePostTradeOrderAlgo, fields),
  amend: (fields) => rowsOf(client, client.privatePostTradeAmendAlgos, fields),
  cancel: (list) => rowsOf(client, client.privatePostTradeCancelAlgos, list),
  pending: (fields) => {
    const cursor = (row: unknown) => parsed("stops", Algo, row).algoId;
    return pages(client, client.privateGetTradeOrdersAlgoPending, fields, (row) => row, cursor);
  },
});

/** Returns a look-up that gives no rows when the venue says that there is no such order. */
const lookUp = (client: OkxClient, call: Call) => (fields: Params) =>
  unlessGone(
    "query",
    () => rowsOf(client, call, fields),
    (rows) => {
      if (rows.length === 0) throw new VenueShapeError("order", "neither an order nor that there is none");
      return rows;
    },
    [],
  );

/**
 * Returns the desk's venue over ccxt: OKX, or the paper venue that speaks the same protocol. Before the first submission
 * and an hour after it asserts the key, the account and the venue; what does not fit halts. A `client` that is given is of the
 * same configuration: one is slow to make.
 * @throws VenueGuardError when host, mode and key do not belong together. Queries throw VenueError and VenueShapeError.
 */
export function okxExchange(config: OkxExchangeConfig, client: OkxClient = okxClient(config)): Exchange & Market {
  const admit = limiter(config.rateLimit);
  const { compareClock = config.venue === "okx" } = config;
  const rows = (call: Call, params?: Params) => rowsOf(client, call, params);
  const assertions = (instrument: string) => assertionsOf(client, rows, { ...config, compareClock }, instrument);
  let asserted: number | null = null;
  const orderAt = lookUp(client, client.privateGetTradeOrder);
  const stopAt = lookUp(client, client.privateGetTradeOrderAlgo);
  const children = childrenOver({ order: orderAt, stop: stopAt });
  const orderOfId = async (instrument: string, clientOrderId: string) => {
    const [row] = await orderAt({ instId: instrument, clOrdId: clientOrderId });
    if (row !== undefined) return orderOf(row);
    return mayBeStop(clientOrderId) ? children.of(instrument, clientOrderId) : null;
  };
  return {
    ...marketOver(client),
    ...stopsOver(stopCalls(client), config.tdMode),
    stopFate: fatesOver(stopAt),
    ...marginsOver(client, config.tdMode),
    ...sizeLimits(client),
    venue: config.venue,
    assertions,
    submit: async (order) => {
      if (asserted === null || performance.now() - asserted > ASSERTED_MS) {
        const problem = await accountProblem(assertions, order);
        if (problem) return problem;
        if (!order.reduceOnly) asserted = performance.now();
      }
      if (!admit(order.instrument)) return { kind: "busy", code: "placements" };
      if (order.type !== "whole") return post(client, order, config.tdMode);
      return closePosition(client, order, config.tdMode, () => orderOfId(order.instrument, order.clientOrderId));
    },
    cancel: (instrument, clientOrderId) => {
      const params = { instId: instrument, clOrdId: clientOrderId };
      return unlessGone(
        "cancel",
        () => rowsOf(client, client.privatePostTradeCancelOrder, params),
        () => true,
        false,
      );
    },
    order: orderOfId,
    openOrders: () =>
      pages(client, client.privateGetTradeOrdersPending, { instType: "SWAP" }, orderOf, (order) => order.venueOrderId),
    fills: async (since) => inOrder(await children.named(await fillsSince(client, since))),
    fillsOf: async (instrument, id) => inOrder(await children.named(await fillsOfOrder(client, instrument, id))),
    positions: async () => {
      const rows = await rowsOf(client, client.privateGetAccountPositions, { instType: "SWAP" });
      const open = rows.map(positionOf).filter((position) => position !== null);
      return open.sort((a, b) => (a.instrument < b.instrument ? -1 : 1));
    },
    balance: async () => balanceOf((await rowsOf(client, client.privateGetAccountBalance, { ccy: "USDT" }))[0]),
    bills: (after) => billsAfter(client, after),
    indexPrice: (asset, at) => indexPrice(client, asset, at),
    listing: async (instrument) => {
      const asked = { instType: "SWAP", instId: instrument };
      const [row] = await rowsOf(client, client.publicGetPublicInstruments, asked);
      return row === undefined ? null : listingOf(row);
    },
    quote: async (instrument) => {
      const [[ticker], [mark]] = await Promise.all([
        rowsOf(client, client.publicGetMarketTicker, { instId: instrument }),
        rowsOf(client, client.publicGetPublicMarkPrice, { instType: "SWAP", instId: instrument }),
      ]);
      const { bidPx, askPx, ts } = parsed("ticker", Ticker, ticker);
      return { instrument, bid: bidPx, ask: askPx, mark: parsed("mark", Mark, mark).markPx, at: instant(Number(ts)) };
    },
  };
}
