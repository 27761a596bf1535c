import * as z from "zod";
import type { Market } from "#trading/venue";
import { Decimal } from "#units/decimal";
import { millis } from "#units/time";
import { type OkxClient, type OkxClientConfig, okxClient } from "./client.ts";
import { readClock, rowsOf } from "./requests.ts";
import { candleOf, instrumentOf, parsed } from "./rows.ts";

/** Where the market is and how politely to ask. Public prices need no key; in demo too they are the real market's. */
export type OkxMarketConfig = Omit<OkxClientConfig, "credentials">;

/** OKX's names of bars, by seconds. Six hours and more count from UTC midnight, not Hong Kong's. */
const BARS: Readonly<Record<number, string>> = {
  60: "1m",
  180: "3m",
  300: "5m",
  900: "15m",
  1800: "30m",
  3600: "1H",
  7200: "2H",
  14400: "4H",
  21600: "6Hutc",
  43200: "12Hutc",
  86400: "1Dutc",
};
/** The candles endpoint keeps this many bars; older ones are in history-candles. */
const RECENT_BARS = 1400;

/** Returns the public market over a client. */
export function marketOver(client: OkxClient): Market {
  return {
    now: () => readClock(client),
    instruments: async (ids) => {
      const rows = await rowsOf(client, client.publicGetPublicInstruments, { instType: "SWAP" });
      const listed = rows.map(instrumentOf).filter((row) => row !== null);
      return listed.filter((row) => ids.includes(row.id)).sort((a, b) => (a.id < b.id ? -1 : 1));
    },
    candles: async (instrument, barSeconds, since, limit) => {
      const bar = BARS[barSeconds];
      if (!bar) throw new RangeError(`OKX has no bar of ${barSeconds} s`);
      if (limit < 1 || limit > 300) throw new RangeError(`limit ${limit} is not 1–300`);
      const width = barSeconds * 1000;
      const first = Math.ceil(millis(since) / width) * width;
      // Both ends: with `before` alone OKX returns the newest bars, not those that follow it.
      const window = { before: String(first - 1), after: String(first + limit * width), limit: String(limit) };
      const old = client.nonce() - first > RECENT_BARS * width;
      const call = old ? client.publicGetMarketHistoryCandles : client.publicGetMarketCandles;
      const rows = await rowsOf(client, call, { instId: instrument, bar, ...window });
      const closed = rows.map(candleOf).filter((candle) => candle !== null);
      return closed.sort((a, b) => (a.openedAt < b.openedAt ? -1 : 1));
    },
  };
}

/**
 * Returns OKX's public market over ccxt: closed bars, USDT swaps, the venue's clock.
 * @throws VenueGuardError when the URL is not the venue's. Its calls throw VenueError and VenueShapeError.
 */
export const okxMarket = (config: OkxMarketConfig): Market => marketOver(okxClient(config));

const LimitRow = z.object({ instId: z.string(), maxStopSz: z.string().optional(), maxMktSz: z.string().optional() });
/** Limits change with an instrument's row, which is announced days before. */
const LIMIT_MS = 3_600_000;

type SizeLimit = (instrument: string) => Promise<Decimal | null>;

/**
 * Returns how the most contracts of one stop, and of one market order, are found: asked once an hour for each instrument, null
 * where OKX names none.   Source: OKX v5, public/instruments, `maxStopSz`, `maxMktSz`.
 */
export function sizeLimits(client: OkxClient): { readonly stopLimit: SizeLimit; readonly marketLimit: SizeLimit } {
  const known = new Map<string, { readonly at: number; readonly row: z.infer<typeof LimitRow> | null }>();
  const rowOf = async (instrument: string) => {
    const last = known.get(instrument);
    if (last !== undefined && performance.now() - last.at < LIMIT_MS) return last.row;
    const rows = await rowsOf(client, client.publicGetPublicInstruments, { instType: "SWAP", instId: instrument });
    const row = rows.map((each) => parsed("instruments", LimitRow, each)).find(({ instId }) => instId === instrument);
    known.set(instrument, { at: performance.now(), row: row ?? null });
    return row ?? null;
  };
  const most =
    (field: "maxStopSz" | "maxMktSz"): SizeLimit =>
    async (instrument) => {
      const size = (await rowOf(instrument))?.[field];
      return size ? parsed("instruments", Decimal, size) : null;
    };
  return { stopLimit: most("maxStopSz"), marketLimit: most("maxMktSz") };
}
