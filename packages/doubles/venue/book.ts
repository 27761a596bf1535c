import type { CandleSource, InstrumentRow } from "#recording/candle-source";
import type { Candle } from "#units/candle";
import { type Big, big, parseDecimal, text, ZERO } from "#units/decimal";
import { millis } from "#units/time";
import { type Tier, tiersByRule } from "./tiers.ts";

/** The best prices at an instant, and the contracts that one order can take. */
export interface Touch {
  /** The last trade. */
  readonly mid: Big;
  readonly mark: Big;
  readonly index: Big;
  readonly bid: Big;
  readonly ask: Big;
  readonly available: Big;
}

export interface BookSettings {
  /** Half the spread, in bps of the mid. */
  readonly halfSpreadBps: number;
  /** Share of a bar's volume that one order can take. */
  readonly liquidityShare: number;
  /** Where mark and index stand; at the last price by default, which is the only one that candles have. */
  readonly basis?: (instrument: string) => Basis;
  /** The tiers of an instrument; a rule by its highest leverage by default. */
  readonly tiers?: (instrument: string) => readonly Tier[];
  /** The price in USDT of a currency that is not traded here; null without one. */
  readonly indexOf?: (asset: string) => Big | null;
}

/** Mark and index as multiples of the last price. */
export interface Basis {
  readonly mark: Big;
  readonly index: Big;
}

export const AT_LAST: Basis = { mark: big(1), index: big(1) };

/** What the venue trades. */
export interface Listing {
  readonly id: string;
  readonly contractSize: Big;
  readonly lot: Big;
  readonly min: Big;
  readonly tick: Big;
  readonly maxLeverage: Big;
  /** The most that one stop may close; null where the row does not say. */
  readonly maxStop: Big | null;
  /** The most of one market order; null where the row does not say. */
  readonly maxMarket: Big | null;
  /** Ascending; at least one. */
  readonly tiers: readonly Tier[];
}

interface Series {
  readonly candles: readonly Candle[];
  readonly opened: Float64Array;
}

/** A row of OKX's candles: [ts, open, high, low, close, contracts, asset, quote, confirm]. */
export type CandleRow = readonly string[];

export interface CandleQuery {
  readonly after: number;
  readonly before: number;
  readonly limit: number;
  /** Leaves out the bar that is not closed yet. */
  readonly closedOnly: boolean;
}

// In a bar without recorded volume (a mark price series) this many lots can still be taken.
const LEAST_LOTS = 1000;
// A gap is bridged with the last close for this many bars; after that there is no price.
const STALE_BARS = 5;

const roundTo = (value: Big, step: Big, mode: 0 | 2 | 3): Big => value.div(step).round(0, mode).times(step);
export const floorTick = (value: Big, tick: Big): Big => roundTo(value, tick, 0);
/** Returns the nearest price that is on the tick. */
export const nearTick = (value: Big, tick: Big): Big => roundTo(value, tick, 2);
export const ceilTick = (value: Big, tick: Big): Big => roundTo(value, tick, 3);

/** Returns the index of the last number at or below `limit`, −1 when there is none. `sorted` ascends. */
export function lastAtOrBelow(sorted: Float64Array, limit: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as number) <= limit) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** How far an instrument's bars were walked. */
export interface Walked {
  readonly openedMs: number;
  readonly closed: boolean;
}

/** A bar opens, or closes and is known whole. */
export interface Step {
  readonly at: number;
  readonly bar: Candle;
  readonly closes: boolean;
}

/** The market of the paper venue: what it lists, its price now, and the bars seen so far. */
export interface Book {
  readonly listings: ReadonlyMap<string, Listing>;
  readonly rows: readonly InstrumentRow[];
  /** How long a bar of the source is. */
  readonly barSeconds: number;
  /** Returns the row of an instrument that is listed. */
  rowOf(instrument: string): InstrumentRow;
  /** Changes what the row of an instrument says, as its `state` or the change that `upcChg` announces. */
  relist(instrument: string, fields: InstrumentRow): void;
  /** Returns the prices at `now`, or null where the source has no bar for it. */
  touch(instrument: string, now: number): Touch | null;
  /** Returns the prices of `now` as they are when the last trade is at `last`. */
  touchAt(instrument: string, now: number, last: Big): Touch | null;
  /**
   * Returns what the price did after `seen` until `now`, ascending, nothing without `seen`; and how far that is, null where
   * there is no bar yet.
   */
  steps(instrument: string, seen: Walked | null, now: number): { steps: Step[]; upTo: Walked | null };
  /** Returns the index of a currency in USDT, or null where there is none at `now`. */
  index(asset: string, now: number): Big | null;
  /** Returns bars opened at or before `now`, newest first; null for a bar that the source cannot make. */
  candles(instrument: string, barSeconds: number, now: number, query: CandleQuery): CandleRow[] | null;
}

