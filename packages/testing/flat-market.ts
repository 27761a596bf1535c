import { instrumentRow } from "#recording/candle-source";
import type { Candle } from "#units/candle";
import { type Decimal, decimalOf } from "#units/decimal";
import { instant } from "#units/time";
import { ETH_SWAP } from "./instruments.ts";

const BAR_MS = 60_000;

/**
 * Returns a market of one instrument that stands at a price, in bars of a minute from an hour before this machine's clock to an
 * hour after it: for what is judged by that clock, as an arming's end, a clock that is off and the date of a request. Nothing waits on it.
 */
export function flatMarket(price: Decimal) {
  const first = Math.floor(Date.now() / BAR_MS) * BAR_MS - 60 * BAR_MS;
  const bars = Array.from(
    { length: 120 },
    (_, i): Candle => ({
      ...{ openedAt: instant(first + i * BAR_MS), open: price, high: price, low: price, close: price },
      volume: decimalOf("1000000"),
    }),
  );
  return { barSeconds: 60, instruments: () => [instrumentRow(ETH_SWAP)], bars: () => bars };
}
