import { big, fixed, text, ZERO } from "#units/decimal";
import { leverageOf, marginOf } from "./account.ts";
import { endAlgo, isWaiting } from "./algo.ts";
import type { Listing } from "./book.ts";
import { liquidationPrice, type Prices, type Risk, risksOf } from "./liquidation.ts";
import { type Floor, heldOf } from "./matching.ts";
import { isPending, place, TRADE_MODES } from "./orders.ts";
import { openRecord, positionIdOf, recordRow } from "./records.ts";
import { PaperRefusal, type PaperRequest, page, required } from "./reply.ts";

type Route = (request: PaperRequest, floor: Floor) => readonly unknown[];

function listed({ book }: Floor, instId: string): string {
  if (!book.listings.has(instId)) throw new PaperRefusal("51001", "Instrument ID does not exist");
  return instId;
}

/**
 * Closes a position at market, however small, under the client order id that is given. What waits to close it too stands in the way
 * unless `autoCxl` cancels it.
 * @throws PaperRefusal 51023 without a position, 51115 with closing orders that are pending, 51108 above the most of one market order.
 */
const close: Route = (request, floor) => {
  const { body, now } = request;
  const { state } = floor;
  const instId = listed(floor, required(body, "instId"));
  const held = heldOf(state, instId);
  if (held.eq(0)) throw new PaperRefusal("51023", "Position does not exist");
  const side = held.gt(0) ? "sell" : "buy";
  const closing = { instId, side, reduceOnly: true };
  const same = (other: { instId: string; side: string; reduceOnly: boolean }) =>
    other.instId === closing.instId && other.side === closing.side && other.reduceOnly;
  const [orders, algos] = [state.orders.filter(isPending).filter(same), state.algos.filter(isWaiting).filter(same)];
  if (String(body.autoCxl) !== "true" && orders.length + algos.length > 0)
    throw new PaperRefusal("51115", "Cancel all pending close orders before closing the position");
  const { maxMarket } = floor.book.listings.get(instId) as Listing;
  if (maxMarket !== null && held.abs().gt(maxMarket))
    throw new PaperRefusal("51108", "Positions are too large to be closed at market at once");
  for (const order of orders) Object.assign(order, { state: "canceled", uTime: now });
  for (const algo of algos) endAlgo(algo, now);
  const [tdMode, clOrdId] = [String(body.mgnMode ?? "cross"), String(body.clOrdId ?? "")];
  place(floor, { ...request, body: { ...closing, clOrdId, tdMode, ordType: "market", sz: text(held.abs()) } }, "whole");
  return [{ instId, posSide: "net", clOrdId, tag: "" }];
};

/** The stop of the whole position, as account/positions shows it. */
const closeOrderAlgo = ({ state }: Floor, instId: string) =>
  state.algos
    .filter((algo) => isWaiting(algo) && algo.sz === "" && algo.instId === instId)
    .map(({ algoId, sl, tp }) => ({
      ...{ algoId, slTriggerPx: sl?.triggerPx ?? "", slTriggerPxType: sl?.triggerPxType ?? "" },
      ...{ tpTriggerPx: tp?.triggerPx ?? "", tpTriggerPxType: tp?.triggerPxType ?? "", closeFraction: "1" },
    }));

/** How many times the margin that is required is there. */
export const ratioOf = ({ equity, required }: Risk): string => text(fixed(equity.div(required), 8));

function positionRow(floor: Floor, { mgnMode, held, ...risk }: Risk, prices: Prices, at: number) {
  const { state } = floor;
  const { position, touch, profit, value, rate } = held[at] as Risk["held"][number];
  const { instId, contracts, avgPx, tradeId } = position;
  const lever = leverageOf(state, instId);
  const mark = touch?.mark ?? big(avgPx);
  const end = liquidationPrice(floor, prices, instId);
  const record = openRecord(state, instId);
  const { pnl = ZERO, fee = ZERO, funding: fundingFee = ZERO, penalty: liqPenalty = ZERO } = record ?? {};
  return {
    ...{ instType: "SWAP", instId, mgnMode, posSide: "net", posId: positionIdOf(instId, mgnMode) },
    ...{ pos: contracts, availPos: contracts, avgPx, markPx: text(mark), last: text(touch?.mid ?? mark) },
    ...{ idxPx: text(touch?.index ?? mark), upl: text(profit), notionalUsd: text(value), lever },
    ...{ margin: mgnMode === "isolated" ? text(fixed(marginOf(state, position), 12)) : "" },
    ...{ imr: text(fixed(value.div(lever), 12)), mmr: text(fixed(value.times(rate), 12)) },
    ...{ mgnRatio: ratioOf({ mgnMode, held, ...risk }), liqPx: end === null ? "" : text(fixed(end, 12)) },
    ...{ pnl, fee, fundingFee, liqPenalty, realizedPnl: text(big(pnl).plus(fee).plus(fundingFee).plus(liqPenalty)) },
    ...{ ccy: "USDT", adl: "0", tradeId, closeOrderAlgo: closeOrderAlgo(floor, instId) },
    ...{ cTime: String(position.cTime), uTime: String(position.uTime) },
  };
}

const positions: Route = ({ query, now }, floor) => {
  const prices: Prices = (id) => floor.book.touch(id, now);
  const rows = risksOf(floor, prices).flatMap((risk) => risk.held.map((_, i) => positionRow(floor, risk, prices, i)));
  const { instId: asked } = query;
  const order = floor.state.positions.map(({ instId }) => instId);
  return rows
    .filter(({ instId }) => asked === undefined || asked.split(",").includes(instId))
    .toSorted((a, b) => order.indexOf(a.instId) - order.indexOf(b.instId));
};

const HISTORY_KEPT_MS = 92 * 86_400_000;

/** What was closed in part or whole in the last three months, the newest change first; pages go by that time. */
const positionsHistory: Route = ({ query, now }, { state, book }) => {
  const found = state.records.filter(
    ({ type, uTime, instId, mgnMode }) =>
      type !== "" &&
      uTime >= now - HISTORY_KEPT_MS &&
      (query.type === undefined || query.type === type) &&
      (query.instId === undefined || query.instId.split(",").includes(instId)) &&
      (query.mgnMode === undefined || query.mgnMode === mgnMode) &&
      (query.posId === undefined || query.posId === positionIdOf(instId, mgnMode)),
  );
  const rows = found.toSorted((a, b) => a.uTime - b.uTime);
  return page(rows, ({ uTime }) => String(uTime), query).map((record) =>
    recordRow(record, (book.listings.get(record.instId) as Listing).contractSize),
  );
};

/** The endpoints about a position as a whole, by method and path. */
export const POSITION_ROUTES: Readonly<Record<string, Route>> = {
  "POST trade/close-position": close,
  "GET account/positions": positions,
  "GET account/positions-history": positionsHistory,
  "GET account/leverage-info": ({ query }, floor) => {
    if (!TRADE_MODES.test(required(query, "mgnMode"))) throw new PaperRefusal("51000", "Parameter mgnMode error");
    return required(query, "instId")
      .split(",")
      .map((instId) => {
        const lever = leverageOf(floor.state, listed(floor, instId));
        return { instId, ccy: "", mgnMode: String(query.mgnMode), posSide: "net", lever: text(big(lever)) };
      });
  },
};