function listingOf(row: InstrumentRow, tiersOf: BookSettings["tiers"]): [string, Listing] {
  const field = (name: string) => big(parseDecimal(String(row[name])));
  const most = (name: string) => (row[name] ? field(name) : null);
  const id = String(row.instId);
  const [lot, maxLeverage] = [field("lotSz"), field("lever")];
  return [
    id,
    {
      id,
      contractSize: field("ctVal").times(big(parseDecimal(String(row.ctMult || "1")))),
      lot,
      min: field("minSz"),
      tick: field("tickSz"),
      maxLeverage,
      tiers: tiersOf?.(id) ?? tiersByRule({ lot, maxLeverage }),
      maxStop: most("maxStopSz"),
      maxMarket: most("maxMktSz"),
    },
  ];
}

/** Returns what anyone knows of `bar` before its close. */
const begun = ({ openedAt, open }: Candle): Candle => ({
  openedAt,
  open,
  high: open,
  low: open,
  close: open,
  volume: ZERO,
});

/** Returns one bar made of `bars`, which ascend and are not empty. */
function merged(bars: readonly Candle[]): Candle {
  const [first] = bars as [Candle, ...Candle[]];
  let { high, low } = first;
  let volume = big(0);
  for (const bar of bars) {
    if (big(bar.high).gt(high)) high = bar.high;
    if (big(bar.low).lt(low)) low = bar.low;
    volume = volume.plus(bar.volume);
  }
  return {
    openedAt: first.openedAt,
    open: first.open,
    high,
    low,
    close: (bars.at(-1) as Candle).close,
    volume: text(volume),
  };
}

function candleRow(openedMs: number, bar: Candle, contractSize: Big, closed: boolean): CandleRow {
  const asset = big(bar.volume).times(contractSize);
  const { open, high, low, close, volume } = bar;
  return [String(openedMs), open, high, low, close, volume, text(asset), text(asset.times(close)), closed ? "1" : "0"];
}

/** Returns a reader of the bars of an instrument, indexed once for as long as the source gives the same ones. */
function seriesOf(source: CandleSource): (instrument: string) => Series {
  const indexed = new Map<string, Series>();
  return (instrument) => {
    const candles = source.bars(instrument);
    const known = indexed.get(instrument);
    if (known?.candles === candles) return known;
    const fresh = { candles, opened: Float64Array.from(candles, (bar) => millis(bar.openedAt)) };
    indexed.set(instrument, fresh);
    return fresh;
  };
}

/** Returns the prices of `found`, or those around another last price `wanted`. */
function touchOf(
  { listing, last, available }: { readonly listing: Listing; readonly last: Big; readonly available: Big },
  { halfSpreadBps, basis }: BookSettings,
  wanted: Big | null,
): Touch {
  const mid = wanted ?? last;
  const half = mid.times(halfSpreadBps).div(10_000);
  const { mark, index } = basis?.(listing.id) ?? AT_LAST;
  return {
    ...{ mid, mark: mid.times(mark), index: mid.times(index), available },
    ...{ bid: floorTick(mid.minus(half), listing.tick), ask: ceilTick(mid.plus(half), listing.tick) },
  };
}

