import * as z from "zod";
import { Decimal } from "#units/decimal";
import { type Instant, millis } from "#units/time";
import type { OkxClient } from "./client.ts";
import { VenueError } from "./errors.ts";
import { rowsOf } from "./requests.ts";
import { parsed } from "./rows.ts";

const MINUTE_MS = 60_000;
/** The endpoint of the newest candles keeps this many; older ones are in the history. */
const RECENT_MS = 1400 * MINUTE_MS;
/** The instrument, here the index, does not exist. */
const NO_SUCH = "51001";

const IndexBar = z.tuple([z.string(), Decimal], z.string());

/**
 * Returns the index of an asset in USDT at the beginning of the minute of `at`; null where the venue has no such index, or
 * had none then. Source: OKX v5, "Get index candlesticks" and its history: [ts, open, …].
 */
export async function indexPrice(client: OkxClient, asset: string, at: Instant): Promise<Decimal | null> {
  const minute = Math.floor(millis(at) / MINUTE_MS) * MINUTE_MS;
  const isOld = client.nonce() - minute > RECENT_MS;
  const call = isOld ? client.publicGetMarketHistoryIndexCandles : client.publicGetMarketIndexCandles;
  const window = { before: String(minute - 1), after: String(minute + 1), limit: "1" };
  try {
    const [row] = await rowsOf(client, call, { instId: `${asset}-USDT`, bar: "1m", ...window });
    return row === undefined ? null : parsed("index candles", IndexBar, row)[1];
  } catch (error) {
    if (error instanceof VenueError && error.code === NO_SUCH) return null;
    throw error;
  }
}
