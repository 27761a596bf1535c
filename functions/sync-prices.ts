import { lastClosedOpening, newestOpenings, upsertCandles } from "#db/signals/prices";
import { upsertInstruments } from "#db/trading/instruments";
import { measureAge } from "#runtime/metrics";
import { schedule } from "#runtime/schedule";
import { instant, millis } from "#units/time";

const PAGE = 300; // OKX's most in one reply
const HOUR_MS = 3_600_000;

/**
 * candles → prices: the closed bars since the newest stored one, or of the warm-up hours at first. Nothing is asked while
 * no new bar can have closed. A bar that the venue lacks stays a gap. An instrument that fails holds no other back.
 * @throws the first instrument's error, once all were tried.
 */
export const handler = schedule("sync-prices", async ({ at }, { database, market, settings }) => {
  const { instruments, barSeconds, venue, warmupHours } = settings;
  const newest = await newestOpenings(database, instruments, barSeconds);
  const width = barSeconds * 1000;
  const last = millis(lastClosedOpening(at, barSeconds));
  if (newest.size < instruments.length || at.slice(11, 16) === "00:00") {
    await upsertInstruments(database, await market.instruments(instruments), venue, at);
  }
  const earliest = millis(at) - warmupHours * HOUR_MS;
  const sync = async (instrument: string): Promise<void> => {
    const stored = newest.get(instrument);
    let since = stored ? millis(stored) + width : earliest;
    for (; since <= last; since += PAGE * width) {
      const candles = await market.candles(instrument, barSeconds, instant(since), PAGE);
      await upsertCandles(database, { instrument, barSeconds }, venue, candles);
    }
  };
  const failures: unknown[] = [];
  for (const instrument of instruments) await sync(instrument).catch((error: unknown) => failures.push(error));
  const reached = await newestOpenings(database, instruments, barSeconds);
  for (const instrument of instruments) {
    const stored = reached.get(instrument);
    measureAge("PriceAgeSeconds", instant(stored ? millis(stored) + width : earliest));
  }
  if (failures.length > 0) throw failures[0];
});
