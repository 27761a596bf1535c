import { type Big, text } from "#units/decimal";
import type { Book, Listing, Touch } from "./book.ts";
import { type FundingTerms, nextFunding } from "./funding.ts";
import { priceLimit } from "./price-limit.ts";
import { PaperRefusal, type PaperRequest, required } from "./reply.ts";
import { tape } from "./tape.ts";
import { tierRow } from "./tiers.ts";

/** Returns the funding terms of an instrument. */
type TermsOf = (instId: string) => FundingTerms;
type Route = (request: PaperRequest, book: Book, termsOf: TermsOf) => readonly unknown[];

const BARS: Readonly<Record<string, number>> = {
  ...{ "1m": 60, "3m": 180, "5m": 300, "15m": 900, "30m": 1800 },
  ...{ "1H": 3600, "2H": 7200, "4H": 14_400, "6Hutc": 21_600, "12Hutc": 43_200, "1Dutc": 86_400 },
};

const touchOf = (book: Book, instId: string, now: number): Touch => {
  if (!book.listings.has(instId)) throw new PaperRefusal("51001", "Instrument ID does not exist");
  const touch = book.touch(instId, now);
  if (!touch) throw new PaperRefusal("50026", "System error: the instrument has no price now.");
  return touch;
};

/** Returns the instruments that `query` names, or all that have a price. */
function instrumentsOf({ query, now }: PaperRequest, book: Book): readonly string[] {
  const { instId } = query;
  if (instId === undefined) return [...book.listings.keys()].filter((id) => book.touch(id, now) !== null);
  touchOf(book, instId, now);
  return [instId];
}

function ticker(book: Book, instId: string, now: number): unknown {
  const { bid, ask, mid, available } = touchOf(book, instId, now);
  const size = text(available);
  const [row] =
    book.candles(instId, 86_400, now, { after: Number.MAX_SAFE_INTEGER, before: -1, limit: 1, closedOnly: false }) ??
    [];
  const [, open, high, low, , vol24h] = row ?? [];
  return {
    ...{
      instType: "SWAP",
      instId,
      last: text(mid),
      lastSz: size,
      askPx: text(ask),
      askSz: size,
      bidPx: text(bid),
      bidSz: size,
    },
    ...{ open24h: open ?? "", high24h: high ?? "", low24h: low ?? "", vol24h: vol24h ?? "", volCcy24h: "" },
    ...{ sodUtc0: open ?? "", sodUtc8: "", ts: String(now) },
  };
}

function candles(request: PaperRequest, book: Book, closedOnly: boolean): readonly unknown[] {
  const { query, now } = request;
  const instId = required(query, "instId");
  if (!book.listings.has(instId)) throw new PaperRefusal("51001", "Instrument ID does not exist");
  const seconds = BARS[query.bar ?? "1m"];
  const limit = Number(query.limit ?? 100);
  const [after, before] = [Number(query.after ?? Number.MAX_SAFE_INTEGER), Number(query.before ?? -1)];
  const numbers =
    Number.isInteger(limit) && limit >= 1 && limit <= 300 && Number.isFinite(after) && Number.isFinite(before);
  const rows = seconds && numbers ? book.candles(instId, seconds, now, { after, before, limit, closedOnly }) : null;
  if (!rows) throw new PaperRefusal("51000", "Parameter bar, limit, after or before error");
  return rows;
}

const MINUTE_MS = 60_000;

/** Minutes of an index, newest first: at their open, which is known from their beginning, and nothing else of them. */
function indexCandles({ query, now }: PaperRequest, book: Book): readonly unknown[] {
  const [asset, quote] = required(query, "instId").split("-");
  if (asset === undefined || quote !== "USDT" || book.index(asset, now) === null)
    throw new PaperRefusal("51001", "Index does not exist");
  if ((query.bar ?? "1m") !== "1m") throw new PaperRefusal("51000", "Parameter bar error: the paper venue has minutes");
  const [after, before] = [Number(query.after ?? now + 1), Number(query.before ?? now - 100 * MINUTE_MS)];
  const limit = Math.min(Number(query.limit ?? 100), 100);
  if (!Number.isFinite(after + before + limit))
    throw new PaperRefusal("51000", "Parameter after, before or limit error");
  const rows: unknown[] = [];
  let at = Math.floor(Math.min(after - 1, now) / MINUTE_MS) * MINUTE_MS;
  for (; at > before && rows.length < limit; at -= MINUTE_MS) {
    const price = book.index(asset, at);
    if (price === null) break;
    const open = text(price);
    rows.push([String(at), open, open, open, open, at + MINUTE_MS <= now ? "1" : "0"]);
  }
  return rows;
}