function stepsOf(
  { candles, opened }: Series,
  widthMs: number,
  seen: Walked | null,
  now: number,
): ReturnType<Book["steps"]> {
  const last = lastAtOrBelow(opened, now);
  const openedMs = opened[last];
  if (openedMs === undefined) return { steps: [], upTo: null };
  const upTo = { openedMs, closed: openedMs + widthMs <= now };
  if (seen === null) return { steps: [], upTo };
  const steps: Step[] = [];
  for (let i = Math.max(lastAtOrBelow(opened, seen.openedMs), 0); i <= last; i += 1) {
    const [at, bar] = [opened[i] as number, candles[i] as Candle];
    const isNew = at > seen.openedMs;
    if (isNew) steps.push({ at, bar, closes: false });
    const isOpen = isNew || (at === seen.openedMs && !seen.closed);
    if (isOpen && at + widthMs <= now) steps.push({ at: at + widthMs, bar, closes: true });
  }
  return { steps, upTo };
}

/** Returns the market that `source` makes. */
export function paperBook(source: CandleSource, settings: BookSettings): Book {
  const rows = [...source.instruments()];
  const listings = new Map(rows.map((row) => listingOf(row, settings.tiers)));
  const base = source.barSeconds * 1000;
  const series = seriesOf(source);

  // The last price that is known, and what one order can take, by the last bar that has closed; null without a bar near enough.
  const market = (instrument: string, now: number) => {
    const listing = listings.get(instrument);
    const { candles, opened } = series(instrument);
    const at = lastAtOrBelow(opened, now);
    const bar = candles[at];
    const elapsed = now - (opened[at] ?? 0);
    if (!listing || !bar || elapsed > base * (1 + STALE_BARS)) return null;
    const last = nearTick(big(elapsed < base ? bar.open : bar.close), listing.tick);
    const closed = elapsed < base ? candles[at - 1] : bar;
    const share = roundTo(big(closed?.volume ?? ZERO).times(settings.liquidityShare), listing.lot, 0);
    return { listing, last, available: share.gt(0) ? share : listing.lot.times(LEAST_LOTS) };
  };

  const touchAt = (instrument: string, now: number, wanted: Big | null): Touch | null => {
    const found = market(instrument, now);
    return found && touchOf(found, settings, wanted);
  };
  const touch = (instrument: string, now: number): Touch | null => touchAt(instrument, now, null);

  const known = ({ candles, opened }: Series, index: number, now: number): Candle => {
    const bar = candles[index] as Candle;
    return now - (opened[index] as number) >= base ? bar : begun(bar);
  };

  const steps: Book["steps"] = (instrument, seen, now) => stepsOf(series(instrument), base, seen, now);

  // The wide bar that holds the base bar at `end`, as known at `now`, and where the one before it ends.
  const wide = (all: Series, end: number, width: number, now: number, { contractSize }: Listing) => {
    const start = Math.floor((all.opened[end] as number) / width) * width;
    const first = lastAtOrBelow(all.opened, start - 1) + 1;
    const last = lastAtOrBelow(all.opened, Math.min(now, start + width - 1));
    const parts = Array.from({ length: last - first + 1 }, (_, i) => known(all, first + i, now));
    const closed = start + width <= now;
    return { start, closed, before: first - 1, row: () => candleRow(start, merged(parts), contractSize, closed) };
  };

  const candles = (instrument: string, barSeconds: number, now: number, query: CandleQuery): CandleRow[] | null => {
    const width = barSeconds * 1000;
    const listing = listings.get(instrument);
    if (!listing || width < base || width % base !== 0) return null;
    const all = series(instrument);
    const found: CandleRow[] = [];
    // From the newest base bar that the query and the clock allow, back one wide bar at a time.
    let end = lastAtOrBelow(all.opened, Math.min(now, query.after - 1));
    while (end >= 0 && found.length < query.limit) {
      const bar = wide(all, end, width, now, listing);
      if (bar.start <= query.before) break;
      if (bar.closed || !query.closedOnly) found.push(bar.row());
      end = bar.before;
    }
    return found;
  };
  const rowAt = (instrument: string) => rows.findIndex((row) => row.instId === instrument);
  const rowOf = (instrument: string) => rows[rowAt(instrument)] as InstrumentRow;
  const relist = (instrument: string, fields: InstrumentRow) => {
    rows[rowAt(instrument)] = { ...rowOf(instrument), ...fields };
  };
  const index = (asset: string, now: number) =>
    settings.indexOf?.(asset) ?? touch(`${asset}-USDT-SWAP`, now)?.index ?? null;
  const { barSeconds } = source;
  return { listings, rows, barSeconds, rowOf, relist, touch, touchAt, steps, index, candles };
}
