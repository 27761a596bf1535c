import type { Candle } from "#units/candle";
import { type Decimal, text, units } from "#units/decimal";
import { instant } from "#units/time";
import { type Random, randomOf } from "./random.ts";

const MINUTE_MS = 60_000;
const BAR_MINUTES = 5;
export const BAR_SECONDS = BAR_MINUTES * 60;

/** What is simulated of an asset. Volatilities are per hour, as fractions. */
interface Nature {
  readonly asset: string;
  readonly start: number;
  readonly beta: number;
  readonly ownVolatility: number;
  /** Digits after the point of a price; a tick is the last one. */
  readonly digits: number;
  /** Contracts traded in a quiet bar. */
  readonly volume: number;
}

const NATURES: readonly Nature[] = [
  { asset: "AAVE", start: 182, beta: 1.25, ownVolatility: 0.0085, digits: 2, volume: 9000 },
  { asset: "BTC", start: 91_400, beta: 0.85, ownVolatility: 0.005, digits: 1, volume: 26_000 },
  { asset: "ETH", start: 3120, beta: 1.05, ownVolatility: 0.006, digits: 2, volume: 48_000 },
  { asset: "LINK", start: 15.4, beta: 1.2, ownVolatility: 0.0085, digits: 3, volume: 120_000 },
  { asset: "UNI", start: 8.15, beta: 1.15, ownVolatility: 0.0085, digits: 3, volume: 150_000 },
];
const FACTOR_VOLATILITY = 0.0055;

/** The simulated assets, sorted. */
export const ASSETS: readonly string[] = NATURES.map(({ asset }) => asset);

/** A simulated market between two times that are multiples of a bar. */
export interface Market {
  readonly fromMs: number;
  readonly toMs: number;
  /** Returns the price in USD, linear between minutes. @throws RangeError outside the market's time or for another asset. */
  price(asset: string, atMs: number): number;
  /** Returns the asset's return over the next `ms` beyond β times that of the mean of the others, in standard deviations. */
  edge(asset: string, atMs: number, ms: number): number;
  /** Returns the bars, ascending and without gaps, prices at the instrument's tick. */
  bars(asset: string): Candle[];
}

/** Returns a heavy-tailed draw of variance 1: one minute in thirty is four times as wild as the rest. */
function shock(random: Random): number {
  const wild = random.chance(1 / 30);
  return random.normal() * (wild ? 3.266 : 0.8165);
}

/** Returns the price at every minute, from one factor that all share and a part of its own. */
function walk(nature: Nature, factor: readonly number[], random: Random): number[] {
  const own = nature.ownVolatility / Math.sqrt(60);
  let price = nature.start;
  const prices = [price];
  for (const move of factor) {
    price *= 1 + nature.beta * move + own * shock(random);
    prices.push(price);
  }
  return prices;
}

const tickText = (price: number, digits: number): Decimal => units(BigInt(Math.round(price * 10 ** digits)), digits);

function barsOf(nature: Nature, prices: readonly number[], fromMs: number, random: Random): Candle[] {
  const bars: Candle[] = [];
  for (let first = 0; first + BAR_MINUTES < prices.length; first += BAR_MINUTES) {
    const path = prices.slice(first, first + BAR_MINUTES + 1);
    const [open = 0, close = 0] = [path[0], path.at(-1)];
    const [high, low] = [Math.max(...path), Math.min(...path)];
    const activity = (0.5 + random.unit()) * (1 + ((high - low) / open) * 250);
    bars.push({
      openedAt: instant(fromMs + first * MINUTE_MS),
      open: tickText(open, nature.digits),
      high: tickText(high, nature.digits),
      low: tickText(low, nature.digits),
      close: tickText(close, nature.digits),
      volume: text(Math.round((nature.volume * activity) / 100) * 100),
    });
  }
  return bars;
}

/**
 * Returns the market of a seed: a common factor times β plus an own part for each asset, both with heavy tails and without
 * memory. The same seed and times give the same digits on every machine.
 */
export function simulateMarket(seed: string, fromMs: number, toMs: number): Market {
  const minutes = (toMs - fromMs) / MINUTE_MS;
  if (minutes <= 0 || minutes % BAR_MINUTES !== 0) throw new RangeError("the market's time must be whole bars");
  const common = randomOf(seed, "market");
  const perMinute = FACTOR_VOLATILITY / Math.sqrt(60);
  const factor = Array.from({ length: minutes }, () => perMinute * shock(common));
  const paths = new Map(NATURES.map((nature) => [nature.asset, walk(nature, factor, randomOf(seed, nature.asset))]));

  const price = (asset: string, atMs: number): number => {
    const at = (atMs - fromMs) / MINUTE_MS;
    const minute = Math.min(Math.floor(at), minutes - 1);
    const [before, after] = [paths.get(asset)?.[minute], paths.get(asset)?.[minute + 1]];
    if (before === undefined || after === undefined || at > minutes) throw new RangeError(`no price of ${asset} then`);
    return before + (after - before) * (at - minute);
  };
  const edge = (asset: string, atMs: number, ms: number): number => {
    const own = natureOf(asset);
    const others = NATURES.filter((nature) => nature !== own);
    const gain = ({ asset: name }: Nature) => price(name, atMs + ms) / price(name, atMs) - 1;
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const beta = own.beta / mean(others.map((nature) => nature.beta));
    const noise = mean(others.map((nature) => nature.ownVolatility ** 2)) / others.length;
    const volatility = Math.sqrt(own.ownVolatility ** 2 + beta * beta * noise) * Math.sqrt(ms / (60 * MINUTE_MS));
    return (gain(own) - beta * mean(others.map(gain))) / volatility;
  };
  const bars = (asset: string) =>
    barsOf(natureOf(asset), paths.get(asset) ?? [], fromMs, randomOf(seed, `${asset} volume`));
  return { fromMs, toMs, price, edge, bars };
}

function natureOf(asset: string): Nature {
  const nature = NATURES.find((one) => one.asset === asset);
  if (!nature) throw new RangeError(`${asset} is not simulated`);
  return nature;
}
