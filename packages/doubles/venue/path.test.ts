import fc from "fast-check";
import { expect, test } from "vitest";
import { instrumentRow } from "#recording/candle-source";
import { ETH_SWAP } from "#testing/instruments";
import type { Candle } from "#units/candle";
import { big, decimalOf, text } from "#units/decimal";
import { instant, millis } from "#units/time";
import { newAccount, wealth } from "./account.ts";
import { placeAlgo } from "./algo-orders.ts";
import { type Book, paperBook } from "./book.ts";
import { FUNDING_RULE } from "./funding.ts";
import type { Floor } from "./matching.ts";
import { place } from "./orders.ts";
import { advance, type First, walkBar } from "./path.ts";
import { PRIVATE_ROUTES } from "./private.ts";
import { PUBLIC_ROUTES } from "./public.ts";
import type { PaperRefusal, PaperRequest } from "./reply.ts";

const START = Date.parse("2022-06-21T00:00:00.000Z");
const BAR_MS = 300_000;
const instId = ETH_SWAP.id;

type Shape = Readonly<Record<"open" | "high" | "low" | "close", number>> & { readonly volume?: number };

const barAt = (i: number, { open, high, low, close, volume = 1_000_000 }: Shape): Candle => {
  const [o, h, l, c, v] = [open, high, low, close, volume].map((price) => decimalOf(price.toFixed(2)));
  return { openedAt: instant(START + i * BAR_MS), open: o!, high: h!, low: l!, close: c!, volume: v! };
};
const flat = (price: number): Shape => ({ open: price, high: price, low: price, close: price });

const bookOf = (bars: readonly Candle[]): Book =>
  paperBook(
    { barSeconds: 300, instruments: () => [instrumentRow(ETH_SWAP)], bars: () => bars },
    { halfSpreadBps: 1, liquidityShare: 0.1 },
  );

function floorOf(book: Book): Floor {
  const fees = { taker: big(decimalOf("0.0005")), maker: big(decimalOf("0.0002")) };
  return {
    ...{ book, state: newAccount(decimalOf("1000000")) },
    pretended: {},
    matching: { fees, impactBps: 10, triggerLatencyMs: 50, fillLagMs: 0 },
  };
}

const asked = (now: number, body: PaperRequest["body"], query: PaperRequest["query"] = {}): PaperRequest => ({
  ...{ method: "POST", path: "", query, body, list: [], expiresMs: null, now },
});
const market = (floor: Floor, now: number, side: "buy" | "sell", size: number) =>
  place(floor, asked(now, { instId, tdMode: "cross", ordType: "market", side, sz: String(size) }));
const algo = (floor: Floor, now: number, side: string, fields: PaperRequest["body"]) =>
  placeAlgo(floor, asked(now, { instId, tdMode: "cross", ordType: "conditional", reduceOnly: true, side, ...fields }));
const stopAt = (price: number) => ({ slTriggerPx: price.toFixed(2), slOrdPx: "-1" });
const profitAt = (price: number) => ({ tpTriggerPx: price.toFixed(2), tpOrdPx: "-1" });
const pass = (floor: Floor, now: number) => advance(floor, () => FUNDING_RULE, now);

/** A position of `size` contracts taken in the bar before `bar`, with what `protect` places. */
function held(bars: Shape[], size: number, protect: (floor: Floor, closing: string, now: number) => void): Floor {
  const floor = floorOf(bookOf(bars.map((bar, i) => barAt(i, bar))));
  const now = START + BAR_MS + 1000;
  pass(floor, now);
  market(floor, now, size > 0 ? "buy" : "sell", Math.abs(size));
  protect(floor, size > 0 ? "sell" : "buy", now);
  return floor;
}

const FLAT = flat(1000);
const WIDE: Shape = { open: 1000, high: 1060, low: 940, close: 1030 };

test.each([
  ["a long", 2, 950, 1050],
  ["a short", -2, 1050, 950],
])("%s whose stop and take-profit lie in one bar is stopped", (_, size, stop, profit) => {
  const floor = held([FLAT, WIDE], size, (venue, side, now) =>
    algo(venue, now, side, { ordType: "oco", sz: "2", ...stopAt(stop), ...profitAt(profit) }),
  );
  pass(floor, START + 2 * BAR_MS - 1);
  expect(floor.state.algos).toMatchObject([{ state: "live", due: null }]); // nobody knows of the bar's ends yet
  pass(floor, START + 2 * BAR_MS);
  expect(floor.state.algos).toMatchObject([{ state: "effective", actualSide: "sl" }]);
  const price = Number(floor.state.fills.at(-1)?.fillPx);
  // At the trigger, worsened by half a spread and the impact.
  expect(size > 0 ? price < stop : price > stop).toBe(true);
  expect(Math.abs(price - stop)).toBeLessThan(stop * 0.0002);
  expect(floor.state.fills.at(-1)?.ts).toBe(START + 2 * BAR_MS);
  expect(floor.state.positions).toEqual([]);
});

