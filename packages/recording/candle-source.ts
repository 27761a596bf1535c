import type { Instrument } from "#trading/instrument";
import type { Market } from "#trading/venue";
import type { Candle } from "#units/candle";
import { type Instant, instant, millis } from "#units/time";

/** A row as OKX's /public/instruments gives it. */
export type InstrumentRow = Readonly<Record<string, unknown>>;

/** Where the paper venue takes its market from. */
export interface CandleSource {
  /** Width of the bars. The venue makes wider ones from them. */
  readonly barSeconds: number;
  instruments(): readonly InstrumentRow[];
  /** Returns an instrument's bars, ascending, unique by opening. It may hold the future: the venue never shows it. */
  bars(instrument: string): readonly Candle[];
  /** Brings the bars up to `nowMs`. A source that has them all leaves it out. */
  refresh?(nowMs: number): Promise<void>;
}

/** The part of a recording that is a market. */
interface RecordedMarket {
  readonly manifest: { readonly barSeconds: number };
  readonly instruments: readonly unknown[];
  candles(instrument: string): readonly Candle[];
}

/** Returns the market of a recording. */
export function recordedCandles(recording: RecordedMarket): CandleSource {
  const known = new Map<string, readonly Candle[]>();
  return {
    barSeconds: recording.manifest.barSeconds,
    instruments: () => recording.instruments as readonly InstrumentRow[],
    bars: (instrument) => {
      const bars = known.get(instrument) ?? recording.candles(instrument);
      known.set(instrument, bars);
      return bars;
    },
  };
}

/** Returns the row that OKX would list for `instrument`. */
export function instrumentRow(instrument: Instrument): InstrumentRow {
  return {
    instType: "SWAP",
    instId: instrument.id,
    uly: instrument.id.replace(/-SWAP$/, ""),
    instFamily: instrument.id.replace(/-SWAP$/, ""),
    ctType: "linear",
    ctVal: instrument.contractSize,
    ctMult: "1",
    ctValCcy: instrument.asset,
    settleCcy: "USDT",
    lotSz: instrument.lotSize,
    minSz: instrument.minSize,
    tickSz: instrument.tickSize,
    lever: instrument.maxLeverage,
    state: "live",
  };
}

/** Bars that a live source keeps of each instrument: enough for a wide bar, little memory. */
const KEPT = 3000;

/**
 * Returns the market as it happens, for paper trading on real prices: closed bars of `market`, fetched when a new one can
 * have closed. Between two bars the venue trades at the last close, so its price is at most one bar old.
 * @throws what `market` throws: without prices there is no paper venue.
 */
export async function liveCandles(
  market: Market,
  instruments: readonly string[],
  barSeconds: number,
  startMs: number,
): Promise<CandleSource> {
  const width = barSeconds * 1000;
  const listed = await market.instruments(instruments);
  const bars = new Map<string, Candle[]>(listed.map(({ id }) => [id, []]));
  const fetchNew = async (id: string, nowMs: number) => {
    const kept = bars.get(id) ?? [];
    const last = kept.at(-1);
    const since = Math.max(last ? millis(last.openedAt) + width : 0, Math.floor(nowMs / width - 299) * width);
    if (since + width > nowMs) return;
    const found = await market.candles(id, barSeconds, instant(since), 300);
    const fresh = found.filter((bar) => newer(bar.openedAt, last?.openedAt));
    bars.set(id, [...kept, ...fresh].slice(-KEPT));
  };
  // One refresh at a time; requests that come meanwhile wait for it.
  let running: Promise<void> = Promise.resolve();
  const refresh = (nowMs: number): Promise<void> => {
    running = running
      .catch(() => undefined)
      .then(async () => {
        for (const { id } of listed) await fetchNew(id, nowMs);
      });
    return running;
  };
  await refresh(startMs);
  const rows = listed.map(instrumentRow);
  return { barSeconds, instruments: () => rows, bars: (id) => bars.get(id) ?? [], refresh };
}

const newer = (at: Instant, than: Instant | undefined): boolean => than === undefined || at > than;
