import { type Big, big, fixed, parseDecimal, text, ZERO } from "#units/decimal";
import { leverageOf, type PaperFill, type PaperOrder, wealth } from "./account.ts";
import { isWaiting } from "./algo.ts";
import { ALGO_ROUTES } from "./algo-routes.ts";
import { amend } from "./amend.ts";
import { floorTick } from "./book.ts";
import { setCancelAllAfter } from "./cancel-all-after.ts";
import { type PaperBill, SETTLED_IN, SUBTYPES } from "./ledger.ts";
import { risksOf } from "./liquidation.ts";
import type { Floor } from "./matching.ts";
import { cancel, find, isPending, place, TRADE_MODES } from "./orders.ts";
import { POSITION_ROUTES, ratioOf } from "./position-routes.ts";
import { PaperRefusal, type PaperRequest, page, required } from "./reply.ts";

type Route = (request: PaperRequest, floor: Floor) => readonly unknown[];

/** The account's id, as account/config gives it. */
export const PAPER_ACCOUNT = "4400000000000001";

function orderRow(order: PaperOrder, lever: string): unknown {
  const filled = big(order.accFillSz);
  const avgPx = filled.eq(0) ? "" : text(fixed(big(order.filledValue).div(filled), 12));
  const { instId, ordId, clOrdId, side, ordType, tdMode, sz, px, state, accFillSz, fee, pnl, tradeId } = order;
  return {
    ...{
      instType: "SWAP",
      instId,
      ordId,
      clOrdId,
      tag: "",
      side,
      ordType,
      tdMode,
      posSide: "net",
      sz,
      px,
      state,
      accFillSz,
    },
    ...{
      avgPx,
      fee,
      feeCcy: order.feeCcy,
      rebate: "0",
      rebateCcy: "USDT",
      pnl,
      tradeId,
      lever,
      category: order.category,
    },
    ...{ ccy: "", tgtCcy: "", fillPx: avgPx, fillSz: accFillSz, fillTime: filled.eq(0) ? "" : String(order.uTime) },
    ...{ reduceOnly: String(order.reduceOnly), source: order.source },
    ...{ amendSource: order.amendSource, cancelSource: order.cancelSource },
    ...{ algoId: order.algoId, algoClOrdId: order.algoClOrdId, attachAlgoOrds: order.attached.map(attachedRow) },
    ...{ cTime: String(order.cTime), uTime: String(order.uTime) },
  };
}

const attachedRow = ({ attachAlgoClOrdId, sz, sl, tp, isCostPrice }: PaperOrder["attached"][number]) => ({
  ...{ attachAlgoId: "", attachAlgoClOrdId, sz, amendPxOnTriggerType: isCostPrice ? "1" : "0" },
  ...{ slTriggerPx: sl?.triggerPx ?? "", slTriggerPxType: sl?.triggerPxType ?? "", slOrdPx: sl?.ordPx ?? "" },
  ...{ tpTriggerPx: tp?.triggerPx ?? "", tpTriggerPxType: tp?.triggerPxType ?? "", tpOrdPx: tp?.ordPx ?? "" },
});

function fillRow(fill: PaperFill & { readonly fillTime: number }): unknown {
  const { ts, fillTime, ...fields } = fill;
  return {
    instType: "SWAP",
    ...fields,
    tag: "",
    posSide: "net",
    ts: String(ts),
    fillTime: String(fillTime),
  };
}

/** Of what is crossed: the margin that is needed, and how many times it is there. */
function marginOfAccount(floor: Floor, now: number) {
  const risk = risksOf(floor, (id) => floor.book.touch(id, now)).find(({ mgnMode }) => mgnMode === "cross");
  const initial = (risk?.held ?? []).reduce(
    (sum, { position, value }) => sum.plus(value.div(leverageOf(floor.state, position.instId))),
    big(0),
  );
  return {
    imr: text(fixed(initial, 12)),
    mmr: text(fixed(risk?.required ?? 0, 12)),
    mgnRatio: risk ? ratioOf(risk) : "",
  };
}

