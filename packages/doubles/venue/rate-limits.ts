import { PaperRefusal, type PaperRequest } from "./reply.ts";

/** Whose requests count together: all of the one user, those of a user about one instrument, all of the one address. */
type Per = "user" | "instrument" | "address";

interface Limit {
  readonly most: number;
  readonly per: Per;
  readonly ms: number;
}

const inTwoSeconds = (most: number, per: Per, paths: readonly string[]) =>
  paths.map((path): readonly [string, Limit] => [path, { most, per, ms: 2000 }]);

/** OKX's limits by method and path. Source: OKX v5, "Rate limit" of each endpoint, as of 2026-06-27. */
const LIMITS: ReadonlyMap<string, Limit> = new Map([
  ...inTwoSeconds(60, "instrument", [
    ...["POST trade/order", "POST trade/amend-order", "POST trade/cancel-order", "GET trade/order"],
  ]),
  ...inTwoSeconds(60, "user", ["GET trade/orders-pending", "GET trade/fills"]),
  ...inTwoSeconds(40, "user", ["GET trade/orders-history"]),
  ...inTwoSeconds(20, "instrument", [
    ...["POST trade/order-algo", "POST trade/amend-algos", "POST trade/cancel-algos", "POST trade/close-position"],
  ]),
  ...inTwoSeconds(20, "user", [
    ...["GET trade/order-algo", "GET trade/orders-algo-pending", "GET trade/orders-algo-history"],
    ...["POST account/set-leverage", "GET account/leverage-info", "GET account/max-size"],
  ]),
  ...inTwoSeconds(10, "user", [
    ...["GET account/positions", "GET account/positions-history", "GET account/balance", "GET trade/fills-history"],
    ...["GET account/bills", "GET account/bills-archive", "GET account/subtypes"],
  ]),
  ...inTwoSeconds(5, "user", ["GET account/config", "POST account/set-position-mode", "GET account/trade-fee"]),
  ...inTwoSeconds(100, "address", ["GET market/trades"]),
  ...inTwoSeconds(40, "address", ["GET market/books", "GET market/candles"]),
  ...inTwoSeconds(20, "address", [
    ...["GET public/price-limit", "GET public/instruments", "GET market/ticker", "GET market/tickers"],
    ...["GET market/history-candles", "GET market/index-candles"],
  ]),
  ...inTwoSeconds(10, "address", [
    ...["GET public/funding-rate", "GET public/funding-rate-history", "GET public/mark-price", "GET public/time"],
    ...["GET public/position-tiers", "GET market/history-index-candles"],
  ]),
  ["POST trade/cancel-all-after", { most: 1, per: "user", ms: 1000 }],
  ["GET system/status", { most: 1, per: "address", ms: 5000 }],
]);

/** New and amended orders of an account, whatever their instruments; algo orders are not among them. */
const ORDERS: Limit = { most: 1000, per: "user", ms: 2000 };
const PLACING: readonly string[] = ["POST trade/order", "POST trade/amend-order"];

/** Counts a request, as so many orders as it names. */
export type Count = (request: PaperRequest) => void;

/**
 * Returns a count of requests in windows that slide with the venue's clock; one that is refused is not counted.
 * It throws PaperRefusal 50011 for a request beyond its endpoint's limit, 50061 for an order beyond the account's.
 */
export function rateLimits(): Count {
  const seen = new Map<string, number[]>();
  const count = (key: string, { most, ms }: Limit, now: number, times: number): boolean => {
    const recent = (seen.get(key) ?? []).filter((at) => now - at < ms);
    seen.set(key, recent);
    if (recent.length + times > most) return false;
    for (let i = 0; i < times; i += 1) recent.push(now);
    return true;
  };
  return ({ method, path, query, body, list, now }) => {
    const name = `${method} ${path}`;
    const limit = LIMITS.get(name);
    const about = String(body.instId ?? list[0]?.instId ?? query.instId ?? "");
    const key = limit?.per === "instrument" ? `${name} ${about}` : name;
    if (limit && !count(key, limit, now, Math.max(list.length, 1)))
      throw new PaperRefusal("50011", "Too Many Requests", 429);
    if (PLACING.includes(name) && !count("orders", ORDERS, now, 1))
      throw new PaperRefusal("50061", "The order rate of the account exceeds its limit");
  };
}