/** The tiers of up to three instrument families. @throws PaperRefusal 51000 without a family, 51001 for one that is not listed. */
function positionTiers({ query }: PaperRequest, book: Book): readonly unknown[] {
  if (required(query, "instType") !== "SWAP") throw new PaperRefusal("51000", "Parameter instType error");
  if (!/^(isolated|cross)$/.test(required(query, "tdMode"))) throw new PaperRefusal("51000", "Parameter tdMode error");
  const families = query.instFamily ?? required(query, "uly");
  return families.split(",").flatMap((family) => {
    const listing = book.listings.get(`${family}-SWAP`);
    if (!listing) throw new PaperRefusal("51001", "Instrument family does not exist");
    const rows = listing.tiers.map((tier) => tierRow(tier, family));
    return rows.filter(({ tier }) => tier === (query.tier ?? tier));
  });
}

const HOUR_MS = 3_600_000;

function fundingRate({ query, now }: PaperRequest, book: Book, termsOf: TermsOf): readonly unknown[] {
  const instId = required(query, "instId");
  touchOf(book, instId, now);
  const terms = termsOf(instId);
  const due = nextFunding(terms, now);
  return [
    {
      ...{ instType: "SWAP", instId, method: "current_period", formulaType: "noRate", fundingRate: terms.rate },
      ...{ fundingTime: String(due), nextFundingRate: "", nextFundingTime: String(due + terms.hours * HOUR_MS) },
      ...{ settState: "settled", settFundingRate: terms.rate, premium: "", interestRate: "", impactValue: "" },
      ...{ minFundingRate: "", maxFundingRate: "", ts: String(now) },
    },
  ];
}

/** The rates that were due while the instrument had a price, newest first, at most a hundred. */
function fundingRateHistory({ query, now }: PaperRequest, book: Book, termsOf: TermsOf): readonly unknown[] {
  const instId = required(query, "instId");
  touchOf(book, instId, now);
  const terms = termsOf(instId);
  const [after, before] = [Number(query.after ?? now + 1), Number(query.before ?? 0)];
  const limit = Math.min(Number(query.limit ?? 100), 100);
  if (!Number.isFinite(after + before + limit))
    throw new PaperRefusal("51000", "Parameter after, before or limit error");
  const rows: unknown[] = [];
  let at = nextFunding(terms, Math.min(after - 1, now)) - terms.hours * HOUR_MS;
  for (; at > before && rows.length < limit && book.touch(instId, at) !== null; at -= terms.hours * HOUR_MS)
    rows.push({
      ...{ instType: "SWAP", instId, fundingRate: terms.rate, realizedRate: terms.rate, fundingTime: String(at) },
      ...{ method: "current_period", formulaType: "noRate" },
    });
  return rows;
}

const level = (price: Big, size: Big) => [text(price), text(size), "0", "1"];

/** The public endpoints, by path. */
export const PUBLIC_ROUTES: Readonly<Record<string, Route>> = {
  "public/time": ({ now }) => [{ ts: String(now) }],
  "public/instruments": ({ query }, book) => {
    const { instId } = query;
    const rows = book.rows.filter((row) => row.instType === required(query, "instType"));
    const found = instId === undefined ? rows : rows.filter((row) => row.instId === instId);
    if (instId !== undefined && found.length === 0) throw new PaperRefusal("51001", "Instrument ID does not exist");
    return found;
  },
  "public/mark-price": (request, book) =>
    instrumentsOf(request, book).map((instId) => {
      const markPx = text(touchOf(book, instId, request.now).mark);
      return { instType: "SWAP", instId, markPx, ts: String(request.now) };
    }),
  "public/price-limit": ({ query, now }, book) => {
    const instId = required(query, "instId");
    const { buy, sell } = priceLimit(touchOf(book, instId, now), book.listings.get(instId) as Listing);
    return [{ instType: "SWAP", instId, buyLmt: text(buy), sellLmt: text(sell), ts: String(now), enabled: true }];
  },
  "public/position-tiers": positionTiers,
  "public/funding-rate": fundingRate,
  "public/funding-rate-history": fundingRateHistory,
  // Nothing is ever planned here; a fault can be set on the path.
  "system/status": () => [],
  "market/ticker": ({ query, now }, book) => [ticker(book, required(query, "instId"), now)],
  "market/tickers": (request, book) => instrumentsOf(request, book).map((instId) => ticker(book, instId, request.now)),
  "market/books": ({ query, now }, book) => {
    const { bid, ask, available } = touchOf(book, required(query, "instId"), now);
    return [{ asks: [level(ask, available)], bids: [level(bid, available)], ts: String(now), seqId: now }];
  },
  "market/trades": tape,
  "market/index-candles": indexCandles,
  "market/history-index-candles": indexCandles,
  "market/candles": (request, book) => candles(request, book, false),
  "market/history-candles": (request, book) => candles(request, book, true),
};