function balance(floor: Floor, now: number): unknown {
  const { equity, unrealized: upl, margin } = wealth(floor.state, floor.book, now);
  const exact = (value: Big) => text(fixed(value, 18));
  const cash = big(floor.state.cash[SETTLED_IN] ?? ZERO);
  const [eq, avail] = [text(equity), exact(cash.minus(margin))];
  const common = { upl: text(upl), uTime: String(now) };
  const settled = {
    ...{ ccy: SETTLED_IN, eq, eqUsd: eq, cashBal: text(cash), availBal: avail, availEq: avail },
    ...{ frozenBal: exact(margin), isoEq: exact(margin.plus(upl)), isoUpl: text(upl), ordFrozen: "0", ...common },
  };
  const others = Object.entries(floor.state.cash).filter(([ccy]) => ccy !== SETTLED_IN);
  const plain = others.map(([ccy, held]) => ({
    ...{ ccy, eq: held, eqUsd: "", cashBal: held, availBal: held, availEq: held },
    ...{ frozenBal: "0", isoEq: "0", isoUpl: "0", ordFrozen: "0", ...common, upl: "0" },
  }));
  const details = [settled, ...plain];
  return {
    totalEq: eq,
    adjEq: "",
    isoEq: settled.isoEq,
    ...marginOfAccount(floor, now),
    ordFroz: "",
    ...common,
    details,
  };
}

const matches = (query: Readonly<Record<string, string>>) => (row: { instId: string; ordId?: string; ts?: number }) => {
  const { instId, ordId, begin, end } = query;
  if (instId !== undefined && row.instId !== instId) return false;
  if (ordId !== undefined && row.ordId !== ordId) return false;
  if (begin !== undefined && (row.ts ?? 0) < Number(begin)) return false;
  return end === undefined || (row.ts ?? 0) <= Number(end);
};

// In the time of their fills, ids ascend; orders filled in one instant are put in the order of their ids here.
const ascending = <T>(rows: readonly T[], id: (row: T) => string): T[] =>
  [...rows].sort((a, b) => (BigInt(id(a)) < BigInt(id(b)) ? -1 : 1));

/** A fill is shown `fillLagMs` after its order shows it, and has that time as its record's. */
const fills: Route = ({ query, now }, { state, matching }) => {
  const shown = state.fills.map((fill) => ({ ...fill, fillTime: fill.ts, ts: fill.ts + matching.fillLagMs }));
  const found = shown.filter(({ ts }) => ts <= now).filter(matches(query));
  const rows = ascending(found, (fill) => fill.billId);
  return page(rows, (fill) => fill.billId, query).map(fillRow);
};

const orders =
  (pending: boolean): Route =>
  ({ query }, { state }) => {
    const found = state.orders
      .filter((order) => isPending(order) === pending)
      .filter(({ instId }) => (query.instId ?? instId) === instId);
    const rows = ascending(found, (order) => order.ordId);
    return page(rows, (order) => order.ordId, query).map((order) => orderRow(order, leverageOf(state, order.instId)));
  };

const BILLS_KEPT_MS = 7 * 86_400_000;
const BILLS_ARCHIVED_MS = 92 * 86_400_000;

function billRow({ ts, ...bill }: PaperBill): unknown {
  const isTrade = bill.tradeId !== "";
  return {
    ...{ instType: bill.instId === "" ? "" : "SWAP", ...bill, ts: String(ts), fillTime: isTrade ? String(ts) : "" },
    ...{ mgnMode: "", from: "", to: "", notes: "", interest: "0", execType: "", posBal: "0", posBalChg: "0" },
  };
}

/** The ledger's bills of the last `keptMs`, newest first. */
const bills =
  (keptMs: number): Route =>
  ({ query, now }, { state }) => {
    const { type, subType, ccy, instType } = query;
    const found = state.bills.filter(
      (bill) =>
        bill.ts >= now - keptMs &&
        (type === undefined || bill.type === type) &&
        (subType === undefined || bill.subType === subType) &&
        (ccy === undefined || bill.ccy === ccy) &&
        (instType === undefined || (instType === "SWAP" && bill.instId !== "")) &&
        matches(query)(bill),
    );
    return page(found, (bill) => bill.billId, query).map(billRow);
  };

/** OKX names each type and subtype; the names are its own words, and nobody reads them here. */
const subtypes: Route = ({ query }) => {
  const asked = query.type === undefined ? [...SUBTYPES.keys()] : query.type.split(",");
  return asked.map((type) => {
    const listed = SUBTYPES.get(type);
    if (!listed) throw new PaperRefusal("51000", "Parameter type error");
    return { type, typeDesc: "", subTypeDetails: listed.map((subType) => ({ subType, subTypeDesc: "" })) };
  });
};

const placed = ({ ordId, clOrdId }: PaperOrder, now: number) => ({
  ordId,
  clOrdId,
  tag: "",
  ts: String(now),
  sCode: "0",
  sMsg: "",
});

