import { type Big, big, type Decimal, text } from "#units/decimal";
import { type Book, floorTick, type Listing, nearTick, type Step } from "./book.ts";
import { PaperRefusal, type PaperRequest, required } from "./reply.ts";

/** OKX gives so many by default, and at most. Source: OKX v5, "Get trades". */
const LIMIT = { byDefault: 100, most: 500 } as const;
/** Of a bar: its open, both ends and its close. */
const A_BAR = 4;

interface Trade {
  readonly id: string;
  readonly at: number;
  readonly price: Big;
  readonly size: Big;
}

/** What is left of a bar's volume after its open, in three parts: the last takes what the lot leaves. */
function partsOf(volume: Decimal, { lot }: Listing): readonly [Big, Big, Big] {
  const left = big(volume).minus(lot);
  const third = floorTick(left.div(3), lot);
  if (third.lte(0)) return [lot, lot, lot];
  return [third, third, left.minus(third.times(2))];
}

/** Returns the trades that a step makes known: of a bar that opens one of a lot, and when it has closed the rest of its volume. */
function tradesOf({ at, bar, closes }: Step, listing: Listing): Trade[] {
  const trade = (nth: number, price: Decimal, size: Big): Trade => ({
    ...{ id: `${at}${nth}`, at, size },
    price: nearTick(big(price), listing.tick),
  });
  if (!closes) return [trade(A_BAR - 1, bar.open, listing.lot)]; // after the end of the bar before it, which has its time
  const { open, high, low, close, volume } = bar;
  const [first, second] = big(close).gte(open) ? [low, high] : [high, low];
  const [one, two, rest] = partsOf(volume, listing);
  return [trade(0, first, one), trade(1, second, two), trade(2, close, rest)];
}

/**
 * Returns the newest trades of an instrument, newest first: those that its bars are made of, at the time at which they are known.
 * The account's own are not among them, as they are in no bar. `side` is the taker's: it sells where the price has fallen.
 * @throws PaperRefusal 50014 without an instrument, 51001 for one that is not listed, 51000 for a limit that is none.
 */
export function tape({ query, now }: PaperRequest, book: Book): readonly unknown[] {
  const instId = required(query, "instId");
  const listing = book.listings.get(instId);
  if (!listing) throw new PaperRefusal("51001", "Instrument ID does not exist");
  const limit = Number(query.limit ?? LIMIT.byDefault);
  if (!Number.isInteger(limit) || limit < 1 || limit > LIMIT.most)
    throw new PaperRefusal("51000", "Parameter limit error");
  const since = now - (Math.ceil(limit / A_BAR) + 2) * book.barSeconds * 1000;
  const { steps } = book.steps(instId, { openedMs: since, closed: true }, now);
  const trades = steps.flatMap((step) => tradesOf(step, listing));
  return trades
    .map(({ id, at, price, size }, nth) => {
      const side = price.lt(trades[nth - 1]?.price ?? price) ? "sell" : "buy";
      return {
        instId,
        tradeId: id,
        px: text(price),
        sz: text(size),
        side,
        source: "0",
        ts: String(at),
        seqId: Number(id),
      };
    })
    .slice(-limit)
    .toReversed();
}
