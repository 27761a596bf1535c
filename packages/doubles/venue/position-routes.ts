import { big, text } from "#units/decimal";
import { leverageOf } from "./account.ts";
import { endAlgo, isWaiting } from "./algo.ts";
import { type Floor, heldOf } from "./matching.ts";
import { isPending, place, TRADE_MODES } from "./orders.ts";
import { PaperRefusal, type PaperRequest, required } from "./reply.ts";

type Route = (request: PaperRequest, floor: Floor) => readonly unknown[];

function listed({ book }: Floor, instId: string): string {
  if (!book.listings.has(instId)) throw new PaperRefusal("51001", "Instrument ID does not exist");
  return instId;
}

/**
 * Closes a position at market. What waits to close it too stands in the way unless `autoCxl` cancels it.
 * @throws PaperRefusal 51023 without a position, 51115 with closing orders that are pending.
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
  for (const order of orders) Object.assign(order, { state: "canceled", uTime: now });
  for (const algo of algos) endAlgo(algo, now);
  const tdMode = String(body.mgnMode ?? "cross");
  place(floor, { ...request, body: { ...closing, tdMode, ordType: "market", sz: text(held.abs()) } });
  return [{ instId, posSide: "net", clOrdId: String(body.clOrdId ?? ""), tag: "" }];
};

/** The endpoints about a position as a whole, by method and path. */
export const POSITION_ROUTES: Readonly<Record<string, Route>> = {
  "POST trade/close-position": close,
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
