import type { Exchange } from "#trading/venue";
import type { Opened } from "../opened.ts";
import { VenueError } from "./errors.ts";

/**
 * OKX's codes for a key, passphrase or signature that it does not take. Each is said before the request is looked at, so
 * the request may be made again. Source: OKX v5, error codes, "API class".
 */
const REFUSED: ReadonlySet<string> = new Set(["50105", "50111", "50113", "50119"]);

/**
 * Returns the venue behind `first`, which changes its key when the venue refuses it: `reopen` returns the venue with the
 * key that holds now, or null when that is the one refused. The call is then made once more. Calls that are refused at
 * the same time change the key once.
 */
export function renewing(
  first: Opened<Exchange>,
  reopen: (refused: Opened<Exchange>) => Promise<Opened<Exchange> | null>,
): Exchange {
  let current = first;
  let changing: Promise<Opened<Exchange> | null> | null = null;
  const after = async (refused: Opened<Exchange>): Promise<Opened<Exchange> | null> => {
    if (current !== refused) return current;
    changing ??= reopen(refused).finally(() => {
      changing = null;
    });
    const next = await changing;
    if (next !== null) current = next;
    return next;
  };
  const ask = async <T>(call: (exchange: Exchange) => Promise<T>): Promise<T> => {
    const used = current;
    try {
      return await call(used.service);
    } catch (error) {
      if (!(error instanceof VenueError) || error.code === null || !REFUSED.has(error.code)) throw error;
      const next = await after(used);
      if (next === null) throw error;
      return call(next.service);
    }
  };
  /** The same for a call that throws nothing, and has the refusal in its reply. */
  const send = async <T extends { readonly kind: string }>(call: (exchange: Exchange) => Promise<T>): Promise<T> => {
    const used = current;
    const reply = await call(used.service);
    if (reply.kind !== "halt" || !("code" in reply) || !REFUSED.has(String(reply.code))) return reply;
    const next = await after(used);
    return next === null ? reply : call(next.service);
  };
  return {
    venue: first.service.venue,
    submit: (order) => send((exchange) => exchange.submit(order)),
    placeStop: (stop) => send((exchange) => exchange.placeStop(stop)),
    moveStop: (instrument, id, trigger) => send((exchange) => exchange.moveStop(instrument, id, trigger)),
    cancelStop: (instrument, id) => send((exchange) => exchange.cancelStop(instrument, id)),
    placeTakeProfit: (leg) => send((exchange) => exchange.placeTakeProfit(leg)),
    resizeStop: (instrument, id, size) => send((exchange) => exchange.resizeStop(instrument, id, size)),
    stopLimit: (instrument) => ask((exchange) => exchange.stopLimit(instrument)),
    marketLimit: (instrument) => ask((exchange) => exchange.marketLimit(instrument)),
    takeProfits: () => ask((exchange) => exchange.takeProfits()),
    stops: () => ask((exchange) => exchange.stops()),
    stopFate: (id) => ask((exchange) => exchange.stopFate(id)),
    assertions: (instrument) => ask((exchange) => exchange.assertions(instrument)),
    now: () => ask((exchange) => exchange.now()),
    cancel: (instrument, id) => ask((exchange) => exchange.cancel(instrument, id)),
    order: (instrument, id) => ask((exchange) => exchange.order(instrument, id)),
    openOrders: () => ask((exchange) => exchange.openOrders()),
    fills: (since) => ask((exchange) => exchange.fills(since)),
    fillsOf: (instrument, id) => ask((exchange) => exchange.fillsOf(instrument, id)),
    positions: () => ask((exchange) => exchange.positions()),
    balance: () => ask((exchange) => exchange.balance()),
    bills: (after) => ask((exchange) => exchange.bills(after)),
    listing: (instrument) => ask((exchange) => exchange.listing(instrument)),
    quote: (instrument) => ask((exchange) => exchange.quote(instrument)),
    priceLimit: (instrument) => ask((exchange) => exchange.priceLimit(instrument)),
    leverage: (instrument) => ask((exchange) => exchange.leverage(instrument)),
    setLeverage: (instrument, leverage) => ask((exchange) => exchange.setLeverage(instrument, leverage)),
    indexPrice: (asset, at) => ask((exchange) => exchange.indexPrice(asset, at)),
  };
}