test("a touched low stops what the close would have spared", () => {
  const floor = held([FLAT, { open: 1000, high: 1001, low: 949, close: 1001 }], 2, (venue, side, now) =>
    algo(venue, now, side, { closeFraction: "1", ...stopAt(950), slTriggerPxType: "mark" }),
  );
  pass(floor, START + 2 * BAR_MS);
  expect(floor.state.algos).toMatchObject([{ state: "effective", actualSz: "2" }]);
});

test.each([
  ["a long", 2, 950, 900],
  ["a short", -2, 1050, 1100],
])("%s that gaps past its stop is filled at the open, after the latency", (_, size, stop, open) => {
  const floor = held([FLAT, FLAT, { open, high: 1200, low: 800, close: open }], size, (venue, side, now) =>
    algo(venue, now, side, { closeFraction: "1", ...stopAt(stop) }),
  );
  pass(floor, START + 2 * BAR_MS);
  expect(floor.state.algos).toMatchObject([{ state: "live", due: { last: String(open) } }]);
  pass(floor, START + 2 * BAR_MS + 50);
  const [, fill] = floor.state.fills;
  expect(Math.abs(Number(fill?.fillPx) - open)).toBeLessThan(open * 0.0002);
  expect(size > 0 ? Number(fill?.fillPx) < open : Number(fill?.fillPx) > open).toBe(true);
});

test("a bar that is published late is walked late, once", () => {
  const bars = [barAt(0, FLAT), barAt(1, FLAT)];
  const floor = floorOf(bookOf(bars));
  // The source grows in place, as a live one does; the book indexes what it is given anew.
  const grown = { ...floor, book: bookOf([...bars, barAt(2, WIDE)]) };
  const now = START + 3 * BAR_MS + 7000;
  pass(floor, START + 2 * BAR_MS + 1000);
  market(floor, START + 2 * BAR_MS + 1000, "buy", 2);
  algo(floor, START + 2 * BAR_MS + 1000, "sell", { closeFraction: "1", ...stopAt(950) });
  pass(floor, now - 1000);
  pass(grown, now);
  pass(grown, now + 1000);
  expect(floor.state.fills.map(({ ts }) => ts)).toEqual([START + 2 * BAR_MS + 1000, now - 1000]);
});

const cents = (least: number, most: number) => fc.integer({ min: least * 100, max: most * 100 }).map((n) => n / 100);
const anyBar = fc
  .record({ close: cents(900, 1100), up: cents(0, 120), down: cents(0, 120) })
  .map(({ close, up, down }): Shape => {
    return { open: 1000, close, high: Math.max(1000, close) + up, low: Math.min(1000, close) - down };
  });
const leg = fc.record({ away: cents(1, 120), size: fc.integer({ min: 1, max: 6 }), isStop: fc.boolean() });
interface Protection {
  readonly size: number;
  readonly isLong: boolean;
  readonly bar: Shape;
  /** How far from the open the stop of the whole position is; null for none. */
  readonly whole: number | null;
  readonly legs: readonly { readonly away: number; readonly size: number; readonly isStop: boolean }[];
}
const protection: fc.Arbitrary<Protection> = fc.record({
  size: fc.integer({ min: 1, max: 6 }),
  isLong: fc.boolean(),
  bar: anyBar,
  whole: fc.option(cents(1, 120)),
  legs: fc.array(leg, { maxLength: 4 }),
});

/** What the account is worth when the bar has been walked with that end first. */
function result(input: Protection, first?: First): number {
  const { size, isLong, bar, whole, legs } = input;
  const floor = held([FLAT, bar], isLong ? size : -size, (venue, side, now) => {
    const level = (isStop: boolean, away: number) => 1000 + (isStop === isLong ? -away : away);
    if (whole !== null) algo(venue, now, side, { closeFraction: "1", ...stopAt(level(true, whole)) });
    for (const { away, size: sz, isStop } of legs)
      algo(venue, now, side, { sz: String(sz), ...(isStop ? stopAt : profitAt)(level(isStop, away)) });
  });
  const at = START + 2 * BAR_MS;
  walkBar(floor, instId, barAt(1, bar), at, first);
  return Number(text(wealth(floor.state, floor.book, at).equity));
}

test("law: no other order of a bar's ends is worse for a protected position, and the same bar is the same result", () => {
  fc.assert(
    fc.property(protection, (input) => {
      const pessimistic = result(input);
      expect(pessimistic).toBeLessThanOrEqual(Math.min(result(input, "low"), result(input, "high")));
      expect(result(input)).toBe(pessimistic);
    }),
    { numRuns: 300 },
  );
});

