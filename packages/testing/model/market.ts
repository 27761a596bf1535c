import { type CandleSource, instrumentRow } from "#recording/candle-source";
import type { Instrument } from "#trading/instrument";
import type { Candle } from "#units/candle";
import { decimalOf } from "#units/decimal";
import { type Instant, instant } from "#units/time";
import { BAR_SECONDS, type Bar, type Schedule } from "./schedule.ts";

/** The two swaps of the model, and their prices. Generated. */

const swap = (asset: string, contractSize: string, tickSize: string): Instrument => ({
  ...{ id: `${asset}-USDT-SWAP`, asset, contractSize: decimalOf(contractSize), tickSize: decimalOf(tickSize) },
  ...{ lotSize: decimalOf("0.1"), minSize: decimalOf("0.1"), maxLeverage: decimalOf("100") },
});
export const INSTRUMENTS: readonly [Instrument, Instrument] = [swap("BTC", "0.01", "0.1"), swap("ETH", "0.1", "0.01")];

/** When a schedule begins: two minutes into a bar, so that bars end while things go wrong, and three before funding is paid. */
export const START = Date.parse("2022-06-21T23:57:00.000Z");
const FIRST_BAR = Date.parse("2022-06-21T23:55:00.000Z");
const WARM_BARS = 216; // 18 h: what an average range is of
const KNOWN_BARS = 12; // what the venue is given of them
const WIDTH = BAR_SECONDS * 1000;
const BASES = [20_000, 1000] as const;

const candle = (openedMs: number, [open, high, low, close]: readonly number[], volume: string): Candle => {
  const price = (value = 0) => decimalOf(value.toFixed(1));
  return {
    openedAt: instant(openedMs),
    open: price(open),
    high: price(high),
    low: price(low),
    close: price(close),
    volume: decimalOf(volume),
  };
};

/** Bars before the schedule: they go up and down by 0.3 % around the base. */
const WARM = BASES.map((base) =>
  Array.from({ length: WARM_BARS }, (_, i) => {
    const [open, close] = i % 2 === 0 ? [base, base * 1.003] : [base * 1.003, base];
    return candle(FIRST_BAR - (WARM_BARS - i) * WIDTH, [open, base * 1.003, base, close], "100000");
  }),
);

/** Bars after those of the path, in which nothing moves. */
const QUIET_BARS = 10;

function path(index: number, bars: readonly Bar[], lots: number): Candle[] {
  let open: number = BASES[index] ?? 0;
  const still = { close: 0, above: 0, below: 0 };
  return [...bars, ...Array.from({ length: QUIET_BARS }, () => still)].map(({ close: move, above, below }, i) => {
    const close = open * (1 + move / 10_000);
    const [high, low] = [Math.max(open, close) * (1 + above / 10_000), Math.min(open, close) * (1 - below / 10_000)];
    const made = candle(FIRST_BAR + i * WIDTH, [open, high, low, close], String(lots / 10));
    open = Number(made.close);
    return made;
  });
}

export interface ModelMarket {
  /** As the venue trades it. */
  readonly source: CandleSource;
  /** As the desk's prices have it; a reader leaves out what is not closed yet. */
  readonly candles: ReadonlyMap<string, readonly Candle[]>;
}

/** Returns the market of a schedule. */
export function marketOf({ bars, lots }: Pick<Schedule, "bars" | "lots">): ModelMarket {
  const paths = INSTRUMENTS.map((_, index) => path(index, bars[index] ?? [], lots));
  const thin = (all: readonly Candle[]) => all.map((bar) => ({ ...bar, volume: decimalOf(String(lots / 10)) }));
  const known = new Map(
    INSTRUMENTS.map(({ id }, i) => [id, [...thin((WARM[i] ?? []).slice(-KNOWN_BARS)), ...(paths[i] ?? [])]]),
  );
  return {
    source: {
      barSeconds: BAR_SECONDS,
      instruments: () => INSTRUMENTS.map(instrumentRow),
      bars: (id) => known.get(id) ?? [],
    },
    candles: new Map(INSTRUMENTS.map(({ id }, i) => [id, [...(WARM[i] ?? []), ...(paths[i] ?? [])]])),
  };
}

export const listedAt = (at: Instant) => INSTRUMENTS.map((instrument) => ({ ...instrument, updatedAt: at }));
