import { leverageOf } from "./account.ts";
import { algoRow, isWaiting, type PaperAlgo } from "./algo.ts";
import { amendAlgo, cancelAlgo, foundAlgo, placeAlgo } from "./algo-orders.ts";
import type { Floor } from "./matching.ts";
import { PaperRefusal, type PaperRequest, page, required } from "./reply.ts";

type Route = (request: PaperRequest, floor: Floor) => readonly unknown[];
type Fields = Readonly<Record<string, unknown>>;

const MOST_CANCELED = 10;

const row = ({ algoId, algoClOrdId }: PaperAlgo) => ({ algoId, algoClOrdId, sCode: "0", sMsg: "" });

/** Returns the row of a refusal, named by what the request named. */
export const refusedAlgo = (asked: Fields, { code, message }: PaperRefusal) => ({
  ...{ algoId: String(asked.algoId ?? ""), algoClOrdId: String(asked.algoClOrdId ?? ""), clOrdId: "", tag: "" },
  ...{ sCode: code, sMsg: message },
});

const ORDER_TYPES = /^(conditional|oco|trigger|move_order_stop|iceberg|smart_iceberg|twap|chase)(,(conditional|oco))?$/;

function listed({ query }: PaperRequest, { state }: Floor, wanted: (algo: PaperAlgo) => boolean): readonly unknown[] {
  const types = required(query, "ordType");
  if (!ORDER_TYPES.test(types)) throw new PaperRefusal("51000", "Parameter ordType error");
  const { instId, algoId, algoClOrdId } = query;
  const found = state.algos
    .filter(wanted)
    .filter((algo) => types.split(",").includes(algo.ordType))
    .filter((algo) => instId === undefined || algo.instId === instId)
    .filter((algo) => algoId === undefined || algo.algoId === algoId)
    .filter((algo) => algoClOrdId === undefined || algo.algoClOrdId === algoClOrdId);
  const rows = found.toSorted((a, b) => (BigInt(a.algoId) < BigInt(b.algoId) ? -1 : 1));
  return page(rows, (algo) => algo.algoId, query).map((algo) => algoRow(algo, leverageOf(state, algo.instId)));
}

const history: Route = (request, floor) => {
  const { state, algoId } = request.query;
  if (!state === !algoId) throw new PaperRefusal("51000", "Exactly one of the parameters state and algoId is required");
  if (state && !/^(effective|canceled|order_failed)$/.test(state))
    throw new PaperRefusal("51000", "Parameter state error");
  return listed(request, floor, (algo) => !isWaiting(algo) && (state === undefined || algo.state === state));
};

const cancel: Route = ({ list, now }, floor) => {
  if (list.length === 0 || list.length > MOST_CANCELED)
    throw new PaperRefusal("51000", `Parameter error: a list of 1 to ${MOST_CANCELED} algo orders`);
  return list.map((fields) => {
    try {
      return { ...row(cancelAlgo(floor, fields, now)), clOrdId: "", tag: "" };
    } catch (error) {
      if (!(error instanceof PaperRefusal)) throw error;
      return refusedAlgo(fields, error);
    }
  });
};

/** The endpoints of stops and take-profits, by method and path. */
export const ALGO_ROUTES: Readonly<Record<string, Route>> = {
  "POST trade/order-algo": (request, floor) => [{ ...row(placeAlgo(floor, request)), clOrdId: "", tag: "" }],
  "POST trade/amend-algos": (request, floor) => [
    { ...row(amendAlgo(floor, request)), reqId: String(request.body.reqId ?? "") },
  ],
  "POST trade/cancel-algos": cancel,
  "GET trade/order-algo": ({ query }, floor) => {
    const algo = foundAlgo(floor, query);
    if (algo === null) throw new PaperRefusal("51603", "Order does not exist");
    return [algoRow(algo, leverageOf(floor.state, algo.instId))];
  },
  "GET trade/orders-algo-pending": (request, floor) => listed(request, floor, isWaiting),
  "GET trade/orders-algo-history": history,
};