/** Returns the contracts that the free margin opens either way, at the leverage of the instrument. @throws PaperRefusal. */
function maxSize({ state, book }: Floor, query: PaperRequest["query"], now: number) {
  const listing = book.listings.get(required(query, "instId"));
  if (!listing) throw new PaperRefusal("51001", "Instrument ID does not exist");
  if (!TRADE_MODES.test(required(query, "tdMode"))) throw new PaperRefusal("51000", "Parameter tdMode error");
  const touch = book.touch(listing.id, now);
  const { equity, unrealized, margin } = wealth(state, book, now);
  const free = equity.minus(unrealized).minus(margin).times(leverageOf(state, listing.id));
  const contracts =
    touch && free.gt(0) ? floorTick(free.div(touch.ask.times(listing.contractSize)), listing.lot) : ZERO;
  return { instId: listing.id, ccy: "USDT", maxBuy: text(big(contracts)), maxSell: text(big(contracts)) };
}

/** The private endpoints, by method and path. Those that POST change the account. */
export const PRIVATE_ROUTES: Readonly<Record<string, Route>> = {
  "GET account/config": (_request, { pretended }) => [
    {
      uid: PAPER_ACCOUNT,
      mainUid: PAPER_ACCOUNT,
      acctLv: "2",
      posMode: "net_mode",
      perm: "read_only,trade",
      level: "Lv1",
      label: "paper",
      ip: "",
      ...pretended,
    },
  ],
  "GET account/balance": ({ now }, floor) => [balance(floor, now)],
  "GET account/max-size": ({ query, now }, floor) => [maxSize(floor, query, now)],
  "POST account/set-position-mode": ({ body }) => {
    if (required(body, "posMode") !== "net_mode")
      throw new PaperRefusal("51000", "Parameter posMode error: the paper venue nets");
    return [{ posMode: "net_mode" }];
  },
  "POST account/set-leverage": ({ body }, { state, book }) => {
    const listing = book.listings.get(required(body, "instId"));
    const written = required(body, "lever");
    if (!listing) throw new PaperRefusal("51001", "Instrument ID does not exist");
    const lever = /^\d+(\.\d+)?$/.test(written) ? parseDecimal(written) : ZERO;
    if (big(lever).lt(1)) throw new PaperRefusal("51000", "Parameter lever error");
    if (big(lever).gt(listing.maxLeverage)) throw new PaperRefusal("59102", "Leverage exceeds the maximum limit");
    const isMine = ({ instId }: { readonly instId: string }) => instId === listing.id;
    if (state.algos.some((algo) => isWaiting(algo) && isMine(algo)))
      throw new PaperRefusal("59669", "Cancel the algo orders before adjusting leverage");
    if (state.orders.some((order) => isPending(order) && isMine(order)))
      throw new PaperRefusal("59107", "Cancel the open orders before adjusting leverage");
    state.leverage[listing.id] = lever;
    return [{ instId: listing.id, lever, mgnMode: String(body.mgnMode ?? "isolated"), posSide: "" }];
  },
  ...ALGO_ROUTES,
  ...POSITION_ROUTES,
  "POST trade/order": (request, floor) => [placed(place(floor, request), request.now)],
  "POST trade/amend-order": (request, floor) => [
    { ...placed(amend(floor, request), request.now), reqId: String(request.body.reqId ?? "") },
  ],
  "POST trade/cancel-all-after": (request, { state }) => setCancelAllAfter(state, request),
  "POST trade/cancel-order": (request, floor) => [placed(cancel(floor, request), request.now)],
  "GET trade/order": ({ query, now }, floor) => {
    const order = find(floor, query, now);
    return [orderRow(order, leverageOf(floor.state, order.instId))];
  },
  "GET trade/orders-pending": orders(true),
  "GET trade/orders-history": orders(false),
  "GET trade/fills": fills,
  "GET trade/fills-history": fills,
  "GET account/bills": bills(BILLS_KEPT_MS),
  "GET account/bills-archive": bills(BILLS_ARCHIVED_MS),
  "GET account/subtypes": subtypes,
  "GET account/trade-fee": (_request, { matching }) => [
    {
      ...{
        instType: "SWAP",
        level: "Lv1",
        maker: text(matching.fees.maker.times(-1)),
        taker: text(matching.fees.taker.times(-1)),
      },
      ...{ makerU: text(matching.fees.maker.times(-1)), takerU: text(matching.fees.taker.times(-1)) },
    },
  ],
};