test("the law finds a venue that goes to the kind end first", () => {
  const kind = (input: Protection) => result(input, input.isLong ? "high" : "low");
  const found = fc.check(fc.property(protection, (input) => kind(input) <= result(input)));
  expect(found.failed).toBe(true);
});

const HISTORY = Array.from({ length: 90 }, (_, i): Candle => {
  const open = 1000 + 40 * Math.sin(i);
  return barAt(i, {
    open,
    close: 1000 + 40 * Math.sin(i + 1),
    high: open + 50,
    low: open - 50,
    volume: 9000 + 100 * i,
  });
});

/** Everything that a desk can read, and what comes of an order and a stop, in the middle of the nth bar. */
function decision(book: Book, nth: number): string {
  const floor = floorOf(book);
  pass(floor, START + (nth - 1) * BAR_MS + 1000);
  market(floor, START + (nth - 1) * BAR_MS + 1000, "buy", 3);
  algo(floor, START + (nth - 1) * BAR_MS + 1000, "sell", { closeFraction: "1", ...stopAt(700) });
  const now = START + nth * BAR_MS + BAR_MS * 0.6;
  pass(floor, now);
  const query = { instId, instType: "SWAP", tdMode: "cross" };
  const seen: unknown[] = [];
  for (const path of ["market/ticker", "market/books", "public/mark-price", "public/instruments"])
    seen.push(PUBLIC_ROUTES[path]?.(asked(now, {}, query), book, () => FUNDING_RULE));
  for (const bar of ["5m", "15m", "1H"])
    seen.push(PUBLIC_ROUTES["market/candles"]?.(asked(now, {}, { ...query, bar }), book, () => FUNDING_RULE));
  market(floor, now, "buy", 700);
  market(floor, now + 1, "sell", 100);
  for (const path of ["account/positions", "account/balance", "trade/fills", "account/bills", "account/max-size"])
    seen.push(PRIVATE_ROUTES[`GET ${path}`]?.(asked(now + 1, {}, query), floor));
  try {
    algo(floor, now + 2, "sell", { sz: "1", ...stopAt(990) });
  } catch (error) {
    seen.push((error as PaperRefusal).code);
  }
  return JSON.stringify([seen, floor.state]);
}

/** The nth bar with another high, low, close and volume; after it, another world. */
const corrupted = (nth: number): Candle[] =>
  HISTORY.map((bar, i) => {
    if (i < nth) return bar;
    const [open, close] = [Number(bar.open), Number(bar.open) * 1.3];
    return barAt(i, {
      open: i === nth ? open : 5,
      high: close + 300,
      low: 2,
      close: i === nth ? close : 7,
      volume: 77_777,
    });
  });

/** Returns how many of the decisions change with what nobody can know yet. */
function changed(cheat: (book: Book, bars: readonly Candle[]) => Book = (book) => book): number {
  const nths = Array.from({ length: 87 }, (_, i) => i + 2);
  const seen = (bars: readonly Candle[], nth: number) => decision(cheat(bookOf(bars), bars), nth);
  return nths.filter((nth) => seen(HISTORY, nth) !== seen(corrupted(nth), nth)).length;
}

test("what is not known of a bar changes none of 87 decisions", () => {
  expect(changed()).toBe(0);
});

const unfinished = (bars: readonly Candle[], now: number) =>
  bars.findLast((bar) => millis(bar.openedAt) <= now) as Candle;

test.each<[string, (book: Book, bars: readonly Candle[]) => Book]>([
  [
    "a price on the line to the close",
    (book, bars) => ({
      ...book,
      touch: (id, now) => {
        const { open, close, openedAt } = unfinished(bars, now);
        const share = (now - millis(openedAt)) / BAR_MS;
        return book.touchAt(id, now, big(big(open).plus(big(close).minus(open).times(share)).toFixed(2) as never));
      },
    }),
  ],
  [
    "a depth by the volume to come",
    (book, bars) => ({
      ...book,
      touch: (id, now) => {
        const touch = book.touch(id, now);
        return touch && { ...touch, available: big(unfinished(bars, now).volume).div(10) };
      },
    }),
  ],
  [
    "a candle with its high",
    (book, bars) => ({
      ...book,
      candles: (id, seconds, now, query) =>
        book
          .candles(id, seconds, now, query)
          ?.map((row, i) => (i === 0 ? [...row, unfinished(bars, now).high] : row)) ?? null,
    }),
  ],
  [
    "a bar that is walked before its close",
    (book) => ({ ...book, steps: (id, seen, now) => book.steps(id, seen, now + BAR_MS / 2) }),
  ],
])("the check finds a cheat: %s", (_, cheat) => {
  expect(changed(cheat)).toBeGreaterThan(40);
});
